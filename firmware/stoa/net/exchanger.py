"""HTTP with this wake's network and one TLS context, as its callers want it: status, JSON object, headers."""

from stoa import hardware, heap
from stoa.net import http

# For one exchange, whatever comes.
LIMIT_S = 30


def post(errand, url, fields):
    """(status, JSON object as a dict or None, headers); HttpError or NoRoom as http.exchange has them.

    errand: see stoa.errand, `join`, `pool` and `tls`.
    """
    return _exchange(errand, "POST", url, fields, None, dict)


def get(errand, url, headers=None, kind=dict):
    """The same, of a GET. kind: dict, or list where a JSON array is kind."""
    return _exchange(errand, "GET", url, None, headers, kind)


def asked_to_wait(status, headers):
    """Seconds that an answer asks to be left alone (retry_after.seconds), or None."""
    if status == 200 or ("retry-after" not in headers and "x-ratelimit-reset" not in headers):
        # Auth0 sends the latter with every answer; nothing is loaded between a token and the vault.
        return None
    from stoa.auth import retry_after

    return retry_after.seconds(headers, hardware.now(), status)


def _exchange(errand, method, url, fields, headers, kind):
    hardware.feed_watchdog()
    pool = _pool(errand)
    if errand.tls is None and url.startswith("https://"):
        import ssl

        errand.tls = ssl.create_default_context()
    reply = http.exchange(method, url, fields, headers, http.BODY_MAX, LIMIT_S, pool, errand.tls, hardware.milliseconds)
    try:
        return reply.status, http.json_object(reply, kind), reply.headers
    except MemoryError:
        # It came, and there was no room to read it: for a token that may have rotated, the same as lost.
        heap.tell_it_is_full()
        raise http.HttpError("truncated", "no memory for the answer", True)


def _pool(errand):
    """The Wi-Fi's SocketPool. It may have gone since it was joined; while it is there, what joins it is not loaded."""
    if errand.pool is not None:
        import wifi

        if wifi.radio.connected:
            return errand.pool
    from stoa.net.radio import RadioError

    try:
        errand.pool = errand.join()
    except RadioError as error:
        raise http.HttpError("connect", error.detail)
    return errand.pool
