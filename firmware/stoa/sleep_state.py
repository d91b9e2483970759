"""What one wake leaves for the next in sleep memory: all of it can be lost, none of it needs flash.

Sleep memory survives deep sleep and resets, not power-off (alarm.sleep_memory, 2 to 4 KB by chip). The record is JSON
behind magic, version, length and CRC; noise, or another version's record, reads as an empty dict. The access token
rests here and nowhere else; the refresh token never does.
"""

import binascii
import json
import struct

MAGIC = b"StoS\x01"
HEADER = "<5sHI"
HEADER_SIZE = struct.calcsize(HEADER)
# Dropped in this order when the record does not fit: each can be had again, at the price of a request.
EXPENDABLE = ("access", "endpoints", "quote", "grant", "glass")
# What it costs most to forget: when to leave a person, and a server, alone. A few hundred bytes.
ESSENTIAL = (
    "account",
    "asked",
    "ask_at",
    "push",
    "failures",
    "wakes",
    "clock_set_at",
    "corrected",
    "drift",
    "low_battery",
)


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
    """Write `state` in one assignment, as much of it as fits. Returns the keys that were left out, usually ()."""
    left_out = []
    state = dict(state)
    text = json.dumps(state).encode()
    for key in EXPENDABLE + tuple(state):
        if len(text) <= len(memory) - HEADER_SIZE:
            break
        if key in state and key not in ESSENTIAL:
            del state[key]
            left_out.append(key)
            text = json.dumps(state).encode()
    if len(text) > len(memory) - HEADER_SIZE:
        text = b"{}"
    record = struct.pack(HEADER, MAGIC, len(text), binascii.crc32(text) & 0xFFFFFFFF) + text
    memory[: len(record)] = record
    return tuple(left_out)


def has_code(state):
    """Whether there is a code that somebody was asked to answer, from this wake or from before a reset."""
    return bool(state.get("grant", {}).get("device_code"))


def code_is_good(state, now):
    """Whether there is one, and it can still be answered."""
    return has_code(state) and state["grant"].get("expires_at", 0) > now


def essence(state):
    """The part of a state worth keeping when the rest may be what went wrong."""
    return {key: state[key] for key in ESSENTIAL if key in state}
