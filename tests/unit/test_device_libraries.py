"""The device libraries come from an index on this machine here; tests/unit/test_bundle.py takes the published ones."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from host_tools import device_libraries, package_index
from host_tools.device_libraries import DeviceLibraryError

DRIVER = b"def display(): pass\n"
REQUESTS = b"def get(url): pass\n"
BUS = b"class SPIDevice: pass\n"

REAL_PIP_CONFIG_LIST = package_index._pip_config_list
LIB_FILES = {"driver/__init__.py": DRIVER, "urequests/__init__.py": REQUESTS}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def source_archive(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return packed.getvalue()


class Index:
    """A package index (PEP 503) with three projects; `archives` maps file names to what it hands out."""

    def __init__(self) -> None:
        self.archives = {
            "driver-1.0-py3-none-any.whl": wheel({"driver/__init__.py": DRIVER, "driver/unlocked.py": b"pass\n"}),
            "urequests-0.9.tar.gz": source_archive({"urequests-0.9/urequests/__init__.py": REQUESTS}),
            "bus-2.0-py3-none-any.whl": wheel({"bus/spi_device.py": BUS}),
        }
        self.requests: list[str] = []
        self.status = 200
        self.before_archive = lambda: None
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.requests.append(self.path)
                name = self.path.rstrip("/").rsplit("/", 1)[-1]
                if name in index.archives:
                    index.before_archive()
                    content, kind = index.archives[name], "application/octet-stream"
                else:
                    links = [f'<a href="/files/{file}">{file}</a>' for file in index.archives if file.startswith(name)]
                    content, kind = "".join(links).encode(), "text/html"
                self.send_response(index.status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple/"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    running = Index()
    monkeypatch.setenv("PIP_INDEX_URL", running.url)
    monkeypatch.setattr(package_index, "_pip_config_list", lambda: [])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield running
    running.stop()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("STOA_CACHE", str(folder))
    return folder


def entry(filename: str, archive: bytes, files: dict[str, str], on_board: bool = False) -> str:
    name, version = filename.removesuffix(".tar.gz").split("-")[:2]
    lines = [
        "[[library]]",
        f'name = "{name}"',
        f'version = "{version}"',
        f'filename = "{filename}"',
        f'sha256 = "{sha256(archive)}"',
        'licence = "MIT"',
        f"on_board = {str(on_board).lower()}",
        "[library.files]",
        *(f'"{path}" = "{digest}"' for path, digest in files.items()),
    ]
    return "\n".join(lines) + "\n"


def write_lock(folder: Path, *entries: str) -> None:
    (folder / "libraries.toml").write_text("\n".join(entries))


@pytest.fixture
def firmware(tmp_path: Path, index: Index, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A firmware folder whose lock names what the index has."""
    folder = tmp_path / "firmware"
    folder.mkdir()
    driver, requests, bus = index.archives
    write_lock(
        folder,
        entry(driver, index.archives[driver], {"driver/__init__.py": sha256(DRIVER)}),
        entry(requests, index.archives[requests], {"urequests/__init__.py": sha256(REQUESTS)}),
        entry(bus, index.archives[bus], {"bus/spi_device.py": sha256(BUS)}, on_board=True),
    )
    monkeypatch.setattr(device_libraries, "shipped", lambda _: folder)
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("firmware")
def test_only_the_locked_files_are_unpacked_and_what_a_board_has_built_in_is_kept_apart() -> None:
    assert files_in(device_libraries.library_path()) == LIB_FILES
    assert files_in(device_libraries.on_board_path()) == {"bus/spi_device.py": BUS}


@pytest.mark.usefixtures("firmware")
def test_a_filled_cache_asks_nobody(index: Index) -> None:
    first = device_libraries.library_path()
    index.stop()

    assert device_libraries.library_path() == first


def test_only_what_is_missing_is_fetched(index: Index, firmware: Path) -> None:
    device_libraries.library_path()
    content = b"def display(): return True\n"
    index.archives = {"driver-1.1-py3-none-any.whl": wheel({"driver/__init__.py": content})}
    old_lock = (firmware / "libraries.toml").read_text()
    new = entry("driver-1.1-py3-none-any.whl", *index.archives.values(), {"driver/__init__.py": sha256(content)})
    write_lock(firmware, new, *("[[library]]" + rest for rest in old_lock.split("[[library]]")[2:]))
    index.requests.clear()

    assert files_in(device_libraries.library_path())["driver/__init__.py"] == content
    assert index.requests == ["/simple/driver/", "/files/driver-1.1-py3-none-any.whl"]


@pytest.mark.usefixtures("firmware")
def test_an_archive_that_is_not_the_locked_one_is_refused_and_not_kept(index: Index, cache: Path) -> None:
    genuine = index.archives["driver-1.0-py3-none-any.whl"]
    index.archives["driver-1.0-py3-none-any.whl"] = wheel({"driver/__init__.py": b"steal()\n"})

    with pytest.raises(DeviceLibraryError, match=r"driver-1\.0-py3-none-any\.whl .* not the locked file"):
        device_libraries.library_path()
    assert files_in(cache) == {}

    index.archives["driver-1.0-py3-none-any.whl"] = genuine
    assert files_in(device_libraries.library_path()) == LIB_FILES


def test_a_file_that_is_not_the_locked_one_is_refused(index: Index, firmware: Path, cache: Path) -> None:
    driver = "driver-1.0-py3-none-any.whl"
    write_lock(firmware, entry(driver, index.archives[driver], {"driver/__init__.py": sha256(b"other")}))

    with pytest.raises(DeviceLibraryError, match=r"driver/__init__\.py is not the locked file"):
        device_libraries.library_path()
    assert not any((cache / "device-libraries").iterdir())


