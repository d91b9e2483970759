"""TCP and UDP sockets through the bench."""

from _link import call


class Socket:
    def __init__(self, handle, kind):
        self._handle = handle
        self.type = kind

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

    def send(self, data):
        return call("net.send", self._handle, data)

    def sendall(self, data):
        at = 0
        view = memoryview(data)
        while at < len(data):
            at += self.send(view[at:])

    def recv_into(self, buffer, bufsize=0):
        data = call("net.recv", self._handle, bufsize or len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def sendto(self, data, address):
        return call("net.sendto", self._handle, data, address[0], address[1])

    def recvfrom_into(self, buffer):
        return self.recv_into(buffer), ("0.0.0.0", 0)

    def setblocking(self, flag):
        self.settimeout(None if flag else 0)

    def settimeout(self, value):
        call("net.settimeout", self._handle, None if value is None else int(value * 1000))


class SocketPool:
    AF_INET = 2
    AF_INET6 = 10
    SOCK_STREAM = 1
    SOCK_DGRAM = 2
    SOCK_RAW = 3
    EAI_NONAME = 200
    IPPROTO_IP = 0
    IPPROTO_TCP = 6
    IPPROTO_UDP = 17

    class gaierror(OSError):
        pass

    def __init__(self, radio):
        self._radio = radio

    def socket(self, family=AF_INET, type=SOCK_STREAM, proto=IPPROTO_IP):
        return Socket(call("net.socket", type == self.SOCK_DGRAM), type)

    def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        address = call("net.resolve", host)
        if address is None:
            raise SocketPool.gaierror(-2, "Name or service not known")
        return [(self.AF_INET, type or self.SOCK_STREAM, proto, "", (address, port))]
