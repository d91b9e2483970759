"""A message reaches every subscriber of the outbox, is tried again, and given up in the end."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from host_tools.authority.core.records import Message
from host_tools.authority.webhooks import MOST_WAITING, Webhooks

from .receivers import PATIENCE_S, SENT_NS, message, refused_port


def test_every_subscriber_is_told_of_a_message(receive, telling, told):
    receivers = [receive(200), receive(202), receive(204)]
    telling(*(each.url for each in receivers)).send(message())
    for each in receivers:
        post = each.next()
        assert post.path == "/hook"
        assert post.headers["Content-Type"] == "application/json"
        assert post.headers["User-Agent"] == "stoa"
        assert post.headers["Webhook-Id"] == "m1"
        assert json.loads(post.body) == {
            "message_id": "m1",
            "channel": "sms",
            "recipient": "+15551234567",
            "text": "000001 is your verification code for Stoa display.",
            "sent": "2026-11-22T00:00:00Z",
        }
    assert told.all() == []


def test_a_message_in_any_script_arrives_as_it_is(receive, telling):
    receiver = receive()
    hostile = Message("m1", "u", "email", '"><b>\u202e\n@ü.example', "“κωδικός” \U0001f511", SENT_NS)
    telling(receiver.url).send(hostile)
    body = json.loads(receiver.next().body)
    assert (body["recipient"], body["text"]) == (hostile.recipient, hostile.text)


def test_a_slow_subscriber_holds_up_no_other(receive, telling, told):
    slow, quick = receive(), receive()
    slow.free.clear()
    webhooks = telling(slow.url, quick.url)
    for number in (1, 2, 3):
        webhooks.send(message(number))
    assert [quick.next().message_id for _ in range(3)] == ["m1", "m2", "m3"]
    assert slow.next().message_id == "m1"
    assert slow.all() == []
    slow.free.set()
    assert [slow.next().message_id for _ in range(2)] == ["m2", "m3"]
    assert told.all() == []


@pytest.mark.parametrize("passing", [0, 429, 500, 503])
def test_what_may_pass_is_tried_again_and_known_by_its_id(receive, telling, told, passing):
    receiver = receive(passing, passing, 204)
    webhooks = telling(receiver.url)
    webhooks.send(message(1))
    webhooks.send(message(2))
    posts = [receiver.next() for _ in range(4)]
    assert [each.headers["Webhook-Id"] for each in posts] == ["m1", "m1", "m1", "m2"]
    assert posts[0].body == posts[1].body == posts[2].body
    assert told.pauses == [1, 5]
    assert told.all() == []


def test_one_that_is_down_is_given_up_and_the_others_are_told(receive, telling, told):
    receiver, port = receive(), refused_port()
    telling(f"http://127.0.0.1:{port}/", receiver.url).send(message())
    assert receiver.next().message_id == "m1"
    assert told.next() == ("m1", f"127.0.0.1:{port} cannot be reached")
    assert told.pauses == [1, 5, 25]


@pytest.mark.parametrize(
    ("status", "why", "tries"),
    [(503, "answered 503", 4), (404, "answered 404", 1), (0, "broke off without an answer", 4)],
)
def test_what_was_given_up_is_told_and_the_next_is_tried(receive, telling, told, status, why, tries):
    receiver = receive(*[status] * tries, 204)
    webhooks = telling(receiver.url)
    webhooks.send(message(1))
    webhooks.send(message(2))
    assert [receiver.next().message_id for _ in range(tries + 1)] == ["m1"] * tries + ["m2"]
    assert told.next() == ("m1", f"{receiver.host} {why}")
    assert told.all() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_code_elsewhere(receive, telling, told, status):
    elsewhere = receive()
    receiver = receive(status, location=elsewhere.url)
    telling(receiver.url).send(message())
    assert told.next() == ("m1", f"{receiver.host} answered {status}; a redirect is not followed")
    assert len(receiver.all()) == 1
    assert elsewhere.all() == []


def test_one_that_never_answers_is_given_up(receive, telling, told):
    receiver = receive()
    receiver.free.clear()
    telling(receiver.url, timeout_s=0.05).send(message())
    assert told.next() == ("m1", f"{receiver.host} did not answer in 0.05 s")
    assert told.pauses == [1, 5, 25]


def test_an_answer_that_drips_is_not_waited_for(dripping, telling, told):
    server = dripping(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    telling(server.url, timeout_s=0.1).send(message())
    assert told.next() == ("m1", f"{server.host} did not answer in 0.1 s")


def test_nothing_is_read_of_an_answer_but_its_status(dripping, telling, told):
    server = dripping(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    webhooks = telling(server.url)
    webhooks.send(message(1))
    webhooks.send(message(2))
    assert [server.connections.get(timeout=PATIENCE_S) for _ in range(2)] == [1, 2]
    assert (told.pauses, told.all()) == ([], [])  # the second connection is the second message's


def test_a_queue_has_an_end_and_its_oldest_message_goes(receive, telling, told):
    slow, quick = receive(), receive()
    slow.free.clear()
    webhooks = telling(slow.url, quick.url)
    webhooks.send(message(0))
    assert slow.next().message_id == "m0"  # on its way: no longer in the queue
    for number in range(1, MOST_WAITING + 3):
        webhooks.send(message(number))
        assert quick.next()
    why = f"{slow.host} was too slow: {MOST_WAITING} wait for it"
    assert [told.next(), told.next()] == [("m1", why), ("m2", why)]
    slow.free.set()
    assert [slow.next().message_id for _ in range(MOST_WAITING)] == [f"m{n}" for n in range(3, MOST_WAITING + 3)]
    assert told.all() == []


def test_what_waits_at_the_end_is_still_delivered(receive, told):
    receiver = receive()

    async def never_over(seconds: float) -> None:
        await asyncio.Event().wait()

    webhooks = Webhooks([receiver.url], told.failure, never_over)
    webhooks.start()
    for number in (1, 2, 3):
        webhooks.send(message(number))
    webhooks.stop()
    assert [each.message_id for each in receiver.all()] == ["m1", "m2", "m3"]
    assert told.all() == []
    assert "stoa-webhooks" not in [each.name for each in threading.enumerate()]


def test_what_cannot_be_delivered_at_the_end_is_dropped_and_told(receive, telling, told):
    slow, quick = receive(), receive()
    slow.free.clear()
    webhooks = telling(slow.url, quick.url)
    webhooks.send(message(1))
    webhooks.send(message(2))
    assert slow.next().message_id == "m1"
    assert [quick.next().message_id for _ in range(2)] == ["m1", "m2"]
    webhooks.stop()
    assert "stoa-webhooks" not in [each.name for each in threading.enumerate()]
    why = f"{slow.host} had not taken it when the authority ended"
    assert [each for each in told.all() if quick.host not in each[1]] == [("m1", why), ("m2", why)]
    webhooks.stop()
    webhooks.send(message(3))
    assert told.all() == []


def test_a_pause_between_tries_does_not_put_off_the_end(receive, told):
    receiver = receive(503)
    paused, never = threading.Event(), asyncio.Event()

    async def pause(seconds: float) -> None:
        if seconds == 1:
            paused.set()
            await never.wait()

    webhooks = Webhooks([receiver.url], told.failure, pause)
    webhooks.start()
    webhooks.send(message())
    assert paused.wait(PATIENCE_S)
    webhooks.stop()
    assert told.all() == [("m1", f"{receiver.host} had not taken it when the authority ended")]


def test_a_log_that_cannot_be_written_ends_no_deliveries(receive):
    receiver = receive(404, 204)

    def full(message: Message, why: str) -> None:
        raise OSError("No space left on device")

    webhooks = Webhooks([receiver.url], full)
    webhooks.start()
    webhooks.send(message(1))
    webhooks.send(message(2))
    assert [receiver.next().message_id for _ in range(2)] == ["m1", "m2"]
    webhooks.stop()
