"""The FAT drive over flash with 4 KB erase sectors."""

import errno

import pytest

from host_tools.virtual_board.fat import DIRECTORY, REGULAR, FatDrive, mounted
from host_tools.virtual_board.flash import BLOCK, ERASE_SECTOR, Flash, FlashDisk

SIZE = 960 * 1024


@pytest.fixture
def flash():
    flash = Flash.blank(SIZE)
    with FatDrive(flash, format_first=True) as drive:
        drive.install({"code.py": b"print()", "stoa/auth/refresh.py": b"x" * 5000, "vault-a/token.bin": b"\xff" * 4096})
    return flash


def test_files_are_there_after_a_remount(flash):
    with FatDrive(flash) as drive:
        assert sorted(drive.walk()) == ["code.py", "stoa/auth/refresh.py", "vault-a/token.bin"]
        assert drive.read_file("/stoa/auth/refresh.py") == b"x" * 5000
        assert drive.stat("/stoa") == (DIRECTORY, 0)
        assert drive.stat("/code.py") == (REGULAR, 7)


def test_overwriting_in_place_changes_only_what_is_written(flash):
    with FatDrive(flash) as drive:
        file = drive.open("/vault-a/token.bin", "r+")
        assert file.seek(100, 0) == 100
        assert file.write(b"token") == 5
        assert file.seek(0, 1) == 105
        file.close()
    with FatDrive(flash) as drive:
        assert drive.read_file("/vault-a/token.bin") == b"\xff" * 100 + b"token" + b"\xff" * (4096 - 105)


def test_installing_again_keeps_what_is_to_be_kept(flash):
    with FatDrive(flash) as drive:
        drive.install({"code.py": b"new", "vault-a/token.bin": b"\0" * 4096}, keep=("vault-a/token.bin",))
        assert drive.read_file("/code.py") == b"new"
        assert drive.read_file("/vault-a/token.bin") == b"\xff" * 4096


def test_what_is_to_be_kept_but_has_another_size_is_made_anew(flash):
    with FatDrive(flash) as drive:
        drive.install({"vault-a/token.bin": b"\xff" * 5000}, keep=("vault-a/token.bin",))
        assert len(drive.read_file("/vault-a/token.bin")) == 5000


def test_what_is_no_longer_shipped_goes_and_what_is_the_owners_stays(flash):
    with FatDrive(flash) as drive:
        drive.write_file("/stoa/old.py", b"")
        drive.write_file("/settings.toml", b"")
        drive.install({"stoa/new.py": b""}, own=("stoa",))
        assert sorted(drive.walk()) == ["code.py", "settings.toml", "stoa/new.py", "vault-a/token.bin"]


def test_a_run_that_is_broken_off_loses_what_fatfs_has_not_written(flash):
    with pytest.raises(KeyboardInterrupt), mounted(flash) as drive:
        # Two whole blocks, which FatFs passes on, and the beginning of a third, which it keeps until the close.
        drive.open("/vault-a/token.bin", "r+").write(b"u" * 1030)
        raise KeyboardInterrupt
    with FatDrive(flash) as after:
        assert after.read_file("/vault-a/token.bin")[:1030] == b"u" * 1024 + b"\xff" * 6


def test_installing_what_is_there_already_erases_nothing(flash):
    before = flash.erases
    with FatDrive(flash) as drive:
        drive.install({"code.py": b"print()"})
    assert flash.erases == before


def test_each_block_that_is_written_costs_an_erase_at_once(flash):
    before = flash.erases
    with FatDrive(flash) as drive:
        file = drive.open("/vault-a/token.bin", "r+")
        file.write(b"u" * 1024)
        assert flash.erases == before + 2
        assert flash.content.count(b"u" * 1024) == 1
        file.close()
    # And the directory's, for the time of the change (FatFs f_sync).
    assert flash.erases == before + 3


@pytest.mark.parametrize(
    ("act", "number"),
    [
        (lambda drive: drive.open("/none", "r"), errno.ENOENT),
        (lambda drive: drive.listdir("/none"), errno.ENOENT),
        (lambda drive: drive.mkdir("/stoa"), errno.EEXIST),
        (lambda drive: drive.remove("/stoa"), errno.EACCES),
        (lambda drive: drive.open("/code.py", "q"), errno.EINVAL),
        (lambda drive: drive.write_file("/big", b"x" * SIZE), errno.ENOSPC),
    ],
)
def test_errors_are_the_ones_a_board_raises(flash, act, number):
    with FatDrive(flash) as drive, pytest.raises(OSError) as raised:
        act(drive)
    assert raised.value.errno == number


def test_a_full_drive_takes_what_is_written_in_place_and_nothing_more(flash):
    with FatDrive(flash) as drive:
        drive.fill()
        drive.fill()
        with pytest.raises(OSError) as raised:
            drive.write_file("/new.txt", b"x")
        assert raised.value.errno == errno.ENOSPC
        with pytest.raises(PermissionError):
            drive.mkdir("/folder")
        file = drive.open("/vault-a/token.bin", "r+")
        assert file.write(b"token") == 5
        file.close()
        # The rest of its last cluster is the file's already.
        file = drive.open("/code.py", "a")
        assert file.write(b"#") == 1
        file.close()
    with FatDrive(flash) as drive:
        drive.make_room()
        drive.write_file("/new.txt", b"x")
        assert drive.read_file("/code.py") == b"print()#"
        assert drive.read_file("/vault-a/token.bin")[:6] == b"token\xff"


def test_rename_and_remove(flash):
    with FatDrive(flash) as drive:
        drive.rename("/code.py", "/main.py")
        assert "main.py" in drive.listdir("/")
        drive.remove("/main.py")
        assert drive.listdir("/") == ["stoa", "vault-a"]


def test_flash_that_does_not_mount_is_formatted_at_boot_and_the_firmware_is_gone(flash):
    flash.content[:ERASE_SECTOR] = b"\xff" * ERASE_SECTOR
    with mounted(flash) as drive:
        assert list(drive.walk()) == []


def test_more_failed_mounts_than_fatfs_has_volumes():
    for _ in range(12):
        with pytest.raises(OSError):
            FatDrive(Flash.blank(SIZE))


def test_flash_comes_in_whole_sectors():
    with pytest.raises(ValueError, match="multiple of 4096"):
        Flash.blank(5000)


def test_blocks_in_two_erase_sectors_are_two_rewrites_and_their_neighbours_stay():
    flash = Flash(bytearray(b"o" * 3 * ERASE_SECTOR))
    FlashDisk(flash).write(7, 2 * BLOCK, b"a" * BLOCK + b"b" * BLOCK)
    assert flash.content == b"o" * 7 * BLOCK + b"a" * BLOCK + b"b" * BLOCK + b"o" * 15 * BLOCK
    assert flash.erases == 2
    assert FlashDisk(flash).read(7, 2 * BLOCK) == b"a" * BLOCK + b"b" * BLOCK


@pytest.mark.parametrize(("at", "size"), [(1, ERASE_SECTOR), (0, 5), (ERASE_SECTOR, 2 * ERASE_SECTOR)])
def test_flash_is_rewritten_by_the_whole_sector(at, size):
    with pytest.raises(ValueError, match="no erase sector"):
        Flash.blank(SIZE).rewrite(at, bytes(size))
