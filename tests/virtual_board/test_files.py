"""Files of the drive as the firmware reads and writes them, whatever is fetched ahead in between."""

import pytest

from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from host_tools.virtual_board.runtimes.micropython import MicroPythonRuntime
from tests.virtual_board.bare import bare_board

RUNTIMES = pytest.mark.parametrize("name", ["cpython", "micropython"])
WRITABLE = 'import storage\nstorage.remount("/", readonly=False)\n'
CONTENT = bytes(at * 7 % 251 for at in range(20000))
# What is read anywhere, forwards and backwards, across whatever is fetched at once, and at the end.
READS = """
content = bytes([at * 7 % 251 for at in range(20000)])
at = wrong = 0
with open("/box.bin", "rb") as file:
    for turn in range(300):
        at = (at * 31 + 517 * turn) % 20100
        size = (1, 16, 300, 513, 4097, 9000)[turn % 6]
        if turn % 3:
            file.seek(at)
        else:
            file.seek(at - file.tell(), 1)
        piece = file.read(size)
        wrong += piece != content[at : at + size] or file.tell() != at + len(piece)
    wrong += file.seek(-5, 2) != 19995 or file.read() != content[-5:] or file.read(1) != b""
    file.seek(0)
    wrong += file.read() != content
    buffer = bytearray(1000)
    file.seek(19500)
    wrong += file.readinto(buffer) != 500 or bytes(buffer[:500]) != content[-500:]
try:
    open("/box.bin", "rb").seek(-1)
except OSError as error:
    wrong += error.errno != 22
else:
    wrong += 1
print(wrong)
"""
WRITES = (
    WRITABLE
    + """
reader = open("/box.bin", "rb")
before = reader.read(4)
with open("/box.bin", "r+b") as file:
    file.seek(2)
    file.write(b"new")
    file.seek(0)
    during = file.read(6)
reader.seek(0)
after = reader.read(6)
with open("/box.bin", "ab") as file:
    end = file.tell()
    file.write(b"end")
with open("/box.bin", "rb") as file:
    file.seek(end)
    appended = file.read()
print(before == bytes([0, 7, 14, 21]), during == after == b"\\0\\7new\\x23", end, appended)
"""
)


@pytest.fixture
def board_of(request):
    def made(code, name):
        if name == "cpython":
            runtime = CPythonRuntime()
        else:
            runtime = MicroPythonRuntime(request.getfixturevalue("micropython"), "256k")
        board = bare_board(code, runtime=runtime)
        board.install({"box.bin": CONTENT})
        return board

    return made


@RUNTIMES
def test_what_is_read_is_what_is_there(board_of, name):
    assert board_of(READS, name).wake().console == ["0"]


@RUNTIMES
def test_what_is_written_is_what_is_read_next(board_of, name):
    assert board_of(WRITES, name).wake().console == ["True True 20000 b'end'"]


def test_a_module_is_one_call(board_of):
    board = board_of("import part", "cpython")
    board.install({"part.py": b"", "lib/part.py": b"raise ValueError"})
    loads = [call for call in board.wake().supply.calls if call[0] == "fs.load"]
    # boot.py, code.py, part.py.
    assert len(loads) == 3
