"""What one wake leaves for the next in sleep memory: all of it can be lost, none of it needs flash.

Sleep memory survives deep sleep and resets, not power-off (alarm.sleep_memory, 2 to 4 KB by chip). The record is JSON
behind magic, length and CRC; noise, or another version's record, reads as an empty dict. The access token rests here
and nowhere else; the refresh token never does.
"""

import binascii
import json
import struct

MAGIC = b"StoS"
HEADER = "<4sHI"
HEADER_SIZE = struct.calcsize(HEADER)
# Dropped in this order when the record does not fit: each can be had again, at the price of a request.
EXPENDABLE = ("access", "endpoints", "grant")


def load(memory):
    """The dict last saved, or {}."""
    magic, length, crc = struct.unpack(HEADER, bytes(memory[:HEADER_SIZE]))
    if magic != MAGIC or length > len(memory) - HEADER_SIZE:
        return {}
    text = bytes(memory[HEADER_SIZE : HEADER_SIZE + length])
    if binascii.crc32(text) & 0xFFFFFFFF != crc:
        return {}
    return json.loads(text.decode())


def save(memory, state):
    """Write `state` in one assignment. Returns the keys that had to be left out, usually ()."""
    left_out = []
    state = dict(state)
    text = json.dumps(state).encode()
    for key in EXPENDABLE:
        if len(text) <= len(memory) - HEADER_SIZE:
            break
        if key in state:
            del state[key]
            left_out.append(key)
            text = json.dumps(state).encode()
    record = struct.pack(HEADER, MAGIC, len(text), binascii.crc32(text) & 0xFFFFFFFF) + text
    memory[: len(record)] = record
    return tuple(left_out)
