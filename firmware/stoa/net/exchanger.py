"""HTTP with this wake's network and one TLS context, as its callers want it: status, JSON object, headers."""

from stoa.net import http


class Exchanger:
    """`post` and `get` return (status, JSON object as a dict or None, headers) or raise stoa.net.http.HttpError.

    pool: the radio's SocketPool; milliseconds: a function for deadlines; seconds: the most one exchange may take.
    """

    def __init__(self, pool, milliseconds, seconds=30):
        self._pool = pool
        self._milliseconds = milliseconds
        self._seconds = seconds
        self._ssl_context = None

    def post(self, url, fields):
        return self._exchange("POST", url, fields, None)

    def get(self, url, headers=None):
        return self._exchange("GET", url, None, headers)

    def _exchange(self, method, url, fields, headers):
        if self._ssl_context is None and url.startswith("https://"):
            import ssl

            self._ssl_context = ssl.create_default_context()
        reply = http.exchange(
            method,
            url,
            fields,
            headers,
            http.BODY_MAX,
            self._seconds,
            self._pool,
            self._ssl_context,
            self._milliseconds,
        )
        return reply.status, http.json_object(reply), reply.headers
