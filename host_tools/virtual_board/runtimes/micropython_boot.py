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
    vfs.mount(vfs.VfsPosix(modules), "/source")
    vfs.mount(vfs.VfsPosix(built_in), "/core")
    return ["/source", "/core"]


try:
    mount_image(sys.argv[2])
    folders = sys.path[:] = ["/rom"]
    import _codec  # noqa: F401
except (ImportError, AttributeError, ValueError) as reason:
    # No ffi, no VfsRom, or another bytecode.
    if "_codec" in str(reason):
        raise
    folders = sys.path[:] = mount_sources(sys.argv[3], sys.argv[4])
import _boot  # noqa: E402
import _files  # noqa: E402

vfs.umount("/")
del mount_image, mount_sources
_boot.boot(vfs.mount, _files.Drive(vfs.VfsPosix("/"), sys.argv[1]), folders)
