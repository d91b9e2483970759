"""A file that is to be flashed: whether it is whole, and for this board. Images are the user's download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from host_tools.boards import Board, available, load_board
from host_tools.device.errors import ImageRefused
from host_tools.device.finding import circuitpython_build
from host_tools.device.finding.circuitpython_build import Build
from host_tools.device.flashing.esp_image import MergedImage, check_application, read_image
from host_tools.device.flashing.uf2 import Uf2, is_uf2, read_uf2


@dataclass(frozen=True)
class Image:
    """A file that may be flashed to `board`. inside: a MergedImage goes to a port, a Uf2 to a bootloader's drive."""

    path: Path
    board: Board
    build: Build
    inside: MergedImage | Uf2

    @property
    def title(self) -> str:
        return f"CircuitPython {self.build.release}" if self.build.release else self.path.name

    def named(self, suffix: str) -> str:
        """What to download for this board, and where."""
        return download(self.board.id, suffix)


def open_image(path: Path, board_id: str | None) -> Image:
    """board_id: None for the board that the image says. ImageRefused; BoardError if it is not known."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImageRefused(f"cannot read {path}: {error.strerror}") from None
    known = [board.id for board in available()]
    try:
        inside = _inside(content)
    except ImageRefused as refused:
        raise ImageRefused(f"{path.name} {refused}") from None
    build = circuitpython_build.identify(path, inside.content, known)
    wanted = board_id or build.board_id
    if wanted is None:
        raise ImageRefused(f"{path.name} does not say which board it is for: name it with --board ID (`stoa boards`)")
    board = load_board(wanted)
    _check_is_for(path, inside, build, board, known)
    return Image(path, board, build, inside)


def missing_image(board_ids: Sequence[str], suffix: str) -> ImageRefused:
    """Says what to download. board_ids: of those that the board may be. suffix: ".bin" or ".uf2"."""
    if not board_ids:
        return ImageRefused(f"which image? Give --board ID (`stoa boards`), and the {suffix} to download is named")
    downloads = "; or ".join(download(load_board(board_id).id, suffix) for board_id in board_ids)
    return ImageRefused(f"which image? Download {downloads} (Stoa fetches nothing), and give it with --image")


def download(board_id: str, suffix: str) -> str:
    return f"{circuitpython_build.file_name(board_id, suffix)} (or newer) from {circuitpython_build.page(board_id)}"


def _inside(content: bytes) -> MergedImage | Uf2:
    if not is_uf2(content):
        return read_image(content)
    inside = read_uf2(content)
    if (chip := check_application(inside.content)) != inside.chip:
        raise ImageRefused(f"says it is for {inside.chip}, and holds an application for {chip}")
    return inside


def _check_is_for(path: Path, inside: MergedImage | Uf2, build: Build, board: Board, known: Sequence[str]) -> None:
    take = f"take {download(board.id, '.uf2' if isinstance(inside, Uf2) else '.bin')}"
    other = circuitpython_build.other_board(inside.content, board.id, known)
    if build.board_id is None:
        named = f" (it is CircuitPython for {build.board_name!r})" if build.board_name else ""
        raise ImageRefused(f"{path.name} does not say that it is for {board.id}{named}: {take}, under its own name")
    if build.version and build.version[:2] < circuitpython_build.OLDEST:
        oldest = ".".join(map(str, circuitpython_build.OLDEST))
        raise ImageRefused(f"{path.name} is CircuitPython {build.release}, and Stoa needs {oldest} at least: {take}")
    if build.board_id != board.id or other:
        raise ImageRefused(f"{path.name} is for {other or build.board_id}, not for {board.id}: {take}")
    if inside.chip != board.chip:
        raise ImageRefused(f"{path.name} is for an {inside.chip}, and {board.id} has an {board.chip}: {take}")
