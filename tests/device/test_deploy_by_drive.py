"""A deploy to a drive the computer has as a folder: full, read-only, pulled out in the midst of it."""

from __future__ import annotations

import builtins
import errno
import os
import shutil

import pytest

from host_tools.bundle import ACTIVE, ACTIVE_AT, PRESERVED, SLOTS, build_program, root_files
from host_tools.device.deploying import drive_way, manifest
from host_tools.device.deploying.deploy import deploy
from host_tools.device.deploying.drive_way import DriveWay
from host_tools.device.errors import DeviceError, DriveFull, DriveReadOnly, LinkLost, NotVerified, PortInUse
from host_tools.rehearsal.household import settings_toml
from host_tools.virtual_board.fat import mounted
from tests.campaign import extent
from tests.device.deploy_bench import BOARD, BOOT_OUT, HEAD


@pytest.fixture(scope="module")
def program():
    return build_program(BOARD)


@pytest.fixture
def drive(tmp_path):
    folder = tmp_path / "CIRCUITPY"
    folder.mkdir()
    (folder / "boot_out.txt").write_bytes(BOOT_OUT)
    return folder


def put(folder, program):
    with DriveWay(folder) as way:
        assert way.boot_out().board_id == BOARD.id
        return deploy(way, HEAD, program, lambda *progress: None)


def some(program, many):
    return {path: program[path] for path in sorted(program)[:many]}


def running(folder):
    active = folder / ACTIVE
    named = active.read_bytes()[ACTIVE_AT:] if active.exists() else b""
    slot = SLOTS[1] if named.startswith(SLOTS[1].encode()) else SLOTS[0]
    top = folder / slot
    files = {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}
    files.pop(manifest.NAME, None)
    return files


class Pulled:
    """Every opening and every write of the drive counts; at `at` the board is pulled out: its folder is empty then."""

    def __init__(self, folder, at=0):
        self.folder, self.at, self.count = folder, at, 0

    def open(self, path, mode="r", *more, **options):
        self.step()
        file = builtins.open(path, mode, *more, **options)  # noqa: SIM115
        if mode[:1] == "r" and "+" not in mode:
            return file
        write = file.write

        class Written:
            def __enter__(this):
                return this

            def __exit__(this, *exception):
                file.close()

            def __getattr__(this, name):
                return getattr(file, name)

            def write(this, data):
                half = len(data) // 2
                write(data[:half])
                self.step()
                return half + write(data[half:])

        return Written()

    def step(self):
        self.count += 1
        if self.count == self.at:
            self.folder.rename(self.folder.with_name("pulled"))
            self.folder.mkdir()
            raise OSError(errno.EIO, "Input/output error")

    def back(self):
        shutil.rmtree(self.folder)
        self.folder.with_name("pulled").rename(self.folder)


def test_the_deployed_drive_boots_and_shows_the_pairing_screen(drive, program, home):
    report = put(drive, program)
    assert report.changed and len(report.sent) == len(program)
    with mounted(home.board.state.flash) as fat:
        for path in list(fat.walk()):
            fat.remove("/" + path)
    deployed = [path for path in drive.rglob("*") if path.is_file()]
    home.board.install({path.relative_to(drive).as_posix(): path.read_bytes() for path in deployed})
    home.board.install({"settings.toml": settings_toml(home.account)})
    home.wake_now()
    assert home.names() == ["pairing", "quote"]


def test_unchanged_and_one_file(drive, program):
    put(drive, program)
    before = {path: path.stat().st_mtime_ns for path in drive.rglob("*")}
    assert not put(drive, program).changed
    assert {path: path.stat().st_mtime_ns for path in drive.rglob("*")} == before
    changed = {**program, "stoa/log.py": b"LOG = 1\n"}
    report = put(drive, changed)
    assert report.sent == ["stoa/log.py"] and report.copied == len(program) - 1
    assert running(drive) == changed


def test_the_token_and_the_quote_are_never_touched(drive, program):
    few = some(program, 4)
    put(drive, few)
    for path in PRESERVED:
        (drive / path).write_bytes(b"\x07" * (drive / path).stat().st_size)
    assert put(drive, {**few, "stoa/new.py": b""}).kept_token
    assert {(drive / path).read_bytes().strip(b"\x07") for path in PRESERVED} == {b""}


