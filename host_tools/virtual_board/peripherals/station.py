"""Wi-Fi as a station: one access point in reach, and what joining it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from host_tools.clock import Clock
from host_tools.virtual_board.faults import HANDSHAKE_TIMEOUT, Faults
from host_tools.virtual_board.link import DeviceFault

JOIN_NS = 2_500_000_000  # the mean of Chris-42's field data (reference/anchors.md B.3)
# With the access point's BSSID and channel given there is no scan: 1000 ms (forum esp32.io 8942, in the same place).
QUICK_JOIN_NS = 1_000_000_000
# A join is tried six times, but for a password or a name that is wrong (ports/espressif/common-hal/wifi/__init__.c).
ATTEMPTS = 6


@dataclass(frozen=True)
class AccessPoint:
    """bssid: its six bytes on the air."""

    ssid: str
    password: str
    bssid: bytes = b"\x02stoa\x01"
    channel: int = 6


class Station:
    """access_point: the only network in reach; spends: told "radio", "joining" or "idle" when the current changes."""

    def __init__(self, clock: Clock, access_point: AccessPoint, faults: Faults, spends: Callable[[str], None]) -> None:
        self._clock = clock
        self._access_point = access_point
        self._faults = faults
        self._spends = spends
        self.connected = False

    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "wifi.enable": self._enable,
            "wifi.connect": self._join,
            "wifi.disconnect": self.leave,
            "wifi.connected": lambda: self.connected,
            "wifi.ap_info": self._ap_info,
        }

    def leave(self) -> None:
        self.connected = False

    def _enable(self, enabled: bool) -> None:
        self._spends("radio" if enabled else "idle")
        if not enabled:
            self.leave()

    def _ap_info(self) -> tuple[str, bytes, int, int] | None:
        here = self._access_point
        return (here.ssid, here.bssid, here.channel, -61) if self.connected else None

    def _join(self, ssid: bytes, password: bytes, channel: int, bssid: bytes | None) -> None:
        """A wrong channel costs time alone: the scan begins with it and goes on to the others (ESP-IDF's guide)."""
        here, faults = self._access_point, self._faults
        self.connected = False
        self._spends("joining")
        try:
            if faults.wifi_absent or ssid != here.ssid.encode() or bssid not in (None, here.bssid):
                self._clock.sleep_ns(JOIN_NS)
                raise DeviceFault("ConnectionError", "No network with that ssid")
            quick = bssid is not None and channel == here.channel
            attempts = ATTEMPTS if faults.wifi_refusal == HANDSHAKE_TIMEOUT else 1
            self._clock.sleep_ns(attempts * (QUICK_JOIN_NS if quick else JOIN_NS))
            if faults.wifi_refusal or password != here.password.encode():
                raise DeviceFault("ConnectionError", faults.wifi_refusal or "Authentication failure")
        finally:
            self._spends("radio")
        self.connected = True
