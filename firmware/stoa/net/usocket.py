"""The `usocket` that urequests imports, over CircuitPython's sockets, with what both of them lack.

CircuitPython's socket has connect, send, recv_into, settimeout and close; urequests wants write and readline. On the
way each operation and the exchange as a whole get a deadline, the reply's head gets limits, and a reply that ends too
soon is told from one that is whole. Two things urequests 0.9.1 would do never come to pass:

- It follows a redirect and posts the body, refresh token included, to the target. Header names reach it in lower
  case, so that it finds no "Location:".
- It takes a status of 300 for its own mark of a redirect and sends the request again, for ever. A 3xx ends here.

One exchange at a time, between `begin` and `end`: a display has one errand.
"""

SOCK_STREAM = 1

# Longest pause in one operation, seconds. A TLS handshake takes 1.2 to 3 s on these chips, NAT and Wi-Fi add theirs.
OPERATION_S = 15
# http.client takes 64 KB and 100 lines; a board has no such room. Auth0's whole head is under 2 KB.
LINE_MAX = 4096
HEAD_MAX = 16384
HEADERS_MAX = 100

# Numbers differ by C library (Linux; Espressif's newlib), and CircuitPython's errno module names few of them.
_TIMED_OUT = (11, 110, 116)
_UNREACHABLE = (101, 103, 104, 111, 112, 113, 114, 118)

_wire = None


class HttpError(Exception):
    """An exchange that brought no reply.

    kind     "dns" "connect" "tls" "timeout" "truncated" "too_big" "redirect" "protocol"
    detail   a few words for the log and the screen; never a query, a header or a body
    sent     whether the request may have reached the server
    """

    def __init__(self, kind, detail, sent=False):
        super().__init__("%s: %s" % (kind, detail))
        self.kind = kind
        self.detail = detail
        self.sent = sent


