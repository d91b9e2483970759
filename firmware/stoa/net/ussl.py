"""The `ussl` that urequests imports: the certificate and the host name are verified, by the context of the exchange."""


def wrap_socket(sock, server_hostname=None):
    """TLS on a stoa.net.usocket.Wire; returns it."""
    sock.secure(server_hostname)
    return sock
