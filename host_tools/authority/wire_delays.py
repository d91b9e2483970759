"""Letting time pass while a request is open, and noticing that nobody waits for its reply any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope

from host_tools.clock import Clock, VirtualClock

_HELD = "stoa.held"
_NS_OF_MS = 1_000_000


async def let_pass(delay_ms: int, clock: Clock, scope: Scope, receive: Receive) -> bool:
    """Whether the client is still there after it. The request has been read: what more of it comes is dropped.

    On a virtual clock this takes no time: it moves on, as for whoever sleeps on it. A client on the same clock then
    finds that it has waited.
    """
    if isinstance(clock, VirtualClock):
        # In a thread: what is scheduled meanwhile may ask this very server something.
        await run_in_threadpool(clock.sleep_ns, delay_ms * _NS_OF_MS)
        return True
    scope[_HELD] = True
    try:
        async with asyncio.timeout(delay_ms / 1000):
            await hung_up(receive)
    except TimeoutError:
        return True
    finally:
        del scope[_HELD]
    return False


async def hung_up(receive: Receive) -> None:
    """Return when the connection of a request has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass


def is_held(scope: Mapping[str, object]) -> bool:
    """Whether the reply to this request waits for time alone: no server needs to wait for it in order to end."""
    return _HELD in scope
