"""A deploy over the raw REPL of a real VM, to a FAT image that the virtual board then boots."""

from __future__ import annotations

import hashlib

import pytest

from host_tools.bundle import PRESERVED, SLOTS, build_program, root_files
from host_tools.device.console.raw_repl import RawRepl
from host_tools.device.deploying.deploy import deploy
from host_tools.device.deploying.serial_way import SerialWay
from host_tools.device.errors import DeviceError, DriveFull, DriveReadOnly, NoBoard
from host_tools.rehearsal.household import settings_toml
from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.flash import Flash
from tests.campaign import extent
from tests.device import deploy_bench
from tests.device.deploy_bench import BOARD, HEAD, blank, put
from tests.device.serial_board import LANGUAGES, SerialBoard


@pytest.fixture(scope="module")
def program():
    return build_program(BOARD)


@pytest.fixture
def flash():
    return blank()


@pytest.fixture(scope="module")
def once_deployed(program):
    """What the drive holds after a first deploy."""
    made = blank()
    put(made, program)
    return bytes(made.content)


@pytest.fixture
def deployed(once_deployed):
    return Flash(bytearray(once_deployed))


def running(flash):
    with mounted(flash) as drive:
        return deploy_bench.running(drive)


def read(flash, path):
    with mounted(flash) as drive:
        return drive.read_file("/" + path)


def some(program, many):
    return {path: program[path] for path in sorted(program)[:many]}


def other(program, **changes):
    return {**program, **{path.replace("__", "/"): content for path, content in changes.items()}}


def test_what_was_deployed_boots_and_shows_the_pairing_screen(flash, program, home):
    report, _ = put(flash, program)
    assert report.changed and report.slot == SLOTS[0] and len(report.sent) == len(program)
    home.board.state.flash = flash
    home.board.install({"settings.toml": settings_toml(home.account)})
    home.wake_now()
    assert home.names() == ["pairing", "quote"]


def test_the_same_again_writes_nothing(deployed, program):
    report, _ = put(deployed, program)
    assert not report.changed and not report.sent
    assert deployed.erases == 0


def test_one_file_is_sent_alone_and_the_rest_copied_on_the_board(deployed, program):
    flash = deployed
    changed = other(program, **{"stoa__log.py": program["stoa/log.py"] + b"# more\n"})
    report, _ = put(flash, changed)
    assert report.sent == ["stoa/log.py"] and report.copied == len(program) - 1
    assert running(flash) == (SLOTS[1], changed)
    # What the other folder has from the time before is not even copied.
    again = other(changed, **{"stoa__log.py": program["stoa/log.py"] + b"# less\n"})
    report, _ = put(flash, again)
    assert report.sent == ["stoa/log.py"] and report.copied == 0
    assert running(flash) == (SLOTS[0], again)


def test_a_large_file_that_is_copied_is_told_of_as_it_goes(flash):
    with mounted(flash) as drive:
        for slot in SLOTS:
            drive.mkdir("/" + slot)
        drive.write_file(f"/{SLOTS[0]}/font.bin", bytes(40_000))
    told = []
    with SerialBoard(flash) as double:
        repl = RawRepl(double.port)
        repl.enter_raw_repl()
        with SerialWay(repl) as way:
            way.copy_all(SLOTS[0], SLOTS[1], ["font.bin"], told.append)
    # 8 KB are a second and a half of flash (docs/deploy.md, an estimate).
    assert len(told) == 4 and all(8192 <= count < 8192 + 2048 for count in told)
    assert read(flash, f"{SLOTS[1]}/font.bin") == bytes(40_000)


def test_a_module_that_is_no_longer_shipped_goes(flash, program):
    few = some(program, 6)
    put(flash, {**few, "stoa/old.py": b"OLD = 1\n"})
    put(flash, few)
    report, _ = put(flash, {**few, "stoa/new.py": b"NEW = 1\n"})
    assert report.removed == 1
    assert running(flash)[1] == {**few, "stoa/new.py": b"NEW = 1\n"}


