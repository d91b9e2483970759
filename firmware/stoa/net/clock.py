"""Setting the real-time clock from the network (published adafruit_ntp)."""


def set_from_network(pool, server):
    """Set the clock to UTC. False when no server answered well."""
    import adafruit_ntp
    import rtc

    try:
        rtc.RTC().datetime = adafruit_ntp.NTP(pool, server=server).datetime
    except (OSError, ArithmeticError, RuntimeError, ValueError, MemoryError):
        # RuntimeError: CircuitPython is out of sockets. ValueError: a year that the clock cannot hold.
        return False
    return True
