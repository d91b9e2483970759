"""The first code of the firmware's process under CPython: make it look like CircuitPython, then run the drive.

argv: the folder of the virtual board's CircuitPython modules, and that of the libraries in CircuitPython's core.

Whatever CircuitPython lacks must be missing here too, so that a firmware that imports it fails on this desk and not on
a shelf: the importer knows the ROM, the core's libraries, the drive, and the few standard modules of `NATIVE`.
"""

import __future__

import builtins
import importlib
import importlib.util
import sys
import traceback

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


class SourceFinder:
    """Imports Python source from `folders` by `read`, which answers a file's bytes or None."""

    def __init__(self, folders, read):
        self._folders = folders
        self._read = read

    def find_spec(self, name, path=None, target=None):
        for folder in path or self._folders:
            base = folder.rstrip("/") + "/" + name.rpartition(".")[2]
            for origin, inside in ((base + "/__init__.py", [base]), (base + ".py", None)):
                source = self._read(origin)
                if source is not None:
                    loader = SourceLoader(source, origin)
                    return importlib.util.spec_from_file_location(
                        name, origin, loader=loader, submodule_search_locations=inside
                    )
        return None


class SourceLoader:
    def __init__(self, source, origin):
        self._source = source
        self._origin = origin

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compiled(self._source, self._origin), module.__dict__)


def read_host(path, host_open=open):
    try:
        with host_open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def read_drive(path):
    try:
        with _files.open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def compiled(source, path):
    # CircuitPython never evaluates annotations; the published drivers annotate with names they did not import.
    return compile(source, path, "exec", __future__.annotations.compiler_flag, dont_inherit=True)


def run(path):
    """Run one of the drive's entry points as CircuitPython's supervisor does; return its traceback, if any."""
    source = read_drive(path)
    if source is None:
        return None
    try:
        exec(compiled(source, path), {"__name__": "__main__", "__file__": path})
    except SystemExit:
        return None
    except BaseException:
        return traceback.format_exc()
    return None


for name in NATIVE:
    importlib.import_module(name)
for encoding in ("ascii", "latin_1", "utf_8"):
    "".encode(encoding)
for name in ("os", "time"):
    # CPython's own stay with those who hold them already; whoever imports from now on gets the board's.
    del sys.modules[name]
rom = SourceFinder([sys.argv[1], sys.argv[2]], read_host)
sys.meta_path[:] = [rom]
import _files  # noqa: E402
import _link  # noqa: E402

for name in list(sys.modules):
    if name.partition(".")[0] not in (*NATIVE, "_codec", "_link", "_files", "os") and not name.startswith(INTERNAL):
        del sys.modules[name]
sys.meta_path.append(SourceFinder(["/", "/lib"], read_drive))
sys.path[:] = ["", "/", ".frozen", "/lib"]
builtins.open = _files.open

failure = None
for entry_point in _link.call("supervisor.entry_points"):
    failure = run(entry_point)
    if failure:
        print(failure)
_link.call("supervisor.finished", failure)
