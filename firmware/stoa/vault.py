"""The refresh token's home: two media, so that a power cut at any instant leaves the old token or the new one.

Neither medium is safe alone. Espressif's nvm is erased whole at every assignment (CircuitPython
ports/espressif/common-hal/nvm/ByteArray.c), and a cut there loses all of it; files on CIRCUITPY cannot be written
while a computer may hold the drive. So the files come first (slots.py: two, of which one is written), are read back,
and only then is nvm assigned, once.

Each copy has a sequence number, a CRC, and the mark of whom the token is for. `load` takes the newest whole one
wherever it lies.
"""

import binascii
import struct

from stoa import slots

PATHS = ("/vault-a/token.bin", "/vault-b/token.bin")
MAGIC = b"StoT"
# Opaque refresh tokens have 40 to 200 characters; those that are JWTs (Keycloak, Dex) reach thousands.
CAPACITY = 4096
OWNER_SIZE = 4
# What the vault takes of nvm, from its first byte. Pinned: another size would orphan every token in the field.
NVM_SIZE = slots.HEADER_SIZE + OWNER_SIZE + CAPACITY
# Of nvm, looked at in one.
PIECE = 512


def owner(issuer, client_id):
    """The mark of the account a token belongs to (RFC 6749 section 10.4: bound to the client it was issued to).

    Shown to another server, or by another client, a good token earns an honest invalid_grant, and would be deleted.
    """
    account = issuer.rstrip("/") + "\n" + client_id
    return struct.pack("<I", binascii.crc32(account.encode()) & 0xFFFFFFFF)


def initial_file():
    """The content of each preallocated file, for the deploy."""
    return slots.Slots(None, PATHS, MAGIC, OWNER_SIZE + CAPACITY).initial_file()


# CircuitPython says "Unable to write to nvm." as a RuntimeError (shared-bindings/nvm/ByteArray.c).
NVM_ERRORS = (OSError, RuntimeError)


class Vault:
    """One refresh token.

    nvm         a bytearray-like of at least NVM_SIZE bytes, or None where the board has none
    open_file   the built-in open, or a stand-in
    owner       whom the token is for, from owner(); another's token is as good as none, and is kept until replaced

    `held_by` names the media that hold the newest token, of "file" and "nvm", as of the last call. With one name the
    token is safe while nothing is written; with none it is lost when the power goes.
    """

    def __init__(self, nvm, open_file, owner):
        self._nvm = nvm if nvm is not None and len(nvm) >= NVM_SIZE else None
        self._files = slots.Slots(open_file, PATHS, MAGIC, OWNER_SIZE + CAPACITY)
        self._owner = owner
        self.held_by = ()

    def load(self):
        """The newest token, a str, or None."""
        newest = self._newest()
        # A record without a token says that there is none any more (clear).
        if newest is None or newest[1][:OWNER_SIZE] != self._owner or len(newest[1]) == OWNER_SIZE:
            return None
        return newest[1][OWNER_SIZE:].decode()

    def store(self, token):
        """Keep `token`, and return the media that hold it now.

        Writes only what does not hold it yet. Raises ValueError for a token longer than CAPACITY bytes.
        """
        payload = self._owner + token.encode()
        if not 0 < len(payload) - OWNER_SIZE <= CAPACITY:
            raise ValueError("token of %d bytes" % (len(payload) - OWNER_SIZE))
        newest = self._newest()
        nvm_has_the_last = "nvm" in self.held_by
        sequence, slot = 0, None
        if newest is not None:
            sequence, kept, slot = newest
            if kept != payload:
                sequence = slots.following(sequence)
                self.held_by = ()
        held = []
        if "file" in self.held_by or self._files.write(sequence, payload, slot, nvm_has_the_last):
            held.append("file")
        if "nvm" in self.held_by or self._write_nvm(slots.pack(MAGIC, sequence, payload)):
            held.append("nvm")
        if not held and self._files.write(sequence, payload, slot, True):
            # One slot is left, and nothing beside it: a write at risk, or a token that is surely lost.
            held.append("file")
        self._files.close()
        self.held_by = tuple(held)
        return self.held_by

    def clear(self):
        """Wipe every copy. Returns the media that could not be wiped, () when none holds anything any more.

        While a computer has the drive the files keep what they hold. nvm then gets a newer record without a token, or
        an older one would come back from there, and be presented where it was rotated away.
        """
        newest = self._newest()
        if newest is not None and self._nvm is not None and not self._files.can_be_cleared():
            if "nvm" not in self.held_by or len(newest[1]) > OWNER_SIZE:
                tombstone = slots.pack(MAGIC, slots.following(newest[0]), self._owner)
                # To the end of the longest token: the old one's bytes go too.
                self._write_nvm(tombstone + b"\xff" * (NVM_SIZE - len(tombstone)))
            self._files.clear()
            self.held_by = ("file",)
            return self.held_by
        left = []
        # The medium with the newest token last: a cut in between must not bring back one that was rotated away.
        for medium in ("nvm", "file") if "file" in self.held_by else ("file", "nvm"):
            if not (self._files.clear() if medium == "file" else self._clear_nvm()):
                left.append(medium)
        self.held_by = tuple(left)
        return self.held_by

    def _clear_nvm(self):
        if self._nvm is None:
            return True
        blank = b"\xff" * NVM_SIZE
        return self._holds(blank) or self._write_nvm(blank)

    def _holds(self, data):
        # A piece at a time: all of it would be twice 4 KB more.
        for start in range(0, len(data), PIECE):
            if self._read_nvm(min(start + PIECE, len(data)), start) != data[start : start + PIECE]:
                return False
        return True

    def _newest(self):
        """(sequence, payload, slot of the newest in a file or None), or None; sets held_by."""
        in_file = self._files.read()
        in_nvm = self._read_record()
        newest = None
        for record in (in_file, in_nvm):
            if record is not None and (newest is None or slots.is_newer(record[0], newest[0])):
                newest = record[0], record[1]
        held = []
        if newest is not None and in_file is not None and in_file[:2] == newest:
            held.append("file")
        if newest is not None and in_nvm == newest:
            held.append("nvm")
        self.held_by = tuple(held)
        return None if newest is None else newest + (None if in_file is None else in_file[2],)

    def _read_record(self):
        """What nvm holds, as slots.unpack gives it. Its head first: all of it would be 4 KB for a token of 60 bytes."""
        head = self._read_nvm(slots.HEADER_SIZE)
        length = slots.payload_length(MAGIC, head)
        if length is None or length > OWNER_SIZE + CAPACITY:
            return None
        return slots.unpack(MAGIC, self._read_nvm(slots.HEADER_SIZE + length))

    def _write_nvm(self, data):
        # One assignment: each is an erase of the whole.
        if self._nvm is None:
            return False
        try:
            self._nvm[: len(data)] = data
        except NVM_ERRORS:
            return False
        return self._holds(data)

    def _read_nvm(self, end, start=0):
        """Its bytes from `start` to `end`; none where it cannot be read or is not there: it holds nothing then."""
        try:
            return b"" if self._nvm is None else bytes(self._nvm[start:end])
        except NVM_ERRORS:
            return b""
