"""The vault's media, cut short at any operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stoa import vault
from stoa.vault import Vault
from tests.unit.drive import Drive
from tests.unit.flash import HOWS, Nvm, Power, PowerCut


class Board:
    """`content`: of both files, or one for each; as deployed if not given."""

    def __init__(
        self,
        content: bytes | tuple[bytes, bytes] | None = None,
        base: int = 1536,
        read_only: bool = False,
        nvm: bool = True,
    ) -> None:
        self.power = Power()
        content = vault.initial_file() if content is None else content
        self.drive = Drive(self.power, content if isinstance(content, tuple) else (content, content), base)
        self.drive.read_only = read_only
        self.nvm = Nvm(self.power) if nvm else None

    def vault(self, owner: bytes = b"home", kind: Callable[..., Vault] = Vault) -> Vault:
        return kind(self.nvm, self.drive.open, owner)

    def cut(self, at: int, how: str, action: Callable[[Vault], object]) -> bool:
        """Run `action(vault)` with the power going at operation `at`. False when it was over before."""
        self.power.restore(at, how)
        try:
            action(self.vault())
        except PowerCut:
            return True
        finally:
            self.power.restore()
        return False

    def snapshot(self) -> tuple:
        """What outlives a loss of power, and whether a computer has the drive."""
        memories = [bytes(memory) for memory in self._memories()]
        return memories, self.drive.read_only

    def go_back(self, snapshot: tuple) -> None:
        memories, self.drive.read_only = snapshot
        for memory, content in zip(self._memories(), memories, strict=True):
            memory[:] = content
        self.power.restore()

    def _memories(self) -> list[bytearray]:
        on_drive = [memory for folder in self.drive.folders for memory in folder.memories()]
        return on_drive if self.nvm is None else [*on_drive, self.nvm.data]


def all_cuts(board_factory: Callable[[], Board], action: Callable[[Vault], object]) -> Iterator[tuple[Board, str]]:
    """A board for every operation of `action(vault)` and every way to cut it, with the words to say which."""
    at = 0
    while True:
        at += 1
        for how in HOWS:
            board = board_factory()
            if not board.cut(at, how, action):
                assert at > 1, "no cut was ever made"
                return
            yield board, f"cut {how} operation {at}"
