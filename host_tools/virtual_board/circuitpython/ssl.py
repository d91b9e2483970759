"""TLS through the bench; certificates and host names are verified, as CircuitPython's default context does."""

from _link import call
from socketpool import _Stream


class SSLSocket(_Stream):
    pass


class SSLContext:
    def __init__(self):
        self._root = None
        self.check_hostname = True

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cafile is not None or capath is not None:
            raise NotImplementedError("cafile and capath are not implemented")
        self._root = cadata

    def wrap_socket(self, sock, *, server_side=False, server_hostname=None):
        if server_side:
            raise NotImplementedError
        handle = call("tls.wrap", sock._handle, server_hostname, self._root, bool(self.check_hostname))
        # The plain socket's object must not close what the TLS socket now owns.
        sock._handle = None
        return SSLSocket(handle)


def create_default_context():
    return SSLContext()
