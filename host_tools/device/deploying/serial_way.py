"""The way to a board's drive over its serial port: the raw REPL, and an agent the board is given for the time.

Contents go compressed (zlib) and in base64, for the REPL takes text. A link that is lost in the midst of a command
leaves the board at its prompt, with the command not begun: what must happen whole is one command.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from host_tools.device.console.raw_repl import BoardRaised, RawRepl
from host_tools.device.deploying import manifest
from host_tools.device.deploying.packing import packed, without_comments
from host_tools.device.deploying.way import Differences, Kept, OnBytes, take_up
from host_tools.device.errors import (
    CutShort,
    DeviceError,
    DriveDamaged,
    DriveFull,
    DriveReadOnly,
    LinkLost,
    NotVerified,
)
from host_tools.device.finding import boot_out
from host_tools.settings_toml import NAME as SETTINGS

# Uncompressed bytes a command carries: the board holds them, and their text, in a heap of 100 KB.
PIECE = 4096
# Text of commands that are sent together, so that a small file is one exchange.
COMMAND = 6000
# Files that one command copies.
NAMES = 16
# For 4 MB of flash to be formatted, and the board to boot.
ERASED_S = 60.0
_AGENT = Path(__file__).parent / "on_board" / "agent.py"


class SerialWay:
    """repl: in its raw mode."""

    def __init__(self, repl: RawRepl) -> None:
        self.name = repl.port
        self._repl = repl
        self._table = ""

    def __enter__(self) -> Self:
        try:
            self._give_agent()
        except BaseException as error:
            # `with` leaves only what it has entered.
            self.__exit__(type(error), error, None)
            raise
        return self

    def _give_agent(self) -> None:
        agent = packed(without_comments(_AGENT.read_text(encoding="utf-8")).encode())
        imports = "from zlib import decompress\nfrom binascii import a2b_base64\n"
        self._exec(f"{imports}exec(decompress(a2b_base64({agent!r})))")

    def erase_drive(self, lose_settings: bool) -> None:
        """The board resets in it. What is in settings.toml lies in a file of this computer until it is back."""
        self._exec("import storage")
        if self._repl.ask("storage.getmount('/').readonly"):
            raise DriveReadOnly(
                f"{self.name}: the board may not write to its drive while a computer may, and settings.toml would be"
                " lost: save it from the drive, make the drive anew in the REPL (`import storage;"
                " storage.erase_filesystem()`), deploy to the drive that comes back, and put settings.toml on it"
            )
        settings = self._settings(lose_settings)
        with self._saved(settings):
            self._repl.exec_and_reset("storage.erase_filesystem()", ERASED_S)
            self._give_agent()
            if settings:
                self.write(SETTINGS, settings, lambda _: None)
                if self.hashes([SETTINGS]) != {SETTINGS: hashlib.sha256(settings).hexdigest()}:
                    raise NotVerified(f"{self.name}: settings.toml reads back otherwise")
            self.settle()

    def _settings(self, lose: bool) -> bytes:
        try:
            take_up(self, SETTINGS)
            size = self.sizes([SETTINGS]).get(SETTINGS, 0)
            settings = self._read(SETTINGS, 0, size)
            if len(settings) == size:
                return settings
        except DriveDamaged:
            # It is to be erased for that very reason.
            pass
        if lose:
            return b""
        raise DriveDamaged(
            f"{self.name}: settings.toml cannot be read whole and would be lost: add --lose-settings, and run"
            " `stoa config` afterwards"
        )

    @contextlib.contextmanager
    def _saved(self, settings: bytes) -> Iterator[None]:
        """A file of its owner's alone holds them meanwhile. Whatever goes wrong, it stays, and the error says where."""
        where = ""
        if settings:
            handle, name = tempfile.mkstemp(prefix="stoa-settings-", suffix=".toml")
            where = f". What was in {SETTINGS} is in {name} on this computer"
            with open(handle, "wb") as file:
                file.write(settings)
                file.flush()
                os.fsync(file.fileno())
        broke_off = "broke off as the drive was made anew, and it may be empty: deploy again"
        try:
            yield
        except KeyboardInterrupt:
            raise CutShort(f"{self.name}: {broke_off}{where}") from None
        except LinkLost:
            raise LinkLost(f"{self.name}: the link {broke_off}{where}") from None
        except Exception as error:
            raise DeviceError(f"{self.name}: {broke_off} ({error}){where}") from error
        if settings:
            os.unlink(name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._repl.let_go(error)

    def boot_out(self) -> boot_out.BootOut | None:
        return boot_out.parse(self.read("boot_out.txt", 0, boot_out.SIZE).decode("utf-8", "replace"))

    def free(self) -> int:
        block, *_, free = self._ask("os.statvfs('/')[0:4]")
        return int(block) * int(free)

    def sizes(self, paths: Sequence[str]) -> dict[str, int]:
        found = self._ask(f"[size('/'+p) for p in {list(paths)!r}]")
        return {path: size for path, size in zip(paths, found, strict=True) if size is not None}

    def read(self, path: str, at: int, size: int) -> bytes:
        try:
            return self._read(path, at, size) if path in self.sizes([path]) else b""
        except DriveDamaged:
            return b""

    def _read(self, path: str, at: int, size: int) -> bytes:
        found = b""
        while len(found) < size:
            step = min(PIECE, size - len(found))
            said = self._change(path, f"show({'/' + path!r},{at + len(found)},{step})")
            piece = base64.b64decode(said[-1]) if said else b""
            found += piece
            if len(piece) < step:
                break
        return found

    def hashes(self, paths: Sequence[str]) -> dict[str, str]:
        found = self._ask(f"[sha('/'+p) if size('/'+p) is not None else '' for p in {list(paths)!r}]")
        return {path: str(hashed) for path, hashed in zip(paths, found, strict=True) if hashed}

    def compare(self, folder: str, wanted: Mapping[str, Kept], on_bytes: OnBytes) -> Differences:
        table = "\n".join(f"{wanted[path].sha256[:16]} {path}" for path in sorted(wanted))
        if table != self._table:
            self._exec(f"want({packed(table.encode())!r})")
            self._table = table
        found = Differences({}, {})
        lines = self._change(folder, f"compare({'/' + folder!r},{manifest.NAME!r})", _counted(on_bytes))
        for line in lines:
            kind, size, path = [*line.split(" ", 2), ""][:3]
            if kind == "-":
                found.unwanted[path] = int(size)
            elif kind != "+":
                found.missing[path] = int(size)
        return found

    def digest(self, folder: str, on_bytes: OnBytes) -> str:
        command = f"digest({'/' + folder!r},{manifest.NAME!r})"
        return self._change(folder, command, _counted(on_bytes))[-1]

    def write(self, path: str, content: bytes, on_bytes: OnBytes) -> None:
        command, carried = f"begin({'/' + path!r})", 0
        for at in range(0, len(content), PIECE):
            piece = content[at : at + PIECE]
            more = f";add({packed(piece)!r})"
            if len(command) + len(more) > COMMAND:
                self._change(path, command)
                on_bytes(carried)
                command, carried = "", 0
            command, carried = (command + more).lstrip(";"), carried + len(piece)
        self._change(path, command + ";end()")
        on_bytes(carried)

    def seal(self, folder: str, first_line: str, files: Mapping[str, Kept]) -> None:
        # The board has the lines from its `digest`: half a second of 115,200 baud that need not be.
        del files
        path = f"{folder}/{manifest.NAME}"
        self._change(path, f"seal({'/' + path!r},{first_line!r})")

    def copy(self, source: str, target: str) -> None:
        self._change(target, f"copy({'/' + source!r},{'/' + target!r})")

    def copy_all(self, source: str, target: str, paths: Sequence[str], on_bytes: OnBytes) -> None:
        for at in range(0, len(paths), NAMES):
            names = list(paths[at : at + NAMES])
            self._change(target, f"copy_all({'/' + source!r},{'/' + target!r},{names!r})", _counted(on_bytes))

    def overwrite(self, path: str, at: int, block: bytes) -> None:
        self._change(path, f"place({'/' + path!r},{at},{packed(block)!r})")

    def rename(self, source: str, target: str) -> None:
        self._change(target, f"rename({'/' + source!r},{'/' + target!r})")

    def remove(self, path: str) -> None:
        self._change(path, f"remove({'/' + path!r})")

    def prune(self, folder: str) -> None:
        self._change(folder, f"prune({'/' + folder!r})")

    def settle(self) -> None:
        self._change("", "os.sync()")

    def _change(self, path: str, command: str, on_line: Callable[[str], None] | None = None) -> list[str]:
        try:
            return self._exec(command, on_line)
        except BoardRaised as error:
            raise self._told(path, error) from None

    def _told(self, path: str, error: BoardRaised) -> DeviceError:
        if error.number == errno.EROFS:
            return DriveReadOnly(
                f"{self.name}: the drive is read-only to the board while a computer may have it by USB: deploy to the"
                " drive itself, `stoa deploy FOLDER`, where it is mounted"
            )
        # EINVAL: a folder lists names that no file can have.
        if error.number in (errno.EIO, errno.ENODEV, errno.EINVAL):
            return DriveDamaged(
                f"{self.name}: the drive is damaged at /{path}: its power failed as it was written. `stoa deploy"
                " --erase-drive` makes it anew and keeps settings.toml; the display still has its token in nvm"
            )
        if error.number == errno.ENOSPC:
            return DriveFull(f"{self.name}: the drive is full at {path}: remove files of your own, and deploy again")
        return DeviceError(f"{self.name}: {path}: the board says {error}")

    def _ask(self, expression: str) -> list[int]:
        try:
            found: list[int] = list(self._repl.ask(expression))
        except BoardRaised as error:
            raise self._told("", error) from None
        return found

    def _exec(self, command: str, on_line: Callable[[str], None] | None = None) -> list[str]:
        lines: list[str] = []
        text = bytearray()

        def on_byte(byte: bytes) -> None:
            text.extend(byte.replace(b"\x04", b""))
            if byte == b"\n":
                line = text.decode("utf-8", "replace").strip()
                text.clear()
                if line:
                    lines.append(line)
                    if on_line is not None:
                        on_line(line)

        self._repl.exec(command, on_byte)
        return lines


def _counted(on_bytes: OnBytes) -> Callable[[str], None]:
    """What tells of the agent's progress."""

    def on_line(line: str) -> None:
        if line.startswith("+"):
            on_bytes(int(line[1:]))

    return on_line
