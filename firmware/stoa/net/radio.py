"""Joining the owner's Wi-Fi."""

# A join takes 2.5 s on average and up to 9.6 s in the field (Chris-42, ePaper-Display-V2).
TIMEOUT_S = 15


class RadioError(Exception):
    """No network; `detail` says why in a few words fit for a screen."""

    def __init__(self, detail):
        super().__init__(detail)
        self.detail = detail


def join(ssid, password):
    """Join unless joined already, and return the socket pool. Raises RadioError."""
    try:
        # The import itself starts the radio, and can fail for want of memory (circuitpython#7448, #9842).
        import socketpool
        import wifi

        if not wifi.radio.connected:
            wifi.radio.connect(ssid, password, timeout=TIMEOUT_S)
        return socketpool.SocketPool(wifi.radio)
    except MemoryError:
        raise RadioError("No memory for the radio")
    except (OSError, RuntimeError, ValueError) as error:
        # CircuitPython's ConnectionError is an OSError; MicroPython has no such name.
        raise RadioError(str(error))
