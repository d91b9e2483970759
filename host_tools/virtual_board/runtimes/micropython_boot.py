"""The first code of the firmware's process under MicroPython and its kin: reach the ROM, and leave the host behind.

argv: a folder of this process' own; the ROM's image; the folder of the virtual board's CircuitPython modules, and that
of the libraries in CircuitPython's core, for an interpreter that cannot run the image: their sources then take up heap.
"""

import sys

try:
    import vfs
except ImportError:
    # Before MicroPython 1.23, and in CircuitPython.
    import os as vfs


# Of what the virtual board has, the names that an interpreter of the family may have too.
BUILT_IN = ("alarm", "analogio", "board", "busio", "digitalio", "displayio", "microcontroller", "os", "rtc")
BUILT_IN += ("socketpool", "ssl", "storage", "struct", "supervisor", "time", "watchdog")


def mount_image(path):
    """Mount the image where it lies, outside the heap."""
    import os

    import ffi
    import uctypes

    libc = ffi.open("libc.so.6")
    size = os.stat(path)[6]
    descriptor = libc.func("i", "open", "si")(path, 0)
    # PROT_READ, MAP_PRIVATE
    at = libc.func("P", "mmap", "Piiiii")(None, size, 1, 2, descriptor, 0)
    libc.func("i", "close", "i")(descriptor)
    vfs.mount(vfs.VfsRom(uctypes.bytearray_at(at, size)), "/rom")


def mount_sources(modules, built_in):
    """Mount the sources, and put them in front of what is built in, which CircuitPython finds first."""
    sys.path[:] = []
    shadowed = []
    for name in BUILT_IN:
        try:
            __import__(name)
            shadowed.append(name)
        except ImportError:
            pass
    parent, _, package = modules.rpartition("/")
    vfs.mount(vfs.VfsPosix(parent), "/source")
    vfs.mount(vfs.VfsPosix(built_in), "/core")
    sys.path[:] = ["/source/" + package, "/source", "/core"]
    for name in shadowed:
        sys.modules[name] = __import__(package + "." + name, None, None, (name,))
    return ["/source/" + package, "/core"]


try:
    mount_image(sys.argv[2])
    folders = sys.path[:] = ["/rom"]
    import _codec  # noqa: F401
except (ImportError, AttributeError, OSError, ValueError) as reason:
    # No ffi, no VfsRom, or another bytecode.
    if "_codec" in str(reason):
        raise
    folders = mount_sources(sys.argv[3], sys.argv[4])
import _boot  # noqa: E402
import _files  # noqa: E402

vfs.umount("/")
del mount_image, mount_sources
_boot.boot(vfs.mount, _files.Drive(vfs.VfsPosix("/"), sys.argv[1]), folders)
