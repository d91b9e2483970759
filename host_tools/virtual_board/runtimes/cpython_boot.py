"""The fork server's program under CPython: make it look like CircuitPython, and fork a child for each wake.

argv: the folder of the virtual board's CircuitPython modules, and that of the libraries in CircuitPython's core.

Whatever CircuitPython lacks must be missing here too, so that a firmware that imports it fails on this desk and not on
a shelf: the importer knows the ROM, the core's libraries, the drive, and the few standard modules of `NATIVE`.

The server holds no state of any wake but the code its children compiled, kept by path and source: what runs is what
the drive holds.
"""

import __future__

import _socket
import array
import builtins
import gc
import importlib
import importlib.util
import marshal
import os
import signal
import struct
import sys
import traceback
import zlib

CONTROL, COMPILED = 5, 6
# The modules of CircuitPython's Espressif builds that are alike enough in CPython's own form.
NATIVE = (
    "array",
    "binascii",
    "builtins",
    "collections",
    "errno",
    "gc",
    "hashlib",
    "io",
    "json",
    "math",
    "random",
    "re",
    "struct",
    "sys",
    "traceback",
    "zlib",
)
# What CPython itself looks up by name while it runs; the firmware has no use for them.
INTERNAL = ("encodings", "codecs", "_", "importlib", "zipimport", "abc")
codes = {}


class SourceFinder:
    """Imports Python source from `folders()` by `read`, which answers (path, source) of the first of some paths."""

    def __init__(self, folders, read):
        self._folders = folders
        self._read = read

    def find_spec(self, name, path=None, target=None):
        last = name.rpartition(".")[2]
        bases = [folder.rstrip("/") + "/" + last for folder in path or self._folders()]
        found = self._read([base + ending for base in bases for ending in ("/__init__.py", ".py")])
        if found is None:
            return None
        origin, source = found
        inside = [origin[: -len("/__init__.py")]] if origin.endswith("/__init__.py") else None
        loader = SourceLoader(source, origin)
        return importlib.util.spec_from_file_location(name, origin, loader=loader, submodule_search_locations=inside)


class SourceLoader:
    def __init__(self, source, origin):
        self._source = source
        self._origin = origin

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compiled(self._source, self._origin), module.__dict__)


def read_sources(folder):
    """path -> source of all Python files below `folder`."""
    sources = {}
    for at, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".py"):
                path = at + "/" + name
                with open(path, "rb") as file:
                    sources[path] = file.read()
    return sources


def compiled(source, path):
    code = codes.get((path, source))
    if code is None:
        # CircuitPython never evaluates annotations; the published drivers annotate with names they did not import.
        code = compile(source, path, "exec", __future__.annotations.compiler_flag, dont_inherit=True)
        record = marshal.dumps((path, source, code))
        write(COMPILED, struct.pack("<II", len(record), zlib.crc32(record)) + record)
    return code


class Compiled:
    """What the children compiled, read from the file they append it to."""

    def __init__(self):
        self._at = 0

    def learn(self):
        size = os.fstat(COMPILED).st_size
        while self._at < size:
            head = os.pread(COMPILED, 8, self._at)
            length, check = struct.unpack("<II", head) if len(head) == 8 else (0, None)
            record = os.pread(COMPILED, length, self._at + 8)
            if not record or zlib.crc32(record) != check:
                # A child was killed as it wrote. What is lost here is compiled again.
                self._at = 0
                os.ftruncate(COMPILED, 0)
                return
            path, source, code = marshal.loads(record)
            codes[path, source] = code
            self._at += 8 + length


def serve(control):
    """Answer the bench's requests; return in each child, with its link and console in place."""
    children = set()
    files = Compiled()
    while True:
        request, ancillary, _, _ = control.recvmsg(9, _socket.CMSG_SPACE(8))
        if request == b"start":
            link, console = array.array("i", ancillary[0][2])
            pid = os.fork()
            if pid == 0:
                for theirs, number in ((console, 1), (console, 2), (link, 3), (link, 4)):
                    os.dup2(theirs, number)
                os.close(CONTROL)
                os.close(link)
                os.close(console)
                return
            os.close(link)
            os.close(console)
            children.add(pid)
            control.sendall(struct.pack("<i", pid))
        elif request[:5] == b"kill ":
            pid = struct.unpack("<i", request[5:])[0]
            children.remove(pid)
            os.kill(pid, signal.SIGKILL)
            status = os.waitpid(pid, 0)[1]
            files.learn()
            control.sendall(struct.pack("<i", status))
        else:
            # The bench is gone, and every board's power with it.
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)


def read_drive(paths):
    found = _link.call("fs.load", paths)
    return None if found is None else (paths[found[0]], found[1])


def drive_folders():
    """Where sys.path has the importer look on the drive, from the folder the program is in; each once."""
    return list(dict.fromkeys(sys.modules["os"]._absolute(folder) for folder in sys.path if folder != ".frozen"))


def run(path):
    """Run one of the drive's entry points as CircuitPython's supervisor does; return its traceback, if any."""
    found = read_drive([path])
    if found is None:
        return None
    try:
        exec(compiled(found[1], path), {"__name__": "__main__", "__file__": path})
    except SystemExit:
        return None
    except BaseException:
        return traceback.format_exc()
    return None


for name in NATIVE:
    importlib.import_module(name)
for encoding in ("ascii", "latin_1", "utf_8"):
    "".encode(encoding)
rom_sources = {**read_sources(sys.argv[1]), **read_sources(sys.argv[2])}
for path, source in rom_sources.items():
    codes[path, source] = compile(source, path, "exec", __future__.annotations.compiler_flag, dont_inherit=True)
write = os.write
# What ends a process group is for the bench, which then ends its board; a board knows of no signal.
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
# What is here by now is never garbage, and a collection that touched it would copy its pages into every child.
gc.collect()
gc.freeze()
serve(_socket.socket(fileno=CONTROL))

for name in ("os", "time"):
    # CPython's own stay with those who hold them already; whoever imports from now on gets the board's.
    sys.modules.pop(name, None)
rom = SourceFinder(
    lambda: [sys.argv[1], sys.argv[2]],
    lambda paths: next(((path, rom_sources[path]) for path in paths if path in rom_sources), None),
)
sys.meta_path[:] = [rom]
import _files  # noqa: E402
import _link  # noqa: E402

for name in list(sys.modules):
    if name.partition(".")[0] not in (*NATIVE, "_codec", "_link", "_files", "os") and not name.startswith(INTERNAL):
        del sys.modules[name]
sys.meta_path.append(SourceFinder(drive_folders, read_drive))
sys.path[:] = ["", "/", ".frozen", "/lib"]
builtins.open = _files.open

failure = None
for entry_point in _link.call("supervisor.entry_points"):
    failure = run(entry_point)
    if failure:
        print(failure)
_link.call("supervisor.finished", failure)
