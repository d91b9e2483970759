"""Joining the owner's Wi-Fi."""

import wifi

# A join takes 2.5 s on average and up to 9.6 s in the field (Chris-42, ePaper-Display-V2).
TIMEOUT_S = 15


class RadioError(Exception):
    """No network; `detail` says why in a few words fit for a screen."""

    def __init__(self, detail):
        super().__init__(detail)
        self.detail = detail


def join(ssid, password):
    """Join, and return the socket pool. Raises RadioError."""
    import socketpool

    if not wifi.radio.connected:
        try:
            wifi.radio.connect(ssid, password, timeout=TIMEOUT_S)
        except (ConnectionError, ValueError) as error:
            raise RadioError(str(error))
    return socketpool.SocketPool(wifi.radio)
