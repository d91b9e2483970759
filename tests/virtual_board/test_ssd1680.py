"""The controller model by its data sheet: what SPI bytes, D/C, CS and RESET do to RAM, BUSY and the glass."""

import pytest

from host_tools.clock import VirtualClock
from host_tools.virtual_board.controllers.glass import BLACK, WHITE, Glass
from host_tools.virtual_board.controllers.panels import PANELS, Panel
from host_tools.virtual_board.controllers.ssd1680 import GATES, ROW, Ssd1680

PLAIN = Panel("test", "ssd1680", 16, 8, 0, 0, 2000)
MS = 1_000_000


class Wired:
    """A controller on its wires."""

    def __init__(self, panel=PLAIN):
        self.clock = VirtualClock(10**18)
        self.glass = Glass(panel)
        self.pictures = []
        self.chip = Ssd1680(self.glass, self.clock, lambda: self.pictures.append(bytes(self.glass.pixels)))
        self.reset()

    def reset(self):
        self.chip.set_reset(False)
        self.chip.set_reset(True)
        self.clock.sleep_ns(10 * MS)

    def command(self, command, *data):
        self.chip.set_select(False)
        self.chip.set_data_command(False)
        self.chip.spi(bytes([command]))
        self.chip.set_data_command(True)
        for byte in data:
            self.chip.spi(bytes([byte]))
        self.chip.set_select(True)

    def window(self, x0, x1, y0, y1):
        self.command(0x44, x0, x1)
        self.command(0x45, y0 & 0xFF, y0 >> 8, y1 & 0xFF, y1 >> 8)
        self.command(0x4E, x0)
        self.command(0x4F, y0 & 0xFF, y0 >> 8)

    def clear(self):
        """Both planes over all RAM: white, no red."""
        for plane, value in ((0x24, 0xFF), (0x26, 0x00)):
            self.window(0, ROW - 1, 0, GATES - 1)
            self.command(plane, *([value] * ROW * GATES))

    def refresh(self, sequence=0xF7):
        self.command(0x22, sequence)
        self.command(0x20)
        self.clock.sleep_ns(60_000 * MS)

    def black(self):
        """(x, y) of the glass' black pixels."""
        width = self.glass.panel.width
        return {(i % width, i // width) for i, shade in enumerate(self.glass.pixels) if shade == BLACK}


@pytest.fixture
def wired():
    wired = Wired()
    wired.clear()
    return wired


def test_a_window_is_filled_row_by_row_and_the_counters_come_round(wired):
    wired.window(0, 1, 2, 3)
    wired.command(0x24, 0x7F, 0xFF, 0xFF, 0xFE, 0xBF)
    wired.refresh()
    # Four bytes fill the window; the fifth is back at its start and overwrites the first.
    assert wired.black() == {(1, 2), (15, 3)}


@pytest.mark.parametrize(
    ("entry", "start", "second"),
    [
        (0x03, (0, 0), (8, 0)),
        (0x01, (0, 7), (8, 7)),
        (0x00, (1, 7), (0, 7)),
        (0x07, (0, 0), (0, 1)),
        (0x04, (1, 7), (8, 6)),
    ],
)
def test_entry_mode_says_which_way_the_counters_go(wired, entry, start, second):
    wired.window(0, 1, 0, 7)
    if not entry & 1:
        wired.command(0x44, 1, 0)
    if not entry & 2:
        wired.command(0x45, 7, 0, 0, 0)
    wired.command(0x11, entry)
    wired.command(0x4E, start[0])
    wired.command(0x4F, start[1], 0)
    wired.command(0x24, 0x7F, 0x7F)
    wired.refresh()
    assert wired.black() == {(8 * start[0], start[1]), second}


def test_the_glass_changes_only_on_activation(wired):
    wired.window(0, 1, 0, 7)
    wired.command(0x24, *([0] * 16))
    assert wired.black() == set()
    wired.command(0x22, 0xF7)
    assert wired.pictures == []
    wired.command(0x20)
    assert len(wired.pictures) == 1
    assert len(wired.black()) == 16 * 8


def test_an_activation_without_the_display_bit_draws_nothing(wired):
    wired.refresh(sequence=0xF3)
    assert wired.glass.refreshes == 0


def test_busy_for_as_long_as_the_glass_takes_and_deaf_meanwhile(wired):
    wired.command(0x22, 0xF7)
    wired.command(0x20)
    assert wired.chip.busy()
    wired.window(0, 0, 0, 0)
    assert wired.chip.faults == ["SPI while BUSY"]
    wired.clock.sleep_ns((PLAIN.refresh_ms - 1) * MS)
    assert wired.chip.busy()
    wired.clock.sleep_ns(60 * MS)
    assert not wired.chip.busy()


def test_deep_sleep_is_deaf_with_busy_high_until_a_reset(wired):
    wired.command(0x10, 0x01)
    assert wired.chip.busy()
    wired.clock.sleep_ns(10**12)
    assert wired.chip.busy()
    wired.refresh()
    assert wired.glass.refreshes == 0
    wired.reset()
    assert not wired.chip.busy()
    wired.refresh()
    assert wired.glass.refreshes == 1
    assert wired.black() == set(), "deep sleep mode 1 keeps the RAM"


def test_software_reset_restores_the_window_and_keeps_ram(wired):
    wired.window(0, 0, 3, 3)
    wired.command(0x24, 0x00)
    wired.command(0x12)
    assert wired.chip.busy()
    wired.clock.sleep_ns(10 * MS)
    wired.command(0x24, 0x0F)
    wired.refresh()
    assert wired.black() == {(x, 3) for x in range(8)} | {(x, 0) for x in range(4)}


def test_not_selected_is_not_spoken_to(wired):
    wired.chip.set_select(True)
    wired.chip.set_data_command(False)
    wired.chip.spi(b"\x20")
    assert wired.glass.refreshes == 0


def test_red_shows_as_black_on_two_colours_and_command_21_can_hide_it(wired):
    wired.window(0, 0, 0, 0)
    wired.command(0x26, 0x80)
    wired.refresh()
    assert wired.black() == {(0, 0)}
    wired.command(0x21, 0x40, 0x00)
    wired.refresh()
    assert wired.black() == set()


def test_plane_inversion(wired):
    wired.command(0x21, 0x08, 0x00)
    wired.refresh()
    assert len(wired.black()) == 16 * 8


def test_gates_beyond_the_driver_output_are_left_as_they_were(wired):
    wired.window(0, 1, 0, 7)
    wired.command(0x24, *([0] * 16))
    wired.command(0x01, 3, 0, 0)
    wired.refresh()
    assert wired.black() == {(x, y) for x in range(16) for y in range(4)}


def test_gates_scanned_from_the_other_end(wired):
    wired.window(0, 0, 0, 0)
    wired.command(0x24, 0x7F)
    wired.command(0x01, 7, 0, 1)
    wired.refresh()
    assert wired.black() == {(0, 7)}


def test_colstart_takes_the_picture_from_later_sources():
    wired = Wired(PANELS["magtag-2.9-ssd1680-colstart8"])
    wired.clear()
    wired.window(0, 1, 0, 0)
    wired.command(0x24, 0x00, 0x7F)
    wired.refresh()
    assert wired.black() == {(0, 0)}


def test_ram_never_written_shows_as_noise():
    wired = Wired(PANELS["magtag-2.9-ssd1680-colstart8"])
    wired.window(0, 15, 0, 295)
    wired.command(0x24, *([0xFF] * 16 * 296))
    wired.window(0, 15, 0, 295)
    wired.command(0x26, *([0x00] * 16 * 296))
    wired.refresh()
    assert {x for x, _ in wired.black()} == set(range(120, 128)), "only the stripe that the window missed"


@pytest.mark.parametrize(
    ("sequence", "fault"),
    [
        (0xC7, "a waveform of the driver's own is not modelled"),
        (0xFF, "partial refresh (display mode 2) is not modelled"),
    ],
)
def test_what_is_not_modelled_is_reported(wired, sequence, fault):
    wired.refresh(sequence)
    assert fault in wired.chip.faults


def test_an_unknown_command_is_reported(wired):
    wired.command(0x99)
    assert wired.chip.faults == ["command 0x99 is not modelled"]


def test_the_picture_stands_upright():
    glass = Glass(Panel("test", "ssd1680", 8, 24, 0, 1, 1))
    glass.pixels[7] = BLACK
    assert glass.image().size == (24, 8)
    assert glass.image().getpixel((0, 0)) == 0, "rotation 1 puts the end of the first scan row at the upper left"
    turned = Glass(Panel("test", "ssd1680", 8, 24, 0, 3, 1), bytes(glass.pixels))
    assert turned.image().getpixel((23, 7)) == 0


def test_glass_starts_white_and_ignores_a_picture_of_another_size():
    assert set(Glass(PLAIN, b"\x00" * 3).pixels) == {WHITE}


@pytest.mark.parametrize(
    ("option", "fault"),
    [
        ((0x01, 0x00), "plane options 0x01 are not modelled"),
        ((0x00, 0x80), "source output from S8 to S167 is not modelled"),
    ],
)
def test_plane_options_it_does_not_know_are_reported(wired, option, fault):
    wired.command(0x21, *option)
    assert wired.chip.faults == [fault]


def test_deep_sleep_mode_2_loses_the_ram(wired):
    wired.command(0x10, 0x03)
    wired.reset()
    wired.refresh()
    assert 0 < len(wired.black()) < 16 * 8


def test_a_display_without_power_is_no_display(wired):
    wired.refresh(sequence=0x14)
    assert wired.glass.refreshes == 0
    assert wired.chip.faults == ["display without clock and analog power"]
    wired.refresh(sequence=0xF4)
    wired.refresh(sequence=0x17)
    assert wired.glass.refreshes == 2, "on since F4"
    wired.refresh(sequence=0x14)
    assert wired.glass.refreshes == 2, "off since 17"
