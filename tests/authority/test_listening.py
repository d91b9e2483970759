"""What holds of the server whichever event loop runs it: it settles, answers at once, and takes no end of a head."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from host_tools.authority.listening import HEAD_MAX, listen, server_of, settled

END = b"\r\n\r\n"
ONE_HEADER = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * HEAD_MAX
MANY_HEADERS = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * HEAD_MAX


async def reads_all(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


# Ours, which is uvloop's where there is one, and asyncio's, which serves elsewhere.
@pytest.fixture(params=[server_of(reads_all).config.get_loop_factory(), asyncio.SelectorEventLoop])
def runner(request):
    with asyncio.Runner(loop_factory=request.param) as made:
        yield made


@contextlib.asynccontextmanager
async def serving(app=reads_all):
    """(server, its address), answering. Whatever fails, it is stopped: a loop with open connections may not close."""
    server, listening = server_of(app), listen(0)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield server, listening.getsockname()
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize("mute", [0, 1, 50])
def test_settling_reaches_a_request_behind_connections_that_say_nothing(runner, mute):
    taken = []

    async def app(scope, receive, send):
        await reads_all(scope, receive, send)
        taken.append(scope["path"])

    async def run():
        async with serving(app) as (server, address):
            # The loop stands still meanwhile, so that all of them are in the backlog.
            clients = [socket.create_connection(address, timeout=20) for _ in range(mute + 1)]
            clients[-1].sendall(b"POST /asked HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nbody")
            for client in clients:
                client.close()
            await settled(server)
            return list(taken)

    assert runner.run(run()) == ["/asked"]


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_head(runner):
    """Head and body are two writes: with Nagle's algorithm (RFC 1122 4.2.3.4) the second waits for a delayed ACK."""

    async def run():
        async with serving() as (server, address):
            with socket.create_connection(address, timeout=20):
                while not server.server_state.connections:
                    await asyncio.sleep(0)
                (connection,) = server.server_state.connections
                taken = connection.transport.get_extra_info("socket")
                return taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert runner.run(run()) == 1


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (ONE_HEADER[: HEAD_MAX - 4] + END, "200"),
        (ONE_HEADER[: HEAD_MAX + 1], "400"),
        (MANY_HEADERS[: HEAD_MAX + 1], "400"),
    ],
)
def test_a_head_without_end_is_refused(runner, head, status):
    """A body of any size before it, on the same connection, is the application's business."""

    async def run():
        async with serving() as (_, address):
            reader, writer = await asyncio.open_connection(*address)
            with contextlib.closing(writer):
                writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + b"b" * 2_000_000)
                first = await reader.readuntil(END)
                writer.write(head)
                writer.write_eof()
                second = await reader.readline()
                return [line.decode().partition(" ")[2][:3] for line in (first, second)]

    assert runner.run(run()) == ["200", status]
