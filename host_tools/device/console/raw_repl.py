"""The raw REPL of a CircuitPython board on a serial port: mpremote's transport, where CircuitPython differs from it.

What differs (CircuitPython 10.3, shared/runtime/pyexec.c and main.c; reference/boards-and-tools.md section 4): Ctrl-D
reloads and says so in the build's language, so nothing here waits for "soft reboot"; an OSError is told as
"[Errno 2] No such file/directory", the words in the build's language; there is no os.ilistdir; and the USB-Serial-JTAG
of an ESP32-C3 has a ring buffer of 128 bytes, which raw paste overruns (circuitpython#8658).
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from host_tools.device.console.board_reset import pull_reset_line
from host_tools.device.errors import DeviceError, LinkLost, NoBoard
from host_tools.device.opening import OPENING_ERRORS, set_line, why_not_open

BANNER = b"raw REPL; CTRL-B to exit\r\n>"
PROMPT = b">>> "
INTERRUPT, RAW, FRIENDLY, RELOAD = b"\x03", b"\x01", b"\x02", b"\x04"
# A call into flash is not interrupted before its end.
LEAVE_S = 4.0
# For the REPL's answer, whatever else is said meanwhile: a boot loop and a GPS are never silent.
PROMPT_S = 1.0
# Between two tries to interrupt a board that boots, or whose program is in a call.
ASK_AGAIN_S = 0.25
# USB has latencies of some 16 ms.
QUIET_S = 0.1
# Nothing the agent does on a board takes so long without a word.
SILENCE_S = 20.0
# A board takes nothing while it writes flash: six sectors at 400 ms (W25Q32JV, the longest erase). A program that never
# reads takes nothing once the buffers are full.
WRITE_S = 5.0
# A command that a ring buffer of 128 bytes takes whole, with what the host may send before it.
SMALL_STEP = 60
# From the release of the reset line to the chip's having read its pins.
RESET_S = 0.1
# A name that a reset takes away.
_MARK = "_before_reset"
_ERRNO = re.compile(r"OSError: (?:\[Errno )?(\d+)")


class BoardRaised(DeviceError):
    """The board's Python raised something; number: of the OSError it was, or None."""

    def __init__(self, message: str, number: int | None) -> None:
        super().__init__(message)
        self.number = number


class NoRepl(NoBoard):
    """Something talks on the port, and does not answer as a REPL does."""


