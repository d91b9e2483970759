"""TCP and UDP sockets through the bench."""

from _link import call


class _Stream:
    """What a TLS socket can do as well."""

    def __init__(self, handle):
        self._handle = handle

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        if self._handle is not None:
            call("net.close", self._handle)
            self._handle = None

    def connect(self, address):
        call("net.connect", self._handle, address[0], address[1])

    def send(self, bytes):
        return call("net.send", self._handle, bytes)

    def recv_into(self, buffer, bufsize=0):
        data = call("net.recv", self._handle, bufsize or len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def settimeout(self, value):
        call("net.settimeout", self._handle, None if value is None else int(value * 1000))


class Socket(_Stream):
    def sendto(self, bytes, address):
        return call("net.sendto", self._handle, bytes, address[0], address[1])


class SocketPool:
    AF_INET = 2
    SOCK_STREAM = 1
    SOCK_DGRAM = 2
    IPPROTO_IP = 0

    class gaierror(OSError):
        pass

    def __init__(self, radio):
        self._radio = radio

    def socket(self, family=AF_INET, type=SOCK_STREAM, proto=IPPROTO_IP):
        return Socket(call("net.socket", type == self.SOCK_DGRAM))

    def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        address = call("net.resolve", host)
        if address is None:
            raise SocketPool.gaierror(-2, "Name or service not known")
        return [(self.AF_INET, type or self.SOCK_STREAM, proto, "", (address, port))]
