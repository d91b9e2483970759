"""Power that fails: at a hardware call, or within a flash operation."""

import os

import pytest

from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.flash import ERASE_SECTOR
from host_tools.virtual_board.power import Cut, CutSyntaxError, FlashOperation, torn
from host_tools.virtual_board.wake import FINISHED, POWER_LOST
from tests.virtual_board.bare import bare_board

OLD, NEW = b"o" * 64, b"n" * 64
# Two media; the file is as long as an erase sector, and what is written spans two of its blocks.
WRITES = """
import alarm, microcontroller, rtc, storage, time
storage.remount("/", readonly=False)
alarm.sleep_memory[0:3] = b"old"
rtc.RTC().datetime = time.localtime(1772442000)
with open("/box/kept.bin", "r+b") as file:
    file.seek(4096)
    file.write(b"n" * 1024)
microcontroller.nvm[100:164] = b"n" * 64
print("done")
"""


@pytest.fixture
def board():
    made = bare_board(WRITES)
    made.install({"box/kept.bin": b"o" * 3 * ERASE_SECTOR})
    made.state.nvm[: len(made.state.nvm)] = b"o" * len(made.state.nvm)
    return made


@pytest.fixture
def uncut(board):
    before = board.state.copy()
    wake = board.wake()
    board.restore(before)
    assert wake.console == ["done"]
    return wake


def number_of(wake, operation):
    """The number of the first call of `operation`."""
    return next(number for number, (name, _) in enumerate(wake.supply.calls, 1) if name == operation)


def flash_number_of(wake, medium):
    return next(number for number, operation in enumerate(wake.supply.flash, 1) if operation.medium == medium)


def kept(board):
    with mounted(board.state.flash) as drive:
        return drive.read_file("/box/kept.bin")


@pytest.mark.parametrize("text", ["call:1234:before", "call:1:after", "flash:7:torn", "flash:2:between"])
def test_a_cut_is_written_as_it_is_read(text):
    assert str(Cut.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "call", "call:1", "call:0:before", "call:-1:before", "call:1:torn", "flash:x:torn", "nvm:1:torn", "a:b:c:d"],
)
def test_what_is_no_cut_is_refused(text):
    with pytest.raises(CutSyntaxError, match="no such power cut"):
        Cut.parse(text)


def test_an_uncut_wake_says_where_it_could_be_cut(board, uncut):
    assert uncut.ending == FINISHED
    assert uncut.calls == len(uncut.supply.calls)
    assert ("fs.open", "/box/kept.bin") in uncut.supply.calls
    # Two blocks, their file's directory, and the whole of nvm for 64 bytes of it.
    assert [operation.medium for operation in uncut.supply.flash] == ["drive", "drive", "drive", "nvm"]
    first, second, directory, nvm = uncut.supply.flash
    assert first == second != directory
    assert nvm == FlashOperation("nvm", 0)


@pytest.mark.parametrize(("how", "nvm"), [("before", OLD), ("after", NEW)])
def test_a_call_is_cut_before_or_after_it_is_carried_out(board, uncut, how, nvm):
    board.cut_power(Cut("call", number_of(uncut, "nvm.write"), how))
    wake = board.wake()
    assert (wake.ending, wake.console, wake.failure()) == (POWER_LOST, [], None)
    assert wake.calls == number_of(uncut, "nvm.write")
    assert board.state.nvm[100:164] == nvm


def test_what_only_power_keeps_is_gone_and_the_next_boot_is_a_cold_one(board, uncut):
    board.cut_power(Cut("call", number_of(uncut, "nvm.write"), "after"))
    board.wake()
    assert board.state.sleep_memory[0:3] == bytes(3)
    assert (board.state.rtc_offset_ns, board.state.sleeping) == (None, None)
    again = board.wake()
    assert (again.woken_by, again.console) == ("power on", ["done"])


def test_a_cut_at_the_call_that_would_sleep_leaves_nothing_asleep():
    board = bare_board(
        "import alarm, time\nalarm.exit_and_deep_sleep_until_alarms(alarm.time.TimeAlarm(monotonic_time=60))"
    )
    last = board.wake().calls
    assert board.state.sleeping is not None
    for how in ("before", "after"):
        board.cut_power(Cut("call", last, how))
        assert board.wake().ending == POWER_LOST
        assert board.state.sleeping is None


@pytest.mark.parametrize(
    ("how", "nvm"),
    [
        ("before", OLD),
        ("torn", NEW[:31] + bytes([NEW[0] | 0x55]) + b"\xff" * 32),
        ("between", b"\xff" * 64),
        ("after", NEW),
    ],
)
def test_nvm_is_cut_in_each_way(board, uncut, how, nvm):
    board.cut_power(Cut("flash", flash_number_of(uncut, "nvm"), how))
    assert board.wake().ending == POWER_LOST
    assert board.state.nvm[100:164] == nvm
    # An assignment of 64 bytes erases all that others keep there.
    rest = OLD if how in ("before", "after") else b"\xff" * 64
    assert board.state.nvm[1000:1064] == rest
    assert board.state.nvm[0:64] == (b"\xff" * 64 if how == "between" else OLD)


