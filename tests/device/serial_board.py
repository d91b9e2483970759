"""A CircuitPython board on a pseudo-terminal: its REPL is a real MicroPython VM, its drive a FAT image on flash.

The VM (repl_program.py) parses, runs and raises. What is here is the board around it: what CircuitPython's main loop
does between two runs of the VM, the drive, the wire with its speed, and the ways to lose it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import select
import signal
import socket
import threading
import time
import tty
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from host_tools.device_libraries import cache_folder, on_board_path
from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.flash import Flash
from host_tools.virtual_board.link import DeviceFault, Link, LinkClosed, LinkStalled
from host_tools.virtual_board.peripherals.drive import Drive
from host_tools.virtual_board.power import Cut, PowerLost, Supply
from host_tools.virtual_board.runtimes.micropython import MicroPythonRuntime, find_micropython
from host_tools.virtual_board.runtimes.process import ENVIRONMENT, LINK_IN, LINK_OUT

PROGRAM = Path(__file__).with_name("repl_program.py")
# As locale/*.po have it in CircuitPython 10.3.
LANGUAGES: Mapping[str, Mapping[str, Any]] = {
    "en_US": {
        "reload": "soft reboot",
        "banner": "Adafruit CircuitPython 10.3.1 on 2026-08-20; Virtual board with ESP32",
        "any_key": "Press any key to enter the REPL. Use CTRL-D to reload.",
        "errno": {
            2: "No such file/directory",
            17: "File exists",
            28: "No space left on device",
            30: "Read-only filesystem",
        },
    },
    "de_DE": {
        "reload": "weicher reboot",
        "banner": "Adafruit CircuitPython 10.3.1 am 2026-08-20; Virtual board mit ESP32",
        "any_key": "Drücke eine Taste um dich mit der REPL zu verbinden. Drücke Strg-D zum neu laden.",
        "errno": {
            2: "Keine solche Datei/Verzeichnis",
            17: "Datei existiert",
            28: "Kein Speicherplatz mehr",
            30: "Schreibgeschützt",
        },
    },
    "ja": {
        "reload": "ソフトリブート",
        "banner": "Adafruit CircuitPython 10.3.1 on 2026-08-20; Virtual board with ESP32",
        "any_key": "何らかのキーを押すとREPLに入ります。CTRL-Dでリロード。",
        "errno": {
            2: "ファイル/ディレクトリがありません",
            17: "ファイルが存在します",
            28: "空き容量がありません",
            30: "読み込み専用",
        },
    },
}
# What changes the drive, or reads it: where the cable may be pulled.
CHANGES = ("fs.open", "fs.write", "fs.mkdir", "fs.remove", "fs.rename", "fs.close")


@dataclass
class SerialBoard:
    """`port` is the pseudo-terminal's name while the context lasts.

    flash: the drive, formatted if it is blank. language: a key of LANGUAGES. usb_attached: a computer has the drive.
    buffer: of the port, bytes: more in one go, without a word from the board, are lost (USB-Serial-JTAG has 128).
    micropython: be a MicroPython board instead, where mpremote works: os.ilistdir, its hashlib, its errors.
    asleep: answers nothing before `wake`. runs: what code.py prints, line by line; crashes: it ends so, and the board
    begins anew each second. baud: of the line, or None for as quick as it goes. pull_at: at which of CHANGES, from 1,
    the cable goes. cut: when its power goes. on_change: called with the number of each of CHANGES, before it is made.
    reloaded: set when it has left its REPL, and runs code.py again. watchdog: the mode it was left in. compiles_s: so
    long an interrupt can still come before storage.erase_filesystem() is called, and ends it there.
    """

    flash: Flash
    language: str = "en_US"
    usb_attached: bool = False
    asleep: bool = False
    runs: tuple[str, ...] = ("stoa wake by=boot",)
    crashes: bool = False
    baud: int | None = None
    pull_at: int = 0
    cut: Cut | None = None
    buffer: int = 0
    heap: str = "128k"
    micropython: bool = False
    on_change: Callable[[int], None] = lambda number: None
    changes: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    received: int = 0
    boots: int = 0
    reloaded: threading.Event = field(default_factory=threading.Event)
    overruns: int = 0
    watchdog: str | None = None
    compiles_s: float = 0.2

    def __enter__(self) -> SerialBoard:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._woken = threading.Event()
        self._over = threading.Event()
        self._interrupted = threading.Event()
        if not self.asleep:
            self._woken.set()
        self.supply = Supply(self.cut)
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._woken.set()
        self._unplug()
        self._thread.join(10)
        assert not self._thread.is_alive(), "the double hangs"

    def wake(self) -> None:
        """What its button or its alarm does."""
        self._woken.set()

    def _unplug(self) -> None:
        for end in (self._slave, self._master):
            with contextlib.suppress(OSError):
                os.close(end)

    def _live(self) -> None:
        self._woken.wait()
        try:
            while not self._over.is_set():
                self.boots += 1
                if self._run_code():
                    self._repl()
        except _Unplugged:
            pass
        except OSError:
            if not self._over.is_set():
                raise

    # --- code.py, as far as a computer on the cable sees it

    def _run_code(self) -> bool:
        """Whether the REPL is wanted now."""
        texts = LANGUAGES[self.language]
        self._say(f"\r\n{texts['banner']}\r\n")
        for line in self.runs:
            self._say(line + "\r\n")
        if self.crashes:
            self._say("Traceback (most recent call last):\r\nValueError: broken\r\n")
        ends = time.monotonic() + 1.0
        while not self.crashes or time.monotonic() < ends:
            heard = self._hear(0.05)
            if b"\x03" in heard:
                # What came before it is cleared.
                self._heard = heard.rpartition(b"\x03")[2]
                break
            if self._over.is_set():
                return False
        else:
            return False
        self._say("Traceback (most recent call last):\r\nKeyboardInterrupt: \r\n\r\n" + texts["any_key"] + "\r\n")
        while not self._over.is_set():
            heard = self._hear(0.05)
            if heard:
                # That key is eaten; Ctrl-D reloads.
                if heard[:1] == b"\x04":
                    return False
                self._heard = heard[1:] + self._heard
                return True
        return False

    _heard = b""
    _burst = 0
    _runs_a_command = False
    _erasing = False

    def _hear(self, timeout: float) -> bytes:
        if self._heard:
            heard, self._heard = self._heard, b""
            return heard

        if not select.select([self._master], [], [], timeout)[0]:
            return b""
        data = os.read(self._master, 4096)
        self.received += len(data)
        return data

    def _say(self, text: str) -> None:
        data = text.encode()
        self.sent += len(data)
        os.write(self._master, data)

    # --- the REPL, which is the VM's

    def _repl(self) -> None:
        runtime = MicroPythonRuntime(find_micropython(cache_folder()), self.heap)
        ours, theirs = socket.socketpair()
        to_vm, from_vm = os.pipe(), os.pipe()
        with TemporaryDirectory() as scratch, mounted(self.flash) as fat:
            process = _spawn(runtime.command(on_board_path(), Path(scratch)), to_vm[0], from_vm[1], theirs.fileno())
            theirs.close()
            os.close(to_vm[0])
            os.close(from_vm[1])
            running = threading.Event()
            wires = [
                threading.Thread(target=self._carry_in, args=(to_vm[1], running), daemon=True),
                threading.Thread(target=self._carry_out, args=(from_vm[0],), daemon=True),
            ]
            for wire in wires:
                wire.start()
            self.flash.supply = self.supply
            link = Link(ours)
            try:
                self._serve(link, fat)
            except _Reset:
                pass
            finally:
                self.flash.supply = None
                running.set()
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                link.close()
                for wire in wires:
                    wire.join(5)
                os.close(to_vm[1])
                os.close(from_vm[0])
        if self._erasing:
            self._erasing = False
            self.flash.content[:] = b"\xff" * len(self.flash.content)
            with mounted(self.flash):
                pass
        self.reloaded.set()

    def _erase(self) -> None:
        if self._interrupted.wait(self.compiles_s):
            raise DeviceFault("KeyboardInterrupt", "")
        # It resets in the midst of the call.
        self._erasing = True
        raise _Reset

    def _serve(self, link: Link, fat: Any) -> None:
        drive = Drive(fat, self.usb_attached, self.usb_attached).operations()
        program = f"TEXTS = {LANGUAGES[self.language]!r}\nMICROPYTHON = {self.micropython}\n".encode()
        program += PROGRAM.read_bytes()
        operations: dict[str, Callable[..., Any]] = {
            **drive,
            "supervisor.entry_points": lambda: ("/repl",),
            "nvm.size": lambda: 0,
            "watchdog.mode": lambda: self.watchdog,
            "watchdog.set_mode": self._set_watchdog,
            "watchdog.timeout": lambda milliseconds: None,
            "watchdog.feed": lambda: None,
            "repl.begin": lambda: self._commanded(True),
            "repl.end": lambda: self._commanded(False),
            "storage.erase_filesystem": self._erase,
        }
        while True:
            try:
                operation, arguments = link.receive(0.2)
            except LinkStalled:
                if self._over.is_set():
                    return
                continue
            except LinkClosed:
                return
            if operation == "supervisor.finished":
                return
            if operation == "fs.open" and arguments[0] == "/repl":
                link.reply(-1)
                continue
            if operation in ("fs.read", "fs.size", "fs.close") and arguments[0] == -1:
                at, size = (arguments[1], arguments[2]) if operation == "fs.read" else (0, 0)
                link.reply({"fs.read": program[at : at + size], "fs.size": len(program), "fs.close": None}[operation])
                continue
            if self._interrupted.is_set() and operation.startswith("fs."):
                self._interrupted.clear()
                link.fail(DeviceFault("KeyboardInterrupt", ""))
                continue
            if operation in CHANGES:
                self.changes.append((operation, str(arguments[0])))
                self.on_change(len(self.changes))
                if len(self.changes) == self.pull_at:
                    self._over.set()
                    self._unplug()
                    raise _Unplugged
            self.supply.begin_call(operation, arguments)
            fault, result = None, None
            try:
                handler = operations.get(operation)
                if handler is None:
                    raise DeviceFault("NotImplementedError", operation)
                result = handler(*arguments)
            except DeviceFault as raised:
                fault = raised
            except OSError as error:
                fault = DeviceFault("OSError", error.strerror or "EIO", error.errno or errno.EIO)
            except (LookupError, TypeError, ValueError) as error:
                fault = DeviceFault("ValueError", f"{operation}: {error}")
            try:
                self.supply.end_call()
            except PowerLost:
                self._over.set()
                self._unplug()
                raise _Unplugged from None
            if fault is None:
                link.reply(result)
            else:
                link.fail(fault)

    def interrupt(self) -> None:
        """As Ctrl-C does while a command runs: it ends at the board's next call."""
        self._interrupted.set()

    def _set_watchdog(self, mode: str | None) -> None:
        self.watchdog = mode

    def _commanded(self, begun: bool) -> None:
        self._runs_a_command = begun
        self._interrupted.clear()

    def _carry_in(self, to_vm: int, over: threading.Event) -> None:
        try:
            while not over.is_set():
                data = self._hear(0.05)
                if data:
                    self._pace(len(data))
                    if b"\x03" in data and self._runs_a_command:
                        # What came with it is thrown away.
                        self.interrupt()
                        continue
                    os.write(to_vm, self._buffered(data))
        except OSError:
            pass

    def _carry_out(self, from_vm: int) -> None:
        try:
            while data := os.read(from_vm, 256):
                self._burst = 0
                self._pace(len(data))
                self.sent += len(data)
                os.write(self._master, data)
        except OSError:
            pass

    def _buffered(self, data: bytes) -> bytes:
        """What of it the board gets to see, were it as slow as it may be."""
        if not self.buffer:
            return data
        kept = data[: max(0, self.buffer - self._burst)]
        self._burst += len(data)
        self.overruns += len(data) - len(kept)
        return kept

    def _pace(self, count: int) -> None:
        if self.baud:
            # Ten bits a byte.
            time.sleep(count * 10 / self.baud)


class _Unplugged(Exception):
    pass


class _Reset(Exception):
    pass


def _spawn(command: list[str], stdin: int, stdout: int, link: int) -> int:
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (stdin, stdout, link)]
    dup2 = os.POSIX_SPAWN_DUP2
    try:
        return os.posix_spawn(
            command[0],
            command,
            ENVIRONMENT,
            file_actions=[
                (dup2, ends[0], 0),
                (dup2, ends[1], 1),
                (dup2, ends[1], 2),
                (dup2, ends[2], LINK_IN),
                (dup2, ends[2], LINK_OUT),
            ],
        )
    finally:
        for end in ends:
            os.close(end)
