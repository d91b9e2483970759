"""The radio, as far as a station uses it."""

from _link import call


class Network:
    def __init__(self, ssid, bssid, channel, rssi):
        self.ssid = ssid
        self.bssid = bssid
        self.channel = channel
        self.rssi = rssi


class Radio:
    def __init__(self):
        # The import itself starts the radio, which shows in the current (field-notes D.1).
        self.enabled = True

    @property
    def enabled(self):
        return self._enabled

    @enabled.setter
    def enabled(self, enabled):
        self._enabled = bool(enabled)
        call("wifi.enable", self._enabled)

    @property
    def connected(self):
        return call("wifi.connected")

    @property
    def ap_info(self):
        found = call("wifi.ap_info")
        return None if found is None else Network(*found)

    def connect(self, ssid, password=b"", *, channel=0, bssid=None, timeout=None):
        if not self._enabled:
            raise RuntimeError("WiFi is not enabled")
        if isinstance(ssid, str):
            ssid = ssid.encode()
        if isinstance(password, str):
            password = password.encode()
        if not 1 <= len(ssid) <= 32:
            raise ValueError("ssid length must be 1-32")
        if password and not 8 <= len(password) <= 64:
            raise ValueError("password length must be 8-64")
        if bssid is not None and len(bssid) != 6:
            raise ValueError("Invalid BSSID")
        # Espressif's port takes `timeout` and does nothing with it (common-hal/wifi/Radio.c).
        call("wifi.connect", ssid, password, channel, None if bssid is None else bytes(bssid))

    def stop_station(self):
        call("wifi.disconnect")


radio = Radio()
