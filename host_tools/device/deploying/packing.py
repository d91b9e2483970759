"""What goes over a serial line, made small: contents as text for a command, and the agent's source."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

# Some unpackers set the whole window aside.
WINDOW_BITS = 12


def packed(piece: bytes) -> str:
    packing = zlib.compressobj(9, wbits=WINDOW_BITS)
    return base64.b64encode(packing.compress(piece) + packing.flush()).decode()


def without_comments(source: str) -> str:
    """Without comments and docstrings, and a space for four: that much less goes over the cable."""
    lines: Iterable[str] = (line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    kept, in_text = [], False
    for line in lines:
        stripped = line.strip()
        if in_text or stripped.startswith('"""'):
            in_text = not (stripped.endswith('"""') and (in_text or len(stripped) > 3))
            continue
        depth = (len(line) - len(stripped)) // 4
        kept.append(" " * depth + stripped)
    return "\n".join(kept)
