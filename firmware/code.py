# Of Stoa: a deploy overwrites it.
"""What CircuitPython runs at every boot: a wake of the program in one of two folders, and then deep sleep, whatever
happens. docs/deploy.md tells why two. 2,048 bytes are the most.

A deploy may end between this file and the program that it came with: it uses heap.prepare() and wake.run() alone, which
every program has."""

import os
import sys
import time

import alarm

folder = "/program-a"
try:
    with open("/slot/active.bin", "rb") as file:
        file.seek(4096)
        if file.read(9) == b"program-b":
            folder = "/program-b"
    # An open file keeps a block.
    del file
except OSError:
    # The power failed as a deploy wrote it: both programs are whole.
    pass
try:
    os.chdir(folder)
    sys.path.insert(sys.path.index("") + 1, "lib")
    from stoa import heap

    heap.prepare()
    from stoa import wake

    wake.run()
except Exception as error:
    # The program is not whole. Left alone, CircuitPython would wait awake until the battery is empty.
    print("stoa defect", type(error).__name__, error)
alarm.exit_and_deep_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + 6 * 3600))
