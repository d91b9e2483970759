"""The FAT drive over flash with 4 KB erase sectors."""

import errno

import pytest

from host_tools.virtual_board.fat import DIRECTORY, REGULAR, FatDrive, mounted
from host_tools.virtual_board.flash import ERASE_SECTOR, Flash

SIZE = 960 * 1024


@pytest.fixture
def flash():
    flash = Flash.blank(SIZE)
    with FatDrive(flash, format_first=True) as drive:
        drive.install({"code.py": b"print()", "stoa/auth/refresh.py": b"x" * 5000, "vault/token.bin": b"\xff" * 4096})
    return flash


def test_files_are_there_after_a_remount(flash):
    with FatDrive(flash) as drive:
        assert sorted(drive.walk()) == ["code.py", "stoa/auth/refresh.py", "vault/token.bin"]
        assert drive.read_file("/stoa/auth/refresh.py") == b"x" * 5000
        assert drive.stat("/stoa") == (DIRECTORY, 0)
        assert drive.stat("/code.py") == (REGULAR, 7)


def test_overwriting_in_place_changes_only_what_is_written(flash):
    with FatDrive(flash) as drive:
        file = drive.open("/vault/token.bin", "r+")
        assert file.seek(100, 0) == 100
        assert file.write(b"token") == 5
        assert file.seek(0, 1) == 105
        file.close()
    with FatDrive(flash) as drive:
        assert drive.read_file("/vault/token.bin") == b"\xff" * 100 + b"token" + b"\xff" * (4096 - 105)


def test_installing_again_keeps_what_is_to_be_kept(flash):
    with FatDrive(flash) as drive:
        drive.install({"code.py": b"new", "vault/token.bin": b""}, keep=("vault/token.bin",))
        assert drive.read_file("/code.py") == b"new"
        assert len(drive.read_file("/vault/token.bin")) == 4096


def test_what_is_no_longer_shipped_goes_and_what_is_the_owners_stays(flash):
    with FatDrive(flash) as drive:
        drive.write_file("/stoa/old.py", b"")
        drive.write_file("/settings.toml", b"")
        drive.install({"stoa/new.py": b""}, own=("stoa",))
        assert sorted(drive.walk()) == ["code.py", "settings.toml", "stoa/new.py", "vault/token.bin"]


def test_a_run_that_is_broken_off_is_a_loss_of_power(flash):
    with pytest.raises(KeyboardInterrupt), mounted(flash) as drive:
        # Whole blocks: they have left FatFs' own buffer and wait in the cached sector.
        drive.open("/vault/token.bin", "r+").write(b"u" * 1024)
        raise KeyboardInterrupt
    with FatDrive(flash) as after:
        assert after.read_file("/vault/token.bin")[:1024] == b"\xff" * 1024


def test_installing_what_is_there_already_erases_nothing(flash):
    before = flash.erases
    with FatDrive(flash) as drive:
        drive.install({"code.py": b"print()"})
    assert flash.erases == before


def test_writes_wait_in_the_cached_sector_and_are_lost_without_power(flash):
    drive = FatDrive(flash)
    file = drive.open("/vault/token.bin", "r+")
    file.write(b"u" * 1024)
    drive.drop()
    with FatDrive(flash) as after:
        assert after.read_file("/vault/token.bin")[:1024] == b"\xff" * 1024


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


def test_rename_and_remove(flash):
    with FatDrive(flash) as drive:
        drive.rename("/code.py", "/main.py")
        assert "main.py" in drive.listdir("/")
        drive.remove("/main.py")
        assert drive.listdir("/") == ["stoa", "vault"]


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
