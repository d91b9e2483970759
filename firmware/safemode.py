# Of Stoa: a deploy overwrites it.
"""What CircuitPython runs instead of code.py after a boot into safe mode.

Left alone the board would wait there for its owner, awake, until the battery is empty: a brown-out, when radio or
panel start on a tired cell, is enough for that (CircuitPython ports/espressif/supervisor/port.c). So it sleeps, and
boots as ever afterwards. Imports nothing of Stoa: the program itself may be what failed.
"""

import time

import alarm
import supervisor

HOUR = 3600
# Reason: how long to sleep. A brown-out takes two boots, this one and the next, so that 2 h keep to 24 a day.
SLEEP_S = {"BROWNOUT": 2 * HOUR}
OTHERS_S = 6 * HOUR
# Somebody asked for safe mode: by the button at boot, or from code. They have the board in their hands.
WANTED = ("NONE", "USER", "PROGRAMMATIC")

reason = str(supervisor.runtime.safe_mode_reason).split(".")[-1]
print("stoa safe_mode reason=" + reason)
if reason not in WANTED:
    seconds = SLEEP_S.get(reason, OTHERS_S)
    alarm.exit_and_deep_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + seconds))