def test_another_lock_has_a_folder_of_its_own(index: Index, firmware: Path, tmp_path: Path) -> None:
    rival = wheel({"rival.py": BUS})
    index.archives["rival-3.0-py3-none-any.whl"] = rival
    write_lock(tmp_path, entry("rival-3.0-py3-none-any.whl", rival, {"rival.py": sha256(BUS)}))

    assert files_in(device_libraries.library_path(tmp_path / "libraries.toml")) == {"rival.py": BUS}
    assert files_in(device_libraries.library_path()) == LIB_FILES


@pytest.mark.usefixtures("firmware")
def test_a_file_edited_in_the_cache_is_put_right() -> None:
    edited = device_libraries.library_path() / "driver" / "__init__.py"
    edited.write_bytes(b"print('debugging')\n")

    assert (device_libraries.library_path() / "driver" / "__init__.py").read_bytes() == DRIVER


@pytest.mark.usefixtures("firmware")
def test_offline_is_one_line_that_names_the_ways_out(index: Index, cache: Path) -> None:
    index.stop()

    with pytest.raises(DeviceLibraryError) as caught:
        device_libraries.library_path()

    message = str(caught.value)
    assert "cannot fetch driver 1.0" in message
    assert "PIP_INDEX_URL" in message
    assert str(cache / "downloads") in message
    assert "\n" not in message


@pytest.mark.usefixtures("firmware")
def test_archives_put_there_by_hand_serve_offline(index: Index, cache: Path) -> None:
    index.stop()
    (cache / "downloads").mkdir(parents=True)
    for name, content in index.archives.items():
        (cache / "downloads" / name).write_bytes(content)

    assert files_in(device_libraries.library_path()) == LIB_FILES


@pytest.mark.usefixtures("firmware")
def test_an_index_that_fails_is_told_from_one_that_lacks_the_file(index: Index) -> None:
    index.status = 503
    with pytest.raises(DeviceLibraryError, match="the package index answers 503"):
        device_libraries.library_path()

    index.status = 200
    del index.archives["driver-1.0-py3-none-any.whl"]
    with pytest.raises(DeviceLibraryError, match="does not have that file"):
        device_libraries.library_path()


@pytest.mark.usefixtures("firmware")
def test_the_index_of_pips_own_configuration_is_used(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text(f"[global]\nindex-url = {index.url}\n")
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    # Below the cache that holds this machine's own configuration.
    monkeypatch.setattr(package_index, "_pip_config_list", REAL_PIP_CONFIG_LIST.__wrapped__)

    assert files_in(device_libraries.library_path()) == LIB_FILES


@pytest.mark.usefixtures("firmware")
def test_a_password_in_the_index_address_is_not_shown(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("http://", "http://reader:hush@"))
    index.stop()

    with pytest.raises(DeviceLibraryError) as caught:
        device_libraries.library_path()
    assert "hush" not in str(caught.value)


@pytest.mark.usefixtures("firmware")
def test_two_at_once_both_get_the_whole_of_it(index: Index, cache: Path) -> None:
    # Nobody gets the first archive before both have asked for it: both find the cache empty and fill it.
    both_are_here = threading.Barrier(2, timeout=30)
    index.before_archive = lambda: both_are_here.wait() and None
    found: list[dict[str, bytes]] = []

    def fill() -> None:
        found.append(files_in(device_libraries.library_path()))

    threads = [threading.Thread(target=fill) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [LIB_FILES, LIB_FILES]
    assert len(list((cache / "device-libraries").iterdir())) == 1
    assert sorted(path.name for path in (cache / "downloads").iterdir()) == sorted(index.archives)


@pytest.mark.parametrize("path", ["../escape.py", "/escape.py", "driver/../../escape.py"])
def test_a_lock_that_would_leave_the_lib_folder_is_refused(index: Index, firmware: Path, path: str) -> None:
    driver = "driver-1.0-py3-none-any.whl"
    write_lock(firmware, entry(driver, index.archives[driver], {path: sha256(DRIVER)}))

    with pytest.raises(DeviceLibraryError, match=r"libraries\.toml: driver: .* would leave the lib folder"):
        device_libraries.library_path()


@pytest.mark.parametrize("target", ["/etc/hostname", "../../../../etc/hostname"])
def test_a_link_in_a_source_archive_is_not_followed_out_of_it(index: Index, firmware: Path, target: str) -> None:
    name = "urequests-0.9.tar.gz"
    index.archives[name] = source_archive({}, {"urequests-0.9/urequests/__init__.py": target})
    outside = Path("/etc/hostname").read_bytes() if Path("/etc/hostname").exists() else b""
    write_lock(firmware, entry(name, index.archives[name], {"urequests/__init__.py": sha256(outside)}))

    with pytest.raises(DeviceLibraryError, match="cannot be unpacked"):
        device_libraries.library_path()


@pytest.mark.usefixtures("firmware")
def test_a_cache_folder_that_cannot_be_used_is_named_with_the_way_out(cache: Path) -> None:
    cache.write_text("a file where the folder should be")

    with pytest.raises(DeviceLibraryError, match="set STOA_CACHE to a writable folder") as caught:
        device_libraries.library_path()
    assert str(cache) in str(caught.value)


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/zeno")
    monkeypatch.delenv("STOA_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert device_libraries.cache_folder() == Path("/home/zeno/.cache/stoa")

    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert device_libraries.cache_folder() == Path("/var/cache/stoa")

    monkeypatch.setenv("STOA_CACHE", "/srv/stoa")
    assert device_libraries.cache_folder() == Path("/srv/stoa")
