"""Boards whose vault is one that people build, and that loses the token: the campaign must say so of each.

Each is the firmware with a few lines added at the end of one file on the drive.
"""

from __future__ import annotations

from collections.abc import Mapping

from host_tools.bundle import SLOTS

_VAULT = """

_Whole = Vault


class Vault(_Whole):
    def __init__(self, nvm, open_file, owner):
        _Whole.__init__(self, {arguments}, owner)
"""

# Always the same slot.
_ONE_SLOT = """

_Both = Slots


class Slots(_Both):
    def write(self, sequence, payload, newest, risk_the_newest=False):
        return self._put(0, pack(self.magic, sequence, payload))
"""

_RENAME = """

_InPlace = Slots


class Slots(_InPlace):
    def write(self, sequence, payload, newest, risk_the_newest=False):
        import os

        path = self.paths[0]
        try:
            with self._open(path + ".new", "w+b") as file:
                file.write(b"\\xff" * SECTOR + pack(self.magic, sequence, payload))
            os.remove(path)
            os.rename(path + ".new", path)
        except OSError:
            return False
        return self._read_slot(0) is not None
"""

_NO_DRIVE = """

def _no_drive(path, mode):
    raise OSError(19, "ENODEV")
"""

# Name -> what is added to which file of the program.
KINDS: Mapping[str, Mapping[str, str]] = {
    # One medium: nvm, which each assignment erases whole.
    "nvm-alone": {"stoa/vault.py": _NO_DRIVE + _VAULT.format(arguments="nvm, _no_drive")},
    # One medium: a file, written in place.
    "file-alone": {"stoa/vault.py": _VAULT.format(arguments="None, open_file"), "stoa/slots.py": _ONE_SLOT},
    # The habit of desktop programs, with nvm beside it. The rename rewrites FAT and root directory.
    "temporary-and-rename": {"stoa/slots.py": _RENAME},
}


def spoil(kind: str, bundle: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the bundle that are other than they should be."""
    spoilt = {f"{SLOTS[0]}/{path}": added for path, added in KINDS[kind].items()}
    return {path: bundle[path] + added.encode() for path, added in spoilt.items()}
