"""The device's end of the link: one blocking call at a time, over descriptors 3 (in) and 4 (out)."""

import gc
import struct
import sys

import _codec

_rx = open(3, "rb", buffering=0)
_tx = open(4, "wb", buffering=0)
# CPython's unbuffered read answers what has come; MicroPython's waits for all it was asked for.
_READS_WHAT_IS_THERE = sys.implementation.name == "cpython"
_REPLY_AT = 4 if _READS_WHAT_IS_THERE else 0
_MOST = 65536
_LARGE = 256
# Read into, where there may be no room to read.
_head = bytearray(9)
_BYTES_FOLLOW = b"l\x02\x00Tb"
_NOTHING = b"l\x02\x00TN"
_ERRORS = {
    "OSError": OSError,
    "ValueError": ValueError,
    "RuntimeError": RuntimeError,
    "TypeError": TypeError,
    "ConnectionError": OSError,
    "NotImplementedError": NotImplementedError,
}
try:
    # MicroPython's own builtins lack it; CircuitPython has it as an OSError.
    _ERRORS["ConnectionError"] = ConnectionError
except NameError:
    pass


def _read(size):
    data = _rx.read(size)
    while data is not None and len(data) < size:
        more = _rx.read(size - len(data))
        if not more:
            break
        data += more
    if not data or len(data) < size:
        # The bench is gone, as when power fails: nothing more can happen on this board.
        raise SystemExit
    return data


def _reply():
    """(the reply's frame, None), or (one without its result, the result)."""
    if _READS_WHAT_IS_THERE:
        # One reply at a time is on its way, and most come whole.
        data = _rx.read(_MOST)
        if len(data) >= 4:
            missing = 4 + struct.unpack_from("<I", data)[0] - len(data)
            return (data if missing == 0 else data + _read(missing)), None
        # Cut short, or the end.
        data += _read(4 - len(data))
        return data + _read(struct.unpack("<I", data)[0]), None
    _fill(_head, 4)
    size = struct.unpack_from("<I", _head)[0]
    if size > _LARGE:
        # (True, bytes): straight into the object that is wanted.
        _fill(_head, 9)
        if _head[:5] == _BYTES_FOLLOW:
            return _NOTHING, _read_or_skip(size - 9)
        head = bytes(_head)
        return head + _read_or_skip(size - 9), None
    return _read_or_skip(size), None


def _fill(buffer, size):
    if _rx.readinto(buffer, size) != size:
        raise SystemExit


def _read_or_skip(size):
    """Half a reply left unread would be taken for the next one."""
    try:
        return _read(size)
    except MemoryError:
        gc.collect()
    try:
        return _read(size)
    except MemoryError:
        while size:
            piece = min(size, len(_head))
            _fill(_head, piece)
            size -= piece
        raise


def call(*request):
    """Perform operation `request[0]` with the arguments that follow; return its result or raise what the bench says."""
    tail = request[-1]
    if isinstance(tail, (bytes, bytearray, memoryview)) and len(tail) > _LARGE:
        # A picture is not copied on a board either.
        _tx.write(_codec.frame_but_tail(request))
        _tx.write(tail)
    else:
        _tx.write(_codec.frame(request))
    data, whole = _reply()
    reply, _ = _codec.decode(data, _REPLY_AT)
    if whole is not None:
        return whole
    if reply[0]:
        return reply[1]
    kind, number, message = reply[1], reply[2], reply[3]
    error = _ERRORS[kind]
    if number is None:
        raise error(message)
    raise error(number, message)
