"""HTTP with this wake's network and one TLS context, as its callers want it: status, JSON object, headers."""

from stoa.net import http
from stoa.net.radio import RadioError


class Exchanger:
    """`post` and `get` return (status, JSON object as a dict or None, headers) or raise stoa.net.http.HttpError.

    join           a function that joins the Wi-Fi if need be and gives its SocketPool: it may have gone meanwhile
    milliseconds   a function for deadlines
    seconds        the most one exchange may take
    """

    def __init__(self, join, milliseconds, seconds=30):
        self._join = join
        self._milliseconds = milliseconds
        self._seconds = seconds
        self._ssl_context = None

    def post(self, url, fields):
        return self._exchange("POST", url, fields, None)

    def get(self, url, headers=None):
        return self._exchange("GET", url, None, headers)

    def _exchange(self, method, url, fields, headers):
        try:
            pool = self._join()
        except RadioError as error:
            raise http.HttpError("connect", error.detail)
        if self._ssl_context is None and url.startswith("https://"):
            import ssl

            self._ssl_context = ssl.create_default_context()
        limit, seconds, context = http.BODY_MAX, self._seconds, self._ssl_context
        reply = http.exchange(method, url, fields, headers, limit, seconds, pool, context, self._milliseconds)
        try:
            return reply.status, http.json_object(reply), reply.headers
        except MemoryError:
            # It came, and there was no room to read it: for a token that may have rotated, the same as lost.
            raise http.HttpError("truncated", "no memory for the answer", True)
