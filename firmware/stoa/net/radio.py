"""Joining the owner's Wi-Fi."""

from stoa import heap

# A join takes 2.5 s on average and up to 9.6 s in the field (Chris-42, ePaper-Display-V2). Espressif's port takes the
# limit and does nothing with it (common-hal/wifi/Radio.c): there the watchdog is the last resort.
TIMEOUT_S = 15
# What CircuitPython says when the password is wrong; the second is the four-way handshake's time-out
# (circuitpython#8059, #8086).
REFUSALS = ("Authentication failure", "Unknown failure 15")


class RadioError(Exception):
    """No network; `detail` says why in a few words fit for a screen, `refused` whether it was the password."""

    def __init__(self, detail):
        super().__init__(detail)
        self.detail = detail
        self.refused = detail in REFUSALS


def join(ssid, password, known):
    """Join unless joined already, and return the socket pool. Raises RadioError.

    `known` is a dict that outlives the wake: under "ap" it keeps the last access point's BSSID (hex) and channel, by
    which the next join is quicker.
    """
    try:
        # The import itself starts the radio, and can fail for want of memory (circuitpython#7448, #9842).
        import socketpool
        import wifi

        if not wifi.radio.connected:
            if not wifi.radio.enabled:
                wifi.radio.enabled = True
            _connect(wifi.radio, ssid, password, known)
        return socketpool.SocketPool(wifi.radio)
    except MemoryError:
        heap.tell_it_is_full()
        raise RadioError("No memory for the radio")
    except (OSError, RuntimeError, ValueError) as error:
        # CircuitPython's ConnectionError is an OSError; MicroPython has no such name.
        raise RadioError(str(error))


def leave():
    """Switch the radio off until the next join: idle it takes more than the chip (MagTag: 50 mA beside 28)."""
    import wifi

    wifi.radio.enabled = False


def _connect(radio, ssid, password, known):
    last = known.pop("ap", None)
    if last is not None:
        try:
            bssid, channel = bytes.fromhex(last[0]), last[1]
            radio.connect(ssid, password, channel=channel, bssid=bssid, timeout=TIMEOUT_S)
            known["ap"] = last
            return
        except (OSError, RuntimeError, ValueError):
            # Another router, another channel, another room: look for it as at the first time.
            pass
    radio.connect(ssid, password, timeout=TIMEOUT_S)
    found = radio.ap_info
    if found is not None:
        known["ap"] = (found.bssid.hex(), found.channel)
