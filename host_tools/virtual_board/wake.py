"""One boot of the firmware, from reset to whatever ended it."""

from __future__ import annotations

from dataclasses import dataclass, field

from host_tools.virtual_board.peripherals.radio import Exchange
from host_tools.virtual_board.power import Supply

DEEP_SLEEP, RESET, FINISHED, CRASHED, STALLED = "deep sleep", "reset", "finished", "crashed", "stalled"
POWER_LOST, BROWN_OUT, HARD_FAULT = "power lost", "brown-out", "hard fault"
WATCHDOG, SAFE_MODE, BOOTLOADER = "watchdog", "safe mode", "ROM bootloader"
# What is done to a board; the others it does itself.
SUFFERED = (POWER_LOST, BROWN_OUT, HARD_FAULT)


@dataclass
class Wake:
    """ending: one of the constants above; FINISHED, CRASHED, SAFE_MODE and BOOTLOADER leave a real board awake.

    woken_by: "power on", "alarm", "reset" or the name of a pin. reset_reason: CircuitPython's name of it; safe_mode:
    its reason, "" where the boot is no safe one. console: what it printed. calls: hardware calls made. hung: a fault
    kept it from going on. drive_formatted: the drive did not mount at this boot, and the firmware on it is gone.
    faults_missed: the names of those that were to strike at a moment it did not come to.
    supply: what it did with its power, call by call.
    """

    woken_by: str
    began_ns: int
    ended_ns: int = 0
    ending: str = ""
    reset_reason: str = "POWER_ON"
    safe_mode: str = ""
    console: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    refreshes: int = 0
    calls: int = 0
    nvm_writes: int = 0
    hung: bool = False
    drive_formatted: bool = False
    faults_missed: frozenset[str] = frozenset()
    supply: Supply = field(default_factory=Supply, repr=False)

    @property
    def awake_ns(self) -> int:
        """How long it was awake, its boot included."""
        return self.ended_ns - self.began_ns

    @property
    def flash_erases(self) -> int:
        """Erases of the drive's sectors and of nvm: what wears the flash."""
        return len(self.supply.flash)

    def failure(self) -> str | None:
        """Why this wake was a defect, in words; None where the firmware slept, or ended by no fault of its own."""
        last = next((line for line in reversed(self.console) if line.strip()), "nothing on its console")
        if self.drive_formatted:
            return "the drive did not mount and was formatted: the firmware is gone"
        if self.ending == SAFE_MODE:
            return f"the board stayed awake in safe mode ({self.safe_mode}): {last}"
        if self.ending == BOOTLOADER:
            return "the board waits in its ROM's bootloader: BOOT0 was held at power-on or reset"
        if self.ending == WATCHDOG:
            return None if self.hung else f"the watchdog had to end the wake: {last}"
        if self.ending == DEEP_SLEEP or self.ending in SUFFERED or (self.ending == RESET and self.safe_mode):
            return None
        return f"the firmware {self.ending} instead of going to sleep: {last}"
