"""How CircuitPython reads settings.toml, byte by byte, as an oracle beside the virtual board's model of it.

The rules of shared-module/os/getenv.c and of supervisor/shared/settings.c, which came after it, where they agree: lines
end with "\\n" alone; a line whose first character is "[" ends the file, and so does a NUL; a key is bare; an escape is
of b f n r t v, u or U, or stands for itself; what is not in quotes is an integer.
"""

from __future__ import annotations

import re

_SPACE = b" \t\r\v\f"
_ESCAPES = {"b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v"}


class Unreadable(Exception):
    pass


def getenv(file: bytes, key: str) -> str | None:
    for line in file.partition(b"\0")[0].split(b"\n"):
        line = line.lstrip(_SPACE)
        if line.startswith(b"["):
            return None
        rest = line.removeprefix(key.encode()).lstrip(_SPACE)
        if line.startswith(key.encode()) and rest.startswith(b"="):
            return _value(rest[1:].lstrip(_SPACE)).decode()
    return None


def _value(text: bytes) -> bytes:
    if not text.startswith(b'"'):
        number = text.partition(b"#")[0].rstrip(_SPACE)
        if not re.fullmatch(rb"[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)", number):
            raise Unreadable
        return number
    value, at = bytearray(), 1
    while text[at : at + 1] != b'"':
        if at >= len(text):
            raise Unreadable
        if text[at : at + 1] != b"\\":
            value += text[at : at + 1]
            at += 1
            continue
        kind = text[at + 1 : at + 2].decode()
        digits = {"u": 4, "U": 8}.get(kind, 0)
        if digits:
            value += chr(int(text[at + 2 : at + 2 + digits], 16)).encode()
        else:
            value += _ESCAPES.get(kind, kind.encode())
        at += 2 + digits
    after = text[at + 1 :].lstrip(_SPACE)
    if after and not after.startswith(b"#"):
        raise Unreadable
    return bytes(value)
