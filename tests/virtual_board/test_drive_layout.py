"""What a power cut can take of the drive: whatever shares an erase sector with something the display writes."""

import pytest

from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.flash import ERASE_SECTOR
from tests.virtual_board.fat_layout import Layout

FOLDERS = ("/cache-a/", "/cache-b/", "/vault-a/", "/vault-b/")
BLOCK = 512


@pytest.fixture
def layout(home):
    return Layout(bytes(home.board.state.flash.content))


def test_the_layout_knows_every_file(home, layout):
    with mounted(home.board.state.flash) as drive:
        files = {"/" + path.lower() for path in drive.walk() if drive.stat("/" + path)[1]}
    named = {name.lower() for names in layout.names.values() for name in names}
    assert len(files) > 60
    assert files <= named
    assert {"<boot sector>", "<fat>", "/", *FOLDERS} <= named


def folder_of(name):
    """The written folder that a path or a folder's own entries belong to, or None."""
    return next((folder for folder in FOLDERS if name.startswith(folder)), None)


def test_no_erase_of_a_wake_touches_program_or_file_system(home, layout):
    pairing, daily, next_day = home.wake(), home.wake(), home.wake()
    written = set()
    for wake in (pairing, daily, next_day):
        erased = {operation.at for operation in wake.supply.flash if operation.medium == "drive"}
        assert len(erased) >= 2
        shared = {name for at in erased for name in layout.names[at]}
        assert {name for name in shared if folder_of(name) is None} <= {"/guard.bin"}
        written |= shared
    assert {folder_of(name) for name in written} >= set(FOLDERS)


def in_use(layout):
    """Erase sector -> the folders that have something to lose in it: their own entries, or a slot."""
    lose = {}
    for name, clusters in layout.clusters.items():
        folder = folder_of(name)
        if folder is None:
            continue
        blocks_of_padding = ERASE_SECTOR // BLOCK
        places = clusters if name == folder else clusters[blocks_of_padding:-blocks_of_padding]
        for place in places:
            lose.setdefault(place // ERASE_SECTOR * ERASE_SECTOR, set()).add(folder)
    return lose


def test_no_erase_sector_has_two_copies_to_lose(layout):
    lose = in_use(layout)
    assert {folder for folders in lose.values() for folder in folders} == set(FOLDERS)
    assert [folders for folders in lose.values() if len(folders) > 1] == []


def test_an_entry_with_bits_set_leads_from_one_copy_of_the_token_to_no_other(layout):
    # An erase cut short sets bits, and what it leads to would pass for the file.
    first = [layout.clusters[f"/vault-{name}/token.bin"][0] // BLOCK for name in "ab"]
    data = layout.data // BLOCK
    a, b = (block - data + 2 for block in first)
    assert a | b not in (a, b)
