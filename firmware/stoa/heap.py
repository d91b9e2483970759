"""Room in the heap: a wake does one thing after another, and what one of them loaded is let go before the next.

A board without PSRAM has some 100 KB for everything; all modules together keep 135. So who calls `make_room` must hold
on to no module, class or instance of what it loaded before: imports stand within functions, and a function that calls
on to where room is made returns first. Where memory is plenty nothing is let go: loading again takes time.
"""

import gc
import sys

from stoa import log

# Three times what the largest part of a wake needs.
PLENTY = 300000
# What every part uses. There must be one of each: hardware has the watchdog, wake is running.
RESIDENT = ("stoa.hardware", "stoa.heap", "stoa.log", "stoa.obstacle", "stoa.sleep_state", "stoa.wake")
# urequests, and the names under which it finds what is ours (stoa/net/http.py).
HTTP = ("urequests", "usocket", "ussl", "ujson")

_small = False


def free():
    """Bytes that are free after a collection; None on CPython, which does not know, and takes a tenth of a second for
    one."""
    if not hasattr(gc, "mem_free"):
        return None
    gc.collect()
    return gc.mem_free()


def is_small():
    """Whether this heap is that of a board without PSRAM, by what was free when the wake began."""
    return _small


def tell_it_is_full():
    """Say in the log that there was no room for something, for whoever goes on without it."""
    log.say("memory", free=free())


def prepare():
    """Where the heap is small, clear it before each module that is loaded. Do this first.

    What is allocated goes on and on to the heap's end until a collection makes it begin again with the lowest hole: a
    module that stays, and the names in it, which stay for ever, would else lie scattered between what goes.
    """
    global _small
    bytes_free = free()
    _small = bytes_free is not None and bytes_free < PLENTY
    if not _small:
        return
    import builtins

    load = builtins.__import__

    def collecting(name, *arguments):
        if name not in sys.modules:
            gc.collect()
        return load(name, *arguments)

    builtins.__import__ = collecting


def make_room(kept=None):
    """Let go of every module of this program and of its libraries that is not RESIDENT.

    kept: the package or library that stays all the same; "stoa.net" with the library it works by.
    """
    if not _small:
        return
    # Backwards, so that what is in a package comes before it.
    for name in sorted(sys.modules, reverse=True):
        if kept and (name.startswith(kept) or name in HTTP):
            continue
        if name.startswith("stoa."):
            if name in RESIDENT:
                continue
            package, _, last = name.rpartition(".")
            # The importer bound it there too.
            if hasattr(sys.modules[package], last):
                delattr(sys.modules[package], last)
        elif not name.startswith("adafruit_") and name not in HTTP:
            continue
        del sys.modules[name]
    gc.collect()
