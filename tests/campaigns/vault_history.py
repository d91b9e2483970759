"""What happens to a vault over the years: a seed's random history on flash full of noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from stoa import vault
from tests.unit.drive import BLOCK
from tests.unit.flash import SECTOR
from tests.unit.media import Board

OWNERS = (b"home", b"work")
# What the vault holds: whose token and which, or None.
Held = tuple[bytes, str] | None
Kind = Callable[..., vault.Vault]


@dataclass
class Call:
    """What the firmware does with the vault at one go."""

    name: str
    owner: bytes = OWNERS[0]
    token: str = ""

    def __call__(self, board: Board, kind: Kind) -> None:
        if self.name == "store":
            boot(board, kind, self.owner).store(self.token)
        elif self.name == "clear":
            boot(board, kind, self.owner).clear()
        elif self.name == "wipe":
            board.vault(self.owner, kind).clear()
        else:
            board.drive.read_only = self.name == "computer takes the drive"

    def leaves(self, held: Held) -> Held:
        """What the vault holds after it, of what it held before."""
        if self.name == "store":
            return self.owner, self.token
        return None if self.name in ("clear", "wipe") else held

    def again(self) -> Call:
        """The next boot's: a refresh brings yet another token."""
        return replace(self, token=self.token[1:] + self.token[:1])


def boot(board: Board, kind: Kind, owner: bytes) -> vault.Vault:
    """What a wake does before it presents the token (stoa.sign_in): it puts it back where it is missing."""
    opened = board.vault(owner, kind)
    token = opened.load()
    if token is not None and len(opened.held_by) < 2:
        opened.store(token)
    return opened


def noisy_board(seed: int) -> Board:
    """Flash that nobody prepared: nvm is noise, and so are the slots, or at every other seed as deployed."""
    random = Random(seed)
    content = vault.initial_file()
    contents = content, content
    if seed % 2 == 0:
        contents = noise(random, content), noise(random, content)
    board = Board(contents, base=random.randrange(SECTOR // BLOCK) * BLOCK)
    board.power.cuts_seed = seed
    assert board.nvm is not None
    board.nvm.data[:] = random.randbytes(len(board.nvm))
    return board


def noise(random: Random, content: bytes) -> bytes:
    """A deployed file whose slot is noise. Its padding is the deploy's, and nothing ever writes there."""
    return content[:SECTOR] + random.randbytes(len(content) - 2 * SECTOR) + content[-SECTOR:]


def history(seed: int) -> Iterator[Call]:
    random = Random(f"history {seed}")
    number = 0
    read_only = False
    while True:
        number += 1
        chance = random.random()
        if chance < 0.06:
            yield Call("clear" if chance < 0.03 else "wipe")
        elif chance < (0.3 if read_only else 0.1):
            read_only = not read_only
            yield Call("computer takes the drive" if read_only else "computer lets go")
        else:
            # Mostly opaque tokens; one in eight is a JWT of any size up to the limit.
            size = random.randint(1, vault.CAPACITY) if random.random() < 0.125 else random.randint(20, 400)
            token = f"t{number}." + "".join(random.choices("abcXYZ012-_", k=16)) * 256
            yield Call("store", OWNERS[random.random() < 0.1], token[: max(size, 8)])