def test_pulled_out_anywhere_the_old_program_or_the_new_one_is_there_and_the_same_again_ends_it(
    drive, program, monkeypatch
):
    old = some(program, 8)
    new = {**old, "stoa/new.py": b"NEW = 1\n" * 400, sorted(old)[3]: b"CHANGED = 1\n"}
    del new[sorted(old)[5]]
    put(drive, old)
    begun = drive.with_name("begun")
    shutil.copytree(drive, begun)
    whole = Pulled(drive)
    monkeypatch.setattr(drive_way, "open", whole.open, raising=False)
    put(drive, new)
    assert whole.count > 30
    for at in range(1, whole.count + 1, extent(quick=5, deep=1)):
        shutil.rmtree(drive)
        shutil.copytree(begun, drive)
        pulled = Pulled(drive, at)
        monkeypatch.setattr(drive_way, "open", pulled.open)
        with pytest.raises(LinkLost, match="was the board unplugged"):
            put(drive, new)
        pulled.back()
        assert running(drive) in (old, new), at
        assert {name: (drive / name).read_bytes() for name in root_files()} == root_files(), at
        monkeypatch.setattr(drive_way, "open", builtins.open)
        assert put(drive, new).kept_token
        assert running(drive) == new, at


def test_a_full_drive_is_told_before_anything_is_written(drive, program, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(983040, 900000, 83040))
    with pytest.raises(DriveFull, match="has 81 KiB free and"):
        put(drive, program)
    assert [path.name for path in drive.iterdir()] == ["boot_out.txt"]


def test_a_drive_that_fills_up_in_the_midst_of_it(drive, program, monkeypatch):
    few = some(program, 4)
    put(drive, few)

    def full(path, mode="r", *more, **options):
        if "w" in mode:
            raise OSError(errno.ENOSPC, "No space left on device")
        return builtins.open(path, mode, *more, **options)

    monkeypatch.setattr(drive_way, "open", full, raising=False)
    with pytest.raises(DriveFull, match="the drive is full"):
        put(drive, {**few, "stoa/new.py": b"NEW = 1\n"})
    assert running(drive) == few


def test_a_drive_the_computer_may_not_write(drive, program, monkeypatch):
    def locked(path, mode="r", *more, **options):
        if mode != "rb":
            raise OSError(errno.EROFS, "Read-only file system")
        return builtins.open(path, mode, *more, **options)

    monkeypatch.setattr(drive_way, "open", locked, raising=False)
    with pytest.raises(DriveReadOnly, match=r"unplug the board, plug it in, and deploy again"):
        put(drive, some(program, 4))


def test_what_reads_back_otherwise_never_runs(drive, program, monkeypatch):
    few = some(program, 4)
    put(drive, few)
    worn = sorted(few)[1]

    def wearing(path, mode="r", *more, **options):
        worn_out = mode == "wb" and str(path).endswith(worn)
        return builtins.open(drive.with_name("nowhere") if worn_out else path, mode, *more, **options)

    monkeypatch.setattr(drive_way, "open", wearing, raising=False)
    with pytest.raises(NotVerified, match="reads back something else than was written"):
        put(drive, {**few, worn: b"NEW = 1\n"})
    monkeypatch.setattr(drive_way, "open", builtins.open)
    assert running(drive) == few


def test_root_files_of_somebody_s_own_are_kept_whatever_they_mention(drive, program):
    own = {"code.py": b"# my stoat camera\nimport stoat\n", "safemode.py": b"print('mine')\n"}
    for name, content in own.items():
        (drive / name).write_bytes(content)
    report = put(drive, some(program, 3))
    assert {name: (drive / f"before-stoa-{name}").read_bytes() for name in own} == own
    assert len([note for note in report.notes if "is kept as" in note]) == 2
    # Ours of another release are no one's own.
    (drive / "code.py").write_bytes(root_files()["code.py"].replace(b"stoa defect", b"stoa DEFECT"))
    assert not [note for note in put(drive, some(program, 3)).notes if "is kept as" in note]


