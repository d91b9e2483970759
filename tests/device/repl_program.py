"""The REPL of the serial double, run by the real MicroPython VM: CircuitPython's protocol over stdin and stdout.

The VM parses, compiles, runs and raises; here is what CircuitPython's shared/runtime/pyexec.c does: friendly and raw
REPL, raw paste with a window of 128, errors with "[Errno N]" and words. The double puts TEXTS in front.
"""

import builtins
import hashlib
import io
import sys

import _link
import deflate

# ruff: noqa: F821
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
BANNER = b"raw REPL; CTRL-B to exit\r\n"
PROMPT = b">>> "
WINDOW = 128


class Sha256:
    """CircuitPython's hashlib has `new`, and objects with update, digest and digest_size."""

    digest_size = 32

    def __init__(self):
        self._hash = _sha256()

    def update(self, data):
        self._hash.update(data)

    def digest(self):
        return self._hash.digest()


class Module:
    """What is missing in MicroPython's own; a class's methods cannot be imported by name, an object's functions can."""


def new_hash(name, data=b""):
    if name != "sha256":
        raise ValueError("Unsupported hash algorithm")
    made = Sha256()
    made.update(data)
    return made


def decompress(data, wbits=0):
    return deflate.DeflateIO(io.BytesIO(data), deflate.ZLIB, wbits).read()


def ilistdir(path="."):
    import os

    for name in os.listdir(path):
        mode, *_ = os.stat(path.rstrip("/") + "/" + name)
        yield name, mode, 0


_sha256 = hashlib.sha256
if MICROPYTHON:
    import os

    absolute = os._absolute
    os.ilistdir = ilistdir
    # mpremote begins with the present folder, which FatFs takes and its binding here does not.
    os._absolute = lambda path: absolute("/" if path in (".", "") else path[2:] if path.startswith("./") else path)
else:
    hashlib = sys.modules["hashlib"] = Module()
    hashlib.new = new_hash
    zlib = sys.modules["zlib"] = Module()
    zlib.decompress = decompress


def print_exception(error):
    told = io.StringIO()
    sys.print_exception(error, told)
    text = told.getvalue()
    if isinstance(error, OSError) and error.errno and not MICROPYTHON:
        words = TEXTS["errno"].get(error.errno, "")
        text = text.rsplit("\nOSError: ", 1)[0] + f"\nOSError: [Errno {error.errno}] {words}\n"
    stdout.write(text.replace("\n", "\r\n").encode())


class Console:
    """What the program prints, with the line ends of a terminal."""

    def write(self, text):
        stdout.write(text.replace("\n", "\r\n").encode())
        return len(text)


def board_print(*values, sep=" ", end="\n"):
    stdout.write((sep.join(str(value) for value in values) + end).replace("\n", "\r\n").encode())


builtins.print = board_print
space = {"__name__": "__main__"}


_link._ERRORS["KeyboardInterrupt"] = KeyboardInterrupt


def run(source):
    _link.call("repl.begin")
    try:
        exec(compile(source, "<stdin>", "exec"), space)
    except SystemExit:
        pass
    except BaseException as error:
        return error
    finally:
        _link.call("repl.end")
    return None


def raw_run(source):
    """After "OK": output, end, error, end, prompt."""
    error = run(source)
    stdout.write(b"\x04")
    if error is not None:
        print_exception(error)
    stdout.write(b"\x04>")


def raw_paste():
    stdout.write(b"R\x01" + bytes((WINDOW, 0)) + b"\x01")
    source, left = bytearray(), WINDOW
    while True:
        byte = stdin.read(1)
        if not byte:
            raise SystemExit
        if byte == b"\x03":
            return None
        if byte == b"\x04":
            stdout.write(b"\x04")
            return source
        source += byte
        left -= 1
        if left == 0:
            stdout.write(b"\x01")
            left = WINDOW


def raw():
    """Until Ctrl-B; True if Ctrl-D asked for a reload, after which it is the raw REPL again."""
    stdout.write(BANNER + b">")
    line = bytearray()
    while True:
        byte = stdin.read(1)
        if not byte:
            raise SystemExit
        if byte == b"\x01":
            if bytes(line) == b"\x05A":
                line = bytearray()
                source = raw_paste()
                if source is not None:
                    raw_run(str(source, "utf-8"))
                continue
            stdout.write(b"\r\n" + BANNER + b">")
            line = bytearray()
        elif byte == b"\x02":
            return
        elif byte == b"\x03":
            line = bytearray()
        elif byte == b"\x04":
            if not line:
                stdout.write(TEXTS["reload"].encode() + b"\r\n" + BANNER + b">")
                space.clear()
                space["__name__"] = "__main__"
                continue
            source, line = str(line, "utf-8"), bytearray()
            stdout.write(b"OK")
            raw_run(source)
        else:
            line += byte


def friendly():
    """Returns when Ctrl-D asks for code.py."""
    stdout.write(b"\r\n" + TEXTS["banner"].encode() + b"\r\n" + PROMPT)
    line = bytearray()
    while True:
        byte = stdin.read(1)
        if not byte:
            raise SystemExit
        if byte == b"\x01":
            raw()
            stdout.write(b"\r\n" + TEXTS["banner"].encode() + b"\r\n" + PROMPT)
            line = bytearray()
        elif byte == b"\x04" and not line:
            return
        elif byte in (b"\x02", b"\x03"):
            stdout.write(b"\r\n" + PROMPT)
            line = bytearray()
        elif byte in (b"\r", b"\n"):
            stdout.write(b"\r\n")
            source, line = str(line, "utf-8"), bytearray()
            error = run(source)
            if error is not None:
                print_exception(error)
            stdout.write(PROMPT)
        else:
            stdout.write(byte)
            line += byte


friendly()
