"""The entry point CircuitPython runs at every boot: one wake, and whatever happens in it, deep sleep at its end."""

import time

import alarm

try:
    from stoa import heap

    heap.prepare()
    from stoa import wake

    wake.run()
except Exception as error:
    # The program on the drive is not whole. Left alone, CircuitPython would wait awake until the battery is empty.
    print("stoa defect", type(error).__name__, error)
alarm.exit_and_deep_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + 6 * 3600))