def test_the_token_and_the_quote_are_never_touched(deployed, program):
    flash = deployed
    with mounted(flash) as drive:
        kept = {}
        for path in PRESERVED:
            size = drive.stat("/" + path)[1]
            kept[path] = hashlib.sha256(path.encode()).digest() * (size // 32)
            drive.write_file("/" + path, kept[path])
    report, _ = put(flash, other(program, **{"stoa__log.py": b"LOG = 1\n"}))
    assert report.kept_token
    assert {path: read(flash, path) for path in PRESERVED} == kept


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_the_build_s_language(flash, program, language):
    few = some(program, 6)
    put(flash, few, language=language)
    assert running(flash) == (SLOTS[0], few)


def test_a_board_with_a_buffer_of_128_bytes(flash, program):
    few = some(program, 3)
    _, double = put(flash, few, small_steps=True, buffer=128)
    assert running(flash) == (SLOTS[0], few)
    assert double.overruns == 0


def test_without_small_steps_such_a_buffer_overruns(flash, program):
    with pytest.raises(DeviceError):
        put(flash, some(program, 3), buffer=128)


def test_a_board_in_a_crash_loop_is_broken_into(flash, program):
    few = some(program, 3)
    put(flash, few, crashes=True)
    assert running(flash) == (SLOTS[0], few)


def test_a_board_that_is_asleep_is_told_so(flash):
    with SerialBoard(flash, asleep=True) as double:
        repl = RawRepl(double.port)
        with pytest.raises(NoBoard, match="nothing answers"):
            repl.enter_raw_repl(timeout_overall=1.0)
        repl.close()


def test_a_drive_that_a_computer_has(flash, program):
    with pytest.raises(DriveReadOnly, match="read-only to the board while a computer may have it"):
        put(flash, program, usb_attached=True)


def test_a_full_drive_is_told_before_anything_is_written(flash, program):
    with mounted(flash) as drive:
        drive.write_file("/holiday.jpg", b"\xff" * 700_000)
    erases = flash.erases
    with pytest.raises(DriveFull, match=r"has \d+ KiB free and \d+ are needed"):
        put(flash, program)
    assert flash.erases == erases


def test_somebody_s_own_program_is_kept_beside(flash, program):
    with mounted(flash) as drive:
        drive.write_file("/code.py", b"print('mine')\n")
        drive.write_file("/code.txt", b"print('mine too')\n")
    report, _ = put(flash, program)
    assert read(flash, "before-stoa-code.py") == b"print('mine')\n"
    assert read(flash, "before-stoa-code.txt") == b"print('mine too')\n"
    with mounted(flash) as drive:
        assert "code.txt" not in drive.listdir("/")
    assert len([note for note in report.notes if "is kept as" in note]) == 2


def content_of(flash):
    return bytes(flash.content)


def changes_of_an_update(flash, old, new):
    """How many changes of the drive it takes to get from one to the other."""
    before = content_of(flash)
    _, double = put(flash, new)
    flash.content[:] = before
    return len(double.changes)


@pytest.mark.parametrize("share", range(4))
def test_a_cable_pulled_anywhere_leaves_the_old_program_or_the_new_one_and_doing_it_again_ends_it(
    flash, program, share
):
    old = some(program, 12)
    new = {**old, "stoa/new.py": b"NEW = 1\n" * 400, sorted(old)[3]: b"CHANGED = 1\n"}
    del new[sorted(old)[5]]
    put(flash, old)
    put(flash, {**old, "stoa/else.py": b"x = 1\n"})
    put(flash, old)
    total = changes_of_an_update(flash, old, new)
    begun = content_of(flash)
    roots = root_files()
    for pull_at in list(range(1, total + 1, extent(quick=7, deep=1)))[share::4]:
        flash.content[:] = begun
        with pytest.raises(DeviceError):
            put(flash, new, pull_at=pull_at)
        assert running(flash)[1] in (old, new), pull_at
        assert {name: read(flash, name) for name in roots} == roots, pull_at
        report, _ = put(flash, new)
        assert running(flash)[1] == new, pull_at
        assert report.kept_token


def test_a_folder_that_becomes_a_file_does_not_stay_before_it(flash, program):
    few = some(program, 3)
    put(flash, {**few, "stoa/x/__init__.py": b"X = 1\n", "stoa/x/deep/y.py": b""})
    put(flash, few)
    put(flash, {**few, "stoa/x.py": b"X = 2\n"})
    with mounted(flash) as drive:
        assert "x" not in drive.listdir(f"/{SLOTS[0]}/stoa")


def runs(flash):
    """What CircuitPython takes for the program (main.c, supported_filenames)."""
    with mounted(flash) as drive:
        names = drive.listdir("/")
    return next((read(flash, name) for name in ("code.txt", "code.py", "main.py", "main.txt") if name in names), None)


def test_somebody_s_own_program_runs_or_ours_wherever_the_cable_goes(flash, program):
    few = some(program, 3)
    own = b"print('mine')\n"
    with mounted(flash) as drive:
        drive.write_file("/code.py", own)
    begun = content_of(flash)
    total = changes_of_an_update(flash, {}, few)
    for pull_at in range(total - 15, total + 1):
        flash.content[:] = begun
        with pytest.raises(DeviceError):
            put(flash, few, pull_at=pull_at)
        assert runs(flash) in (own, root_files()["code.py"]), pull_at
        put(flash, few)
        assert read(flash, "code.py") == root_files()["code.py"]
        with mounted(flash) as drive:
            assert "main.py" not in drive.listdir("/")
            kept = [name for name in drive.listdir("/") if name.startswith("before-stoa-")]
        assert own in [read(flash, name) for name in kept], pull_at


def test_a_board_whose_host_is_gone_is_reset_by_its_watchdog(flash, program):
    few = some(program, 3)
    put(flash, few)
    with SerialBoard(flash) as double:
        repl = RawRepl(double.port)
        repl.enter_raw_repl()
        with SerialWay(repl) as way:
            way.read("settings.toml", 0, 100)
        repl.close()
    assert double.watchdog is None, "somebody may think for long over the settings"
    with pytest.raises(DeviceError), SerialBoard(flash, pull_at=20) as double:
        repl = RawRepl(double.port)
        repl.enter_raw_repl()
        with SerialWay(repl) as way:
            deploy(way, HEAD, {**few, "stoa/new.py": b""}, lambda *progress: None)
    assert double.watchdog == "RESET"


def test_ctrl_c_before_the_agent_is_there_leaves_the_repl_too(flash, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(SerialWay, "_give_agent", interrupt)
    with SerialBoard(flash) as double:
        repl = RawRepl(double.port)
        repl.enter_raw_repl()
        with pytest.raises(KeyboardInterrupt), SerialWay(repl):
            pass
        assert double.reloaded.wait(10)