class RawRepl(SerialTransport):  # type: ignore[misc]
    """An open port. small_steps: for USB-Serial-JTAG. PortInUse, or NoBoard if there is no such port."""

    def __init__(self, port: str, small_steps: bool = False) -> None:
        self.port = port
        self.small_steps = small_steps
        try:
            super().__init__(port, timeout=SILENCE_S)
        except (TransportError, *OPENING_ERRORS) as error:
            raise why_not_open(port, error) from None
        self.serial.write_timeout = WRITE_S
        # A ring buffer of 128 bytes; the others have flow control.
        self.use_raw_paste = not small_steps

    def enter_raw_repl(self, soft_reset: bool = False, timeout_overall: float = 10.0) -> None:
        """Interrupt whatever runs. NoBoard if nobody answers in `timeout_overall` seconds; NoRepl."""
        with self._link():
            ends = time.monotonic() + timeout_overall
            while True:
                with suppress(serial.SerialTimeoutException):
                    # The second one, for "press any key" eats one.
                    self.serial.write(b"\r" + INTERRUPT + INTERRUPT + b"\r" + RAW)
                heard = self.read_until(1, BANNER, timeout=ASK_AGAIN_S, timeout_overall=PROMPT_S)
                if heard.endswith(BANNER) and self._has_its_prompt_next():
                    self.in_raw_repl = True
                    return
                if time.monotonic() > ends:
                    break
        # What is silent by now has said its last word before it sleeps, or as it booted.
        if heard:
            raise NoRepl(
                f"something talks on {self.port}, and it is no REPL of CircuitPython: press RESET if its program takes"
                " no Ctrl-C; if there is no CircuitPython on it yet, put it there: `stoa flash`"
            )
        raise NoBoard(f"nothing answers on {self.port}")

    def _has_its_prompt_next(self) -> bool:
        """After the banner. The prompt is left, for the next command looks for it."""
        # Banners of other tries may be on their way.
        self._hear(QUIET_S)
        self.serial.write(b"\r" + RAW)
        wanted = BANNER[:-1]
        return self.read_until(1, wanted, timeout=PROMPT_S, timeout_overall=PROMPT_S).endswith(wanted)

    def _hear(self, silence_s: float) -> bytes:
        """What comes, until nothing has come for so long; PROMPT_S at most, but for one more silence."""
        ends = time.monotonic() + PROMPT_S
        self.serial.timeout = silence_s
        try:
            heard = bytearray()
            while time.monotonic() < ends and (some := self.serial.read(max(1, self.serial.in_waiting))):
                heard += some
            return bytes(heard)
        finally:
            self.serial.timeout = SILENCE_S

    def reset_board(self) -> None:
        """Pull the reset line, where the port has one (UART bridges, USB-Serial-JTAG); the board boots."""
        with self._link():
            pull_reset_line(self.serial)
            # A console on native USB is silent without DTR; up too soon, it would start a bootloader elsewhere.
            time.sleep(RESET_S)
            set_line(self.serial, "dtr", True)

    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = SILENCE_S,
        data_consumer: Callable[[bytes], None] | None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """As SerialTransport's, which polls for a byte each 10 ms: here all that has come is looked at.

        timeout: of silence. timeout_overall: of one that talks on.
        """
        del min_num_bytes
        ends = None if timeout_overall is None else time.monotonic() + timeout_overall
        before = self.serial.timeout
        self.serial.timeout = timeout
        found = bytearray()
        try:
            while not found.endswith(ending) and (ends is None or time.monotonic() < ends):
                byte = self.serial.read(1)
                if not byte:
                    break
                found += byte
                if data_consumer is not None:
                    data_consumer(byte)
        finally:
            self.serial.timeout = before
        return bytes(found)

    def exec(self, command: str | bytes, data_consumer: Callable[[bytes], None] | None = None) -> bytes:
        """What the command printed. BoardRaised; LinkLost."""
        text = command if isinstance(command, str) else command.decode()
        with self._link():
            if self.small_steps and len(text) > SMALL_STEP:
                self._run("_c=''")
                for piece in _pieces(text, SMALL_STEP - len("_c+=''")):
                    self._run("_c+=" + piece)
                text = "exec(_c)"
            return self._run(text, data_consumer)

    def _run(self, command: str, data_consumer: Callable[[bytes], None] | None = None) -> bytes:
        said: bytes
        # Not SerialTransport's `exec`, which takes ten seconds of silence for a lost board.
        said, raised = self.exec_raw(command, SILENCE_S, data_consumer)
        if raised:
            text = raised.decode("utf-8", "replace")
            number = _ERRNO.search(text)
            raise BoardRaised(_last_line(text) or "an error", int(number[1]) if number else None)
        return said

    def ask(self, expression: str) -> Any:
        """The value of an expression on the board, a literal."""
        said = self.exec(f"print(repr({expression}))")
        with self._link():
            return ast.literal_eval(said.decode().strip())

    def begin(self, command: str) -> None:
        """Run what has no end to wait for. LinkLost."""
        with self._link():
            self.exec_raw_no_follow(command)

    def exec_and_reset(self, command: str, seconds: float) -> None:
        """Run what ends in a reset, and interrupt the board that comes back within `seconds`.

        NoBoard; LinkLost; DeviceError if it was no reset.
        """
        self.exec(f"{_MARK}=1")
        self.begin(command)
        with self._link():
            # The command is acknowledged before it is compiled: an interrupt at once would end it at its first step.
            said = self._hear(PROMPT_S)
        self.enter_raw_repl(timeout_overall=seconds)
        if self.ask(f"{_MARK!r} in globals()"):
            why = _last_line(said.replace(b"\x04", b"\n").decode("utf-8", "replace").rstrip(">"))
            raise DeviceError(f"{self.port}: the board did not reset ({why or 'interrupted'}): do the same again")

    def leave(self) -> None:
        """Out of the REPL: the board runs its program anew."""
        with self._link():
            ends = time.monotonic() + LEAVE_S
            while time.monotonic() < ends:
                # One after another: with an interrupt a board throws away what came with it (UART.c,
                # tud_cdc_n_read_flush).
                self.serial.write(b"\r" + INTERRUPT)
                self._hear(QUIET_S)
                self.serial.write(FRIENDLY)
                if self.read_until(1, PROMPT, timeout=PROMPT_S, timeout_overall=PROMPT_S).endswith(PROMPT):
                    break
            self.serial.write(RELOAD)
            self.in_raw_repl = False

    def let_go(self, error: BaseException | None = None) -> None:
        """Close the port. A board that may be in its REPL runs its program anew. error: what led here."""
        # Another Ctrl-C does not hide what the first error has to say.
        hidden = (LinkLost,) if error is None else (LinkLost, KeyboardInterrupt)
        try:
            if not isinstance(error, LinkLost):
                with suppress(*hidden):
                    self.leave()
        finally:
            self.close()

    def close(self) -> None:
        try:
            super().close()
        except (OSError, serial.SerialException):
            # The port is gone already.
            self.serial.close()

    @contextmanager
    def _link(self) -> Iterator[None]:
        try:
            yield
        except (OSError, serial.SerialException, TransportError, ValueError, LookupError, SyntaxError) as error:
            # ValueError, LookupError, SyntaxError: an answer is taken apart that never came, or is noise.
            raise LinkLost(
                f"{self.port} does not answer any more ({error or type(error).__name__}): check the cable and do the"
                " same again, it goes on from where it was; the board runs what it ran before once it is reset"
            ) from None


def _last_line(text: str) -> str:
    """ "" if none says anything."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")


def _pieces(text: str, size: int) -> Iterator[str]:
    """`text` as Python literals of at most `size` characters and two quotes, each."""
    piece = ""
    for character in text:
        if len(repr(piece + character)) - 2 > size:
            yield repr(piece)
            piece = ""
        piece += character
    yield repr(piece)
