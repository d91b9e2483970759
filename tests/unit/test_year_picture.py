"""The picture of a run of days: what stands for each screen of the firmware."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from host_tools.boards import load_board
from host_tools.clock import NS
from host_tools.rehearsal import days, year_picture
from host_tools.rehearsal.chart import Days
from host_tools.rehearsal.logbook import DAY_NS, Logbook
from host_tools.rehearsal.year_picture import ASKS, EARLIER, ERROR, WAITS
from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from stoa import screens
from tests.home import MAGTAG

COLOURS = {
    "quote": EARLIER,
    "pairing": ASKS,
    "mfa": ASKS,
    "push": ASKS,
    "waiting": WAITS,
    "error": ERROR,
    "setting": ERROR,
}


def test_every_screen_has_its_colour():
    assert set(COLOURS) == set(screens.NAMES)


@pytest.mark.parametrize("screen", COLOURS)
def test_what_the_glass_showed_all_day_is_seen(screen):
    plan = days.read_plan(load_board(MAGTAG), CPythonRuntime(), 1, "2027-01-01")
    log = Logbook(1_798_761_600 * NS, 420, 250)
    log.shows(log.start_ns, screen, None)
    log.end_day(log.start_ns + DAY_NS, 0)
    with Image.open(io.BytesIO(year_picture.draw(plan, log))) as opened:
        picture = opened.convert("RGB")
    x, _ = Days(plan.start, 1, year_picture.LEFT, year_picture.RIGHT).column(0)
    seen = picture.getpixel((x + 2, year_picture.TOP + 12 * year_picture.HOUR_PX))
    assert "#" + bytes(seen).hex() == COLOURS[screen]
