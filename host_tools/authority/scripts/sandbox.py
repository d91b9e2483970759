"""The process in which a tenant's scripts run: one JSON object a line in, one out. Run as a program of its own.

QuickJS gives a script no file, no network, no process and no clock but Date's. Time and memory are limited twice: by
QuickJS, whose refusal the script's owner can be told in words, and, where its own functions do not look at the limit
(`"a".repeat(4e6).indexOf("a".repeat(2e6) + "b")` does not return for minutes), by whoever started this process and
kills it. A fault in the engine stays in here as well.

It imports nothing of the house: that would cost a start more than all the rest.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress

import quickjs

TIME_S = 0.2
MEMORY_BYTES = 16 * 1024 * 1024
_STACK_BYTES = 256 * 1024
_ADDRESS_SPACE_BYTES = 512 * 1024 * 1024
_MOST_JOBS = 10_000
_LONGEST_S = 5  # where nobody is left to kill this process


def run(harness: str, script: str, given: str) -> str:
    """What the harness says of this script, as JSON; `error` where the engine itself refused it."""
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_BYTES)
    context.set_max_stack_size(_STACK_BYTES)
    context.set_time_limit(TIME_S)
    try:
        # What the harness needs of the realm it has taken by the time the script is there to change it.
        start = context.eval(harness)
        outcome = start(context.eval(script), given)
        for _ in range(_MOST_JOBS):
            if not context.execute_pending_job():
                break
        return str(outcome())
    except quickjs.JSException as refused:  # StackOverflow is one
        return json.dumps({"error": str(refused)[:2000]})


def compiled(script: str) -> str:
    """What the engine has against this text, a function that nobody calls."""
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_BYTES)
    context.set_time_limit(TIME_S)
    try:
        context.eval(script)
        return "{}"
    except quickjs.JSException as refused:
        return json.dumps({"error": str(refused)[:2000]})


def _limit_this_process() -> None:
    with suppress(ImportError, OSError, ValueError):  # no such limits on this system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE_BYTES, _ADDRESS_SPACE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    _limit_this_process()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        asks = run if "given" in asked else compiled
        with suppress(AttributeError):  # no such timer on this system
            signal.setitimer(signal.ITIMER_REAL, _LONGEST_S)  # its signal ends this process
        told = asks(**asked)
        with suppress(AttributeError):
            signal.setitimer(signal.ITIMER_REAL, 0)
        # As it is: an escape of Python's (\\xe9) is none of JSON's. The line's end is ours, JSON has no bare one.
        sys.stdout.buffer.write(told.replace("\n", " ").encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
