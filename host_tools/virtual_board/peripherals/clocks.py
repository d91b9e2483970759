"""The board's clocks over the bench's one clock: monotonic since boot, and a real-time clock the firmware must set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host_tools.clock import NS, Clock

MILLION = 1_000_000
POWER_ON_RTC_S = 946_684_800  # 2000-01-01, where the RTC of an ESP32 starts under CircuitPython


class Clocks:
    """`rtc_offset_ns`: what the real-time clock is ahead of the bench's; it survives deep sleep, not power-off."""

    def __init__(self, clock: Clock, rtc_offset_ns: int | None) -> None:
        self._clock = clock
        self._booted_ns = clock.now_ns()
        if rtc_offset_ns is None:
            rtc_offset_ns = POWER_ON_RTC_S * NS - self._booted_ns
        self.rtc_offset_ns = rtc_offset_ns

    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "time.monotonic_ns": self.monotonic_ns,
            "time.time": self.rtc_s,
            "time.sleep_ns": self._clock.sleep_ns,
            "rtc.set": self._set_rtc,
        }

    def slept(self, duration_ns: int, ppm: int) -> None:
        """Account for a deep sleep that has taken so long: its clock, `ppm` fast, counted more or less."""
        self.rtc_offset_ns += duration_ns * ppm // MILLION

    def sleep_ends_ns(self, monotonic_ns: int, ppm: int) -> int:
        """The bench's time at which a deep sleep that starts now ends, its alarm set to `monotonic_ns`."""
        counted = max(monotonic_ns - self.monotonic_ns(), 0)
        return self._clock.now_ns() + counted * MILLION // (MILLION + ppm)

    def monotonic_ns(self) -> int:
        return self._clock.now_ns() - self._booted_ns

    def rtc_s(self) -> int:
        return (self._clock.now_ns() + self.rtc_offset_ns) // NS

    def _set_rtc(self, seconds: int) -> None:
        self.rtc_offset_ns = seconds * NS - self._clock.now_ns()
