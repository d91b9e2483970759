"""A heap that was used before: a hundred wakes in one life of the interpreter, and one that begins in holes."""

import re

import pytest

from host_tools.bundle import PRESERVED, SLOTS, build_bundle
from tests.campaign import extent
from tests.home import Home

# As code.py begins.
IN_ITS_FOLDER = """
import os, sys
os.chdir("/program-a")
sys.path.insert(sys.path.index("") + 1, "lib")
"""
# Instead of a deep sleep, which would begin with a new heap, a day goes by.
HUNDRED_WAKES = """
import gc, microcontroller, time
from stoa import heap
heap.prepare()
from stoa import hardware, wake

class Slept(Exception):
    pass

def stay_awake(until, button=True):
    microcontroller.watchdog.mode = None
    raise Slept

hardware.deep_sleep = stay_awake
hardware.awake_ms = lambda: 0
for n in range(1, 101):
    try:
        wake.run()
    except Slept:
        pass
    heap.make_room()
    print("used", n, gc.mem_alloc())
    time.sleep(86400)
"""
# A small thing that stays, wherever so many bytes have been used and let go. In functions: what a module's own frame
# has held may stay in it, for the collector looks through all words of the stack.
HOLES = """
import gc
kept = []
def fill():
    larges = []
    try:
        while True:
            larges.append(bytearray(%d))
            kept.append(bytearray(16))
    except MemoryError:
        larges.clear()
def overwrite_the_stack(n):
    return n and overwrite_the_stack(n - 1)
fill()
overwrite_the_stack(20)
gc.collect()
from stoa import heap
heap.prepare()
from stoa import wake
wake.run()
"""
# A collector that takes any word for an address keeps, now and then, much of what was let go: here at the first poll,
# with a third of the rest left and no 3 KB of it in one piece, until everything is let go.
CROWDED = """
import sys
from stoa import hardware, heap
heap.prepare()
let_go, feed = heap.make_room, hardware.feed_watchdog
crowd, polls = [], []
def make_room(kept=None):
    if kept is None:
        crowd.clear()
    let_go(kept)
def feed_watchdog():
    feed()
    if "stoa.asking" in sys.modules:
        polls.append(1)
        if len(polls) == 2:
            try:
                while True:
                    crowd.append(bytearray(1000))
            except MemoryError:
                for n in range(0, len(crowd), 3):
                    crowd[n] = None
heap.make_room, hardware.feed_watchdog = make_room, feed_watchdog
from stoa import wake
wake.run()
"""


def put(home, runtime, code):
    """Let `code` be the program, beside the firmware as the runtime reads it."""
    home.board.runtime = runtime
    bundle = build_bundle(home.board.board, runtime.mpy_cross)
    home.board.install({**bundle, "code.py": (IN_ITS_FOLDER + code).encode()}, PRESERVED, SLOTS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bytecode", extent(quick=[True], deep=[True, False]))
def test_a_hundred_wakes_in_one_life_take_no_more_than_ten(home, machine, bytecode):
    home.wake_now()
    put(home, machine("96k" if bytecode else "128k", bytecode), HUNDRED_WAKES)
    wake = home.board.wake()
    used = {int(n): int(size) for n, size in re.findall(r"used (\d+) (\d+)", "\n".join(wake.console))}
    assert len(used) == 100, wake.console[-5:]
    assert not [line for line in wake.console if "emory" in line or "defect" in line]
    assert sum(line.startswith("stoa screen name=quote refreshed=yes") for line in wake.console) > 90
    # A letter of a quote that no quote had before is a name more.
    assert used[100] - used[10] <= 256


@pytest.mark.parametrize(("heap", "bytecode", "hole"), [("112k", True, 6000), ("160k", False, 11000)])
def test_a_fragmented_heap_still_pairs(home: Home, machine, heap, bytecode, hole):
    put(home, machine(heap, bytecode), HOLES % hole)
    wake = home.wake_now()
    assert home.names() == ["pairing", "quote"], wake.console
    assert home.reason() == "daily"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bytecode", [True, False])
def test_what_the_collector_keeps_by_mistake_keeps_no_one_from_pairing(home, machine, bytecode):
    # 4 KB more than the least: a wake tries again once, and that is spent on the crowd.
    put(home, machine("100k" if bytecode else "132k", bytecode), CROWDED)
    wake = home.wake_now()
    assert (home.onlooker.last("sleep") or {}).get("reason") == "daily", wake.console
    assert [line for line in wake.console if line.startswith("stoa memory free=")], wake.console
    assert home.names() == ["pairing", "quote"]
