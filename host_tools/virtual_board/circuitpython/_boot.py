"""What CircuitPython's supervisor does at boot, for the virtual machine: the drive as the root, then its programs."""

import builtins
import sys

import _link
from _files import open as link_open


def _source(path):
    with link_open(path, "rb") as file:
        return file.read()


def run(path):
    """Run one of the drive's entry points; return what ended it, if it was an error."""
    try:
        source = [_source(path)]
    except OSError:
        return None
    try:
        # Not kept while it runs: a board compiles what it reads as it reads it.
        exec(compile(source.pop(), path, "exec"), {"__name__": "__main__", "__file__": path})
    except SystemExit:
        return None
    except BaseException as error:
        sys.print_exception(error)
        return repr(error)
    return None


def boot(mount, drive, folders):
    """mount: vfs.mount. drive: of _files.Drive. folders: where the modules of the ROM are."""
    mount(drive, "/")
    # As on a board: the root by its empty name, so that a file's own is short.
    sys.path[:] = folders + ["", "/lib"]
    builtins.open = link_open
    failure = None
    for entry_point in _link.call("supervisor.entry_points"):
        failure = run(entry_point)
    _link.call("supervisor.finished", failure)