def test_a_program_that_runs_is_not_written_over_even_without_its_manifest(drive, program):
    few = some(program, 4)
    put(drive, few)
    (drive / SLOTS[0] / manifest.NAME).unlink()
    report = put(drive, {**few, "stoa/new.py": b"NEW = 1\n"})
    assert report.slot == SLOTS[1]


def test_a_folder_that_becomes_a_file_does_not_stay_before_it(drive, program):
    few = some(program, 4)
    put(drive, {**few, "stoa/x/__init__.py": b"X = 1\n", "stoa/x/deep/y.py": b""})
    put(drive, few)
    put(drive, {**few, "stoa/x.py": b"X = 2\n"})
    assert running(drive) == {**few, "stoa/x.py": b"X = 2\n"}
    assert not (drive / SLOTS[0] / "stoa/x").exists()


def test_what_the_computer_leaves_beside_the_files_is_no_difference(drive, program):
    few = some(program, 4)
    put(drive, few)
    for name in ("._manifest.txt", ".DS_Store"):
        (drive / SLOTS[0] / name).write_bytes(b"\0")
    assert not put(drive, few).changed


def test_two_at_once_do_not_mix(drive, program):
    with DriveWay(drive), pytest.raises(PortInUse, match="wait for its end"):
        put(drive, some(program, 3))
    assert put(drive, some(program, 3)).changed


def test_a_root_file_that_reads_back_otherwise_is_told(drive, program, monkeypatch):
    few = some(program, 3)
    put(drive, few)
    (drive / "code.py").write_bytes(b"# Of Stoa: an older one\n".ljust(2048, b"\n"))
    monkeypatch.setattr(DriveWay, "rename", lambda self, source, target: None)
    monkeypatch.setattr(DriveWay, "overwrite", lambda self, path, at, block: None)
    with pytest.raises(NotVerified, match=r"reads back another code\.py than was written"):
        put(drive, {**few, "stoa/new.py": b""})
    assert running(drive) == few


def test_a_root_file_that_lies_where_the_drive_is_worn_comes_to_lie_elsewhere(drive, program, monkeypatch):
    few = some(program, 3)
    put(drive, few)
    (drive / "code.py").write_bytes(b"# Of Stoa: an older one\n".ljust(2048, b"\n"))
    with monkeypatch.context() as worn:
        worn.setattr(DriveWay, "overwrite", lambda self, path, at, block: None)
        put(drive, few)
    assert (drive / "code.py").read_bytes() == root_files()["code.py"]


def test_no_program_of_somebody_s_own_is_lost_where_there_is_no_name_for_it(drive, program):
    names = [f"before-stoa-{number}code.py" for number in ("", *(f"{n}-" for n in range(2, 10)))]
    for name in names:
        (drive / name).write_bytes(name.encode())
    (drive / "code.py").write_bytes(b"print('mine')\n")
    with pytest.raises(DeviceError, match="remove some of them and deploy again"):
        put(drive, some(program, 3))
    assert (drive / "code.py").read_bytes() == b"print('mine')\n"
    (drive / names[3]).unlink()
    assert f"your code.py is kept as {names[3]}" in put(drive, some(program, 3)).notes
    assert (drive / names[3]).read_bytes() == b"print('mine')\n"


def test_no_program_of_somebody_s_own_goes_before_its_copy_was_read_back(drive, program, monkeypatch):
    (drive / "code.py").write_bytes(b"print('mine')\n")
    write = DriveWay.write

    def torn(self, path, content, on_bytes):
        write(self, path, content[:-1] if path.startswith("before-stoa-") else content, on_bytes)

    monkeypatch.setattr(DriveWay, "write", torn)
    with pytest.raises(NotVerified, match=r"the copy of your own code\.py"):
        put(drive, some(program, 3))
    assert (drive / "code.py").read_bytes() == b"print('mine')\n"


def test_settings_that_had_not_got_their_name_yet_get_it(drive, program):
    (drive / "settings.toml.new").write_bytes(b"# whole\n")
    assert not [note for note in put(drive, some(program, 3)).notes if "settings.toml" in note]
    assert (drive / "settings.toml").read_bytes() == b"# whole\n"


