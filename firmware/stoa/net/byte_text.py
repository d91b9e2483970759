"""Text that formats as bytes, for CPython alone.

urequests 0.9.1 writes b"%s /%s HTTP/1.0" % (method, path), where both are str. MicroPython and CircuitPython allow
that; CPython wants an object with __bytes__ (PEP 461). The path is a piece of the URL, so that split gives these too.
"""


class ByteText(str):
    """A str of ASCII that b"%s" accepts."""

    def __bytes__(self):
        return self.encode("ascii")

    def split(self, sep=None, maxsplit=-1):
        return [ByteText(part) for part in str.split(self, sep, maxsplit)]