class Wire:
    """One connection for one exchange. Every failure is an HttpError.

    pool          CircuitPython's SocketPool, or CPython's socket module
    ssl_context   for https, else None
    ticks_ms      a function giving milliseconds, int; they may wrap at 2**29 as supervisor.ticks_ms does
    timeout       seconds for the whole exchange, int
    """

    def __init__(self, pool, ssl_context, ticks_ms, timeout):
        self._pool = pool
        self._context = ssl_context
        self._ticks_ms = ticks_ms
        self._start = ticks_ms()
        self._budget_ms = timeout * 1000
        self._raw = None
        self._socket = None
        self._address = None
        self._armed = 0
        self._out = bytearray()
        self._in = None
        self._at = 0
        self._end = 0
        self._head = 0
        self._lines = 0
        self._host = ""
        self.sent = False

    def resolve(self, host, port):
        # IPv4 alone, though some boards know IPv6: "localhost" may resolve to ::1 where nothing listens.
        self._host = host
        try:
            found = self._pool.getaddrinfo(host, port, self._pool.AF_INET, self._pool.SOCK_STREAM)
        except OSError:
            raise HttpError("dns", "no address for " + host)
        if not found:
            raise HttpError("dns", "no address for " + host)
        self._left_ms("looking up")
        return found

    def connect(self, address):
        self._address = address
        if self._context is None:
            self._connect()

    def secure(self, server_hostname):
        """Wrap first and connect then: CircuitPython shakes hands in connect and nowhere else."""
        if self._context is None or not server_hostname:
            raise HttpError("tls", "no TLS for " + self._host)
        self._connect(server_hostname)

    def write(self, data):
        # urequests writes a header in five pieces; they leave as one, when the first answer is awaited.
        self._out += data.encode() if isinstance(data, str) else data

    def readline(self):
        """The next line of the reply's head, its name in lower case, ending in CR LF; the status line is checked."""
        self._flush()
        line = self._line()
        self._lines += 1
        self._head += len(line)
        if self._head > HEAD_MAX or self._lines > HEADERS_MAX:
            raise HttpError("too_big", "header of " + self._host, True)
        if self._lines == 1:
            return self._status_line(line)
        line = line.rstrip(b"\r\n")
        if not line:
            return b"\r\n"
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            # RFC 9112 5.1 and 5.2: no space before the colon, no folded lines.
            raise HttpError("protocol", "bad header from " + self._host, True)
        return name.lower() + b":" + value + b"\r\n"

    def read_body(self, length, limit):
        """The body, a bytearray: `length` of them, or all that comes where it is None; more than `limit` is too_big."""
        if length is not None:
            if length > limit:
                raise HttpError("too_big", "%d bytes from %s" % (length, self._host), True)
            body = bytearray(length)
            view = memoryview(body)
            got = self._buffered(view)
            while got < length:
                count = self._receive(view[got:])
                if not count:
                    raise HttpError("truncated", "%d of %d bytes from %s" % (got, length, self._host), True)
                got += count
            return body
        # RFC 9112 6.3: without a length the body ends with the connection, and only its reader can tell a whole one.
        body = bytearray(self._in[self._at : self._end])
        while len(body) <= limit:
            count = self._receive(self._in)
            if not count:
                return body
            body += self._in[:count]
        raise HttpError("too_big", "more than %d bytes from %s" % (limit, self._host), True)

    def close(self):
        # The wrapped socket first. After a failed handshake CircuitPython's SSLSocket counts as closed and leaves the
        # one inside it open, hence both.
        for sock in (self._socket, self._raw if self._raw is not self._socket else None):
            if sock is not None:
                try:
                    sock.close()
                except OSError:
                    pass
        self._socket = self._raw = None

    def _connect(self, server_hostname=None):
        pool = self._pool
        try:
            self._raw = self._socket = pool.socket(pool.AF_INET, pool.SOCK_STREAM)
            if server_hostname:
                self._socket = self._context.wrap_socket(self._raw, server_hostname=server_hostname)
            self._arm("connecting to")
            self._socket.connect(self._address)
        except OSError as error:
            if self._timed_out(error):
                raise HttpError("timeout", "connecting to " + self._host)
            if not server_hostname or _number(error) in _UNREACHABLE:
                raise HttpError("connect", "no connection to " + self._host)
            raise HttpError("tls", _words(error) + " at " + self._host)
        except RuntimeError:
            # CircuitPython, when all of the chip's sockets are taken.
            raise HttpError("connect", "no socket for " + self._host)
        except MemoryError:
            # mbedTLS wants some 40 KB of the chip's own heap, which gc.mem_free does not count.
            raise HttpError("tls", "not enough memory for TLS")
        self._left_ms("connecting to")

    def _flush(self):
        if not self._out:
            return
        if self._socket is None:
            raise HttpError("tls", "not connected to " + self._host)
        view = memoryview(self._out)
        done = 0
        while done < len(view):
            self._arm("sending to")
            self.sent = True
            try:
                count = self._socket.send(view[done:])
            except OSError as error:
                raise self._lost(error, "sending to")
            if not count:
                raise HttpError("truncated", "%s hung up" % self._host, True)
            done += count
        self._out = b""

    def _line(self):
        line = b""
        while True:
            if self._in is None:
                self._in = bytearray(512)
            if self._at == self._end:
                self._at = 0
                self._end = self._receive(self._in)
                if not self._end:
                    raise HttpError("truncated", "no whole answer from " + self._host, True)
            stop = self._in.find(b"\n", self._at, self._end) + 1
            piece = bytes(self._in[self._at : stop or self._end])
            self._at += len(piece)
            line += piece
            if len(line) > LINE_MAX:
                raise HttpError("too_big", "header of " + self._host, True)
            if stop:
                return line

    def _status_line(self, line):
        words = line.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or len(words[1]) != 3 or not words[1].isdigit():
            raise HttpError("protocol", "no HTTP from " + self._host, True)
        status = int(words[1])
        # RFC 9110 15.2: no 1xx to an HTTP/1.0 client. 304 is an answer and sends nobody anywhere.
        if status < 200:
            raise HttpError("protocol", "status %d from %s" % (status, self._host), True)
        if 300 <= status < 400 and status != 304:
            raise HttpError("redirect", "status %d from %s" % (status, self._host), True)
        return line

    def _buffered(self, view):
        count = min(self._end - self._at, len(view))
        view[:count] = self._in[self._at : self._at + count]
        self._at += count
        return count

    def _receive(self, view):
        self._arm("waiting for")
        try:
            count = self._socket.recv_into(view, len(view))
        except OSError as error:
            raise self._lost(error, "waiting for")
        self._left_ms("waiting for")
        return count

    def _lost(self, error, doing):
        if self._timed_out(error):
            return HttpError("timeout", doing + " " + self._host, self.sent)
        return HttpError("truncated", "%s hung up" % self._host, self.sent)

    def _left_ms(self, doing):
        left = self._budget_ms - ((self._ticks_ms() - self._start) & 0x1FFFFFFF)
        if left <= 0:
            raise HttpError("timeout", doing + " " + self._host, self.sent)
        return left

    def _arm(self, doing):
        # Whole seconds, rounded up: the exchange's own deadline is checked after each operation anyway.
        seconds = min((self._left_ms(doing) + 999) // 1000, OPERATION_S)
        if seconds != self._armed:
            self._socket.settimeout(seconds)
            self._armed = seconds

    def _timed_out(self, error):
        # CPython's TimeoutError has no number when a socket's own timeout raised it.
        return _number(error) in _TIMED_OUT or type(error).__name__ == "TimeoutError"


def begin(wire):
    """Let urequests use `wire` until `end`."""
    global _wire
    _wire = wire


def end():
    """Close the wire under way, on whichever path the exchange ended."""
    global _wire
    if _wire is not None:
        _wire.close()
        _wire = None


def getaddrinfo(host, port, family=0, kind=0):
    return _wire.resolve(host, port)


def socket(family=0, kind=0, proto=0):
    return _wire


def _number(error):
    # CPython's OSError has an errno only when it was raised with two arguments; the boards raise it with one.
    return error.args[0] if error.args else None


def _words(error):
    # mbedTLS and OpenSSL both say in words what is wrong with a certificate; nothing of the request is in them.
    if len(error.args) > 1 and isinstance(error.args[1], str):
        return error.args[1][:80]
    return "TLS error %s" % _number(error)