def test_the_drive_is_cut_in_each_way_and_what_follows_in_the_same_call_never_happens(board, uncut):
    prepared = board.state.copy()
    at = uncut.supply.flash[0].at
    sectors = {}
    for how in ("before", "torn", "between", "after"):
        board.restore(prepared)
        board.cut_power(Cut("flash", 1, how))
        wake = board.wake()
        assert (wake.ending, wake.supply.calls[-1][0], len(wake.supply.flash)) == (POWER_LOST, "fs.write", 1)
        sectors[how] = bytes(board.state.flash.content[at : at + ERASE_SECTOR])
        # All of the drive but this sector is as it was: the call's second block never came.
        board.state.flash.content[at : at + ERASE_SECTOR] = prepared.flash.content[at : at + ERASE_SECTOR]
        assert board.state.flash.content == prepared.flash.content
    old = bytes(prepared.flash.content[at : at + ERASE_SECTOR])
    block = sectors["after"].index(b"n" * 512)
    assert sectors["before"] == old
    assert sectors["between"] == b"\xff" * ERASE_SECTOR
    assert sectors["after"] == old[:block] + b"n" * 512 + old[block + 512 :]
    middle = block + 255
    assert sectors["torn"] == sectors["after"][:middle] + bytes([ord("n") | 0x55]) + b"\xff" * (4095 - middle)


def test_a_cut_that_the_wake_does_not_reach_never_strikes(board, uncut):
    board.cut_power(Cut("call", uncut.calls + 1, "before"))
    assert board.wake().ending == FINISHED
    assert board.wake().ending == FINISHED


def test_every_flash_operation_of_a_wake_can_be_cut_and_the_other_medium_is_whole(board, uncut):
    prepared = board.state.copy()
    for number, operation in enumerate(uncut.supply.flash, 1):
        for how in ("before", "torn", "between", "after"):
            board.restore(prepared)
            board.cut_power(Cut("flash", number, how))
            wake = board.wake()
            assert (wake.ending, wake.supply.flash[-1], len(wake.supply.flash)) == (POWER_LOST, operation, number)
            if operation.medium == "drive":
                assert board.state.nvm == prepared.nvm
            else:
                assert kept(board)[4096 : 4096 + 1024] == b"n" * 1024


def test_a_drive_that_no_longer_mounts_is_formatted_and_the_wake_says_so():
    board = bare_board('import storage\nstorage.remount("/", readonly=False)\nopen("/new.txt", "w").close()\n')
    prepared = board.state.copy()
    sectors = [operation.at for operation in board.wake().supply.flash]
    assert 0 not in sectors, "the boot sector is never rewritten"
    board.restore(prepared)
    board.state.flash.content[:ERASE_SECTOR] = b"\xff" * ERASE_SECTOR
    wake = board.wake()
    assert (wake.drive_formatted, wake.ending) == (True, FINISHED)
    assert wake.failure() == "the drive did not mount and was formatted: the firmware is gone"
    assert not board.wake().drive_formatted


def test_a_restored_board_goes_on_from_what_was_saved(board, uncut):
    saved = board.state.copy()
    white = bytes(board.glass.pixels)
    runs = []
    for _ in range(2):
        board.glass.pixels[:] = bytes(len(white))
        board.restore(saved)
        assert board.glass.pixels == white
        wake = board.wake()
        runs.append((wake.console, wake.supply.calls, wake.supply.flash, bytes(board.state.flash.content)))
    assert runs[0] == runs[1]
    assert saved.nvm[100:164] == OLD
    assert board.state.nvm[100:164] == NEW


def test_a_tear_lies_within_what_changes_however_short_that_is():
    old = bytearray(os.urandom(4096))
    new = bytearray(old)
    new[1000:1008] = bytes(byte ^ 0xFF for byte in old[1000:1008])
    left = torn(bytes(old), bytes(new))
    assert left[:-1] == new[: len(left) - 1]
    assert 1000 < len(left) - 1 < 1008
    # Bits that should be cleared are not yet; none is cleared that should not be.
    assert left[-1] & new[len(left) - 1] == new[len(left) - 1]


def test_a_drive_filled_by_its_owner_is_full_for_the_firmware_until_there_is_room_again():
    board = bare_board("""
import storage
storage.remount("/", readonly=False)
try:
    with open("/new.txt", "w") as file:
        file.write("x" * 600)
    print("written")
except OSError as error:
    print("errno", error.errno)
""")
    board.faults.drive_full = True
    assert [board.wake().console for _ in range(2)] == [["errno 28"], ["errno 28"]]
    board.faults.drive_full = False
    assert board.wake().console == ["written"]
