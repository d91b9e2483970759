"""The first code of the firmware's process under MicroPython: link modules first, then the drive as the root.

argv: the folder of the virtual board's CircuitPython modules, and that of the libraries in CircuitPython's core.
"""

import builtins
import sys

import vfs

rom = sys.argv[1]
built_in = sys.argv[2]
sys.path[:] = [rom]
import _link  # noqa: E402
from _files import Drive  # noqa: E402
from _files import open as link_open  # noqa: E402

vfs.umount("/")
vfs.mount(vfs.VfsPosix("/"), "/host")
vfs.mount(Drive(), "/")
sys.path[:] = ["/host" + rom, "/host" + built_in, "/", "/lib"]
builtins.open = link_open


def run(path):
    try:
        with link_open(path, "rb") as file:
            source = file.read()
    except OSError:
        return None
    try:
        exec(compile(source, path, "exec"), {"__name__": "__main__", "__file__": path})
    except SystemExit:
        return None
    except BaseException as error:
        sys.print_exception(error)
        return repr(error)
    return None


failure = None
for entry_point in _link.call("supervisor.entry_points"):
    failure = run(entry_point)
_link.call("supervisor.finished", failure)