def test_a_folder_in_the_place_of_a_file_is_told(drive, program):
    (drive / "main.py").mkdir()
    with pytest.raises(DeviceError, match=r"main\.py: there is a folder where a file is to be"):
        put(drive, some(program, 3))


def test_somebody_s_own_main_py_stays(drive, program):
    """It does not run beside code.py, and may be a copy that is dear to somebody."""
    (drive / "code.py").write_bytes(b"import main\n")
    (drive / "main.py").write_bytes(b"print('mine')\n")
    put(drive, some(program, 3))
    assert (drive / "code.py").read_bytes() == root_files()["code.py"]
    assert (drive / "main.py").read_bytes() == b"print('mine')\n"


def test_code_txt_runs_until_code_py_is_there(drive, program, monkeypatch):
    """CircuitPython takes it before code.py: it goes last."""
    (drive / "code.txt").write_bytes(b"print('mine')\n")
    with monkeypatch.context() as cut:

        def lost(self, source, target):
            raise LinkLost("pulled out")

        cut.setattr(DriveWay, "rename", lost)
        with pytest.raises(LinkLost):
            put(drive, some(program, 3))
    assert (drive / "code.txt").read_bytes() == b"print('mine')\n"
    assert "your code.txt is kept as before-stoa-code.txt" in put(drive, some(program, 3)).notes
    assert not (drive / "code.txt").exists() and (drive / "before-stoa-code.txt").read_bytes() == b"print('mine')\n"


def test_an_active_file_of_another_size_keeps_the_program_that_runs(drive, program):
    few = some(program, 3)
    put(drive, few)
    put(drive, {**few, "stoa/new.py": b""})
    active = drive / ACTIVE
    active.write_bytes(active.read_bytes() + b"\xff")
    assert put(drive, {**few, "stoa/new.py": b""}).slot == SLOTS[1]
    assert active.read_bytes()[ACTIVE_AT:].startswith(SLOTS[1].encode())


def test_a_drive_too_full_for_an_update_is_told_at_once(drive, program, monkeypatch):
    size = sum(map(len, program.values()))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, size * 3 // 2))
    notes = put(drive, program).notes
    assert any("remove files of your own before the next" in note for note in notes), notes


class Recorded(DriveWay):
    """calls: what was asked of it and on what path, in order."""

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in ("write", "remove", "digest", "settle", "overwrite", "put", "copy_all", "seal"):
            return found

        def asked(*arguments):
            self.calls.append((name, *(argument for argument in arguments if isinstance(argument, str))))
            return found(*arguments)

        return asked


def test_the_order_of_it(drive, program):
    few = some(program, 4)
    put(drive, few)
    put(drive, {**few, "stoa/new.py": b"NEW = 1\n"})
    with Recorded(drive) as way:
        way.calls = []
        deploy(way, HEAD, {**few, "stoa/new.py": b"NEW = 2\n"}, lambda *progress: None)
    calls, target = way.calls, SLOTS[0]

    def first(*call):
        return next(at for at, made in enumerate(calls) if made[: len(call)] == call)

    written = ("seal", target)
    order = [("remove", f"{target}/{manifest.NAME}"), ("write", f"{target}/stoa/new.py"), ("digest", target), written]
    places = [first(*call) for call in (*order, ("overwrite", ACTIVE))]
    assert places == sorted(places), calls
    # All of it is on the board before the next of these is begun.
    for later in (("digest", target), ("overwrite", ACTIVE)):
        assert calls[first(*later) - 1] == ("settle",), calls
    assert calls[-1] == ("settle",)


def test_what_is_to_stay_free(drive, program, monkeypatch):
    few = some(program, 3)
    put(drive, few)
    room = sum(-(-len(content) // 512) * 512 for content in few.values())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, room + 8 * 1024))
    with pytest.raises(DriveFull):
        put(drive, {**few, "stoa/new.py": b""})


def test_a_file_of_another_size_is_replaced_at_once(drive, program, monkeypatch):
    (drive / "code.py").write_bytes(b"print('mine')\n")
    seen = []

    def look(source, target):
        seen.append((drive / "code.py").read_bytes())
        os.rename(source, target)

    monkeypatch.setattr(drive_way.os, "replace", look)
    put(drive, some(program, 2))
    assert seen[0] == b"print('mine')\n"
