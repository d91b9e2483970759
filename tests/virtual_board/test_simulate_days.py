"""Days in virtual time: the figures of a run against counts made elsewhere, what faults do to it, and its picture."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from host_tools import quote_packs
from host_tools.boards import load_board
from host_tools.clock import NS, VirtualClock
from host_tools.fonts import compiled_fonts
from host_tools.rehearsal import days, year_picture
from host_tools.rehearsal.chart import Days
from host_tools.rehearsal.logbook import DAY_NS, Logbook, WakeEntry
from host_tools.virtual_board.energy import MAH
from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from tests.home import FEATHER, MAGTAG

START = "2027-01-01"
PACK = quote_packs.load_pack(Path(quote_packs.__file__).parent / "stoics.toml")
# What a device asks for, and no browser.
OF_DEVICES = ("/oauth/", "/mfa/", "/.well-known/", "/api/")


def plan(count: int, *faults: str, board: str = MAGTAG, **options: str) -> days.Plan:
    return days.read_plan(load_board(board), CPythonRuntime(), count, START, faults, **options)


@pytest.fixture(scope="module")
def quote_picture(tmp_path_factory):
    """What a MagTag's glass looks like with the quote of a UTC day on it, drawn in this process."""
    from stoa import screens, text
    from stoa.canvas import Canvas

    folder = tmp_path_factory.mktemp("fonts")
    for name, content in compiled_fonts().items():
        (folder / name).write_bytes(content)

    def draw(day: int) -> bytes:
        quote = quote_packs.quote_of_day(PACK, day)
        content = {name: getattr(quote, name) for name in ("text", "author", "work", "locus")}
        panel = load_board(MAGTAG).panel
        canvas = Canvas(panel.width, panel.height, panel.rotation)
        before, text.FOLDER = text.FOLDER, str(folder)
        try:
            screens.draw(canvas, "quote", {"quote": content})
        finally:
            text.FOLDER = before
        return bytes(255 * canvas.is_white(x, y) for y in range(canvas.height) for x in range(canvas.width))

    return draw


class Witness:
    """Sees a run from outside the logbook: the server's tally and requests, the board's console, glass and drive."""

    def __init__(self, monkeypatch, pictures=None, looks_every=1) -> None:
        self.asked: list[tuple[int, str, int]] = []  # UTC day, path, status
        self.boots: list[int] = []  # UTC days
        self.days_shown: list[int] = []  # of those on which it looks
        self.tally: dict[str, int] = {}
        self._pictures = pictures
        self._looks_every = looks_every
        start_authority, unpack_board = days.start_authority, days.unpack_board

        def start(clock, on_request):
            self.clock = clock

            def heard(method, path, status):
                self.asked.append((clock.now_ns() // DAY_NS, path, status))
                on_request(method, path, status)

            self.authority = start_authority(clock, on_request=heard)
            return self.authority

        def unpack(*arguments):
            self.board = unpack_board(*arguments)
            hear = self.board.on_console

            def on_console(line):
                if line.startswith("stoa wake "):
                    self.boots.append(self.clock.now_ns() // DAY_NS)
                hear(line)

            self.board.on_console = on_console
            return self.board

        monkeypatch.setattr(days, "start_authority", start)
        monkeypatch.setattr(days, "unpack_board", unpack)

    def on_day(self, number: int) -> None:
        """At midnight: what does the glass show of the day that is over?"""
        self.tally = self.authority.control.tally()
        over = self.clock.now_ns() // DAY_NS - 1
        looks = self._pictures is not None and not number % self._looks_every
        if looks and self.board.glass.image().tobytes() == self._pictures(over):
            self.days_shown.append(number)

    def of_devices(self) -> list[tuple[int, str, int]]:
        return [request for request in self.asked if request[1].startswith(OF_DEVICES)]


def test_a_year_is_what_the_server_the_glass_and_the_battery_saw_of_it(monkeypatch, quote_picture):
    witness = Witness(monkeypatch, quote_picture, looks_every=5)
    log = days.live(plan(365), witness.on_day)
    figures = log.figures()
    assert figures["complete"]
    assert figures["days"] == figures["days_with_todays_quote"] == 365
    assert witness.days_shown == list(range(5, 366, 5))
    # Paired at midnight, it wakes at six of the same day too.
    assert figures["wakes"] == len(witness.boots) == 366
    assert figures["max_wakes_per_day"] == 2
    assert figures["http_requests"] == len(witness.of_devices())
    tally = witness.tally
    assert figures["nvm_writes"] == tally["families_begun"] + tally["refreshes"], "one for each token there was"
    assert figures["panel_refreshes"] == witness.board.glass.refreshes
    assert (figures["codes_shown"], figures["approvals"]) == (1, tally["device_grants_approved"])
    assert figures["charge_mah_per_day"] * 365 == pytest.approx(witness.board.meter.charge() / MAH, abs=0.05)
    assert figures["battery_days"] == pytest.approx(420 / figures["charge_mah_per_day"], rel=0.001)
    # A MagTag asleep draws 250 uA, 6 mAh a day; awake 8 s a day at some 100 mA it takes 0.2 mAh.
    assert 6.1 < figures["charge_mah_per_day"] < 6.6
    assert 5.99 < figures["charge_mah_per_day_asleep"] < 6
    assert (figures["defects"], figures["panel_faults"]) == (0, 0)


def test_bad_days_are_told_as_they_were(monkeypatch, quote_picture):
    witness = Witness(monkeypatch, quote_picture)
    run = plan(14, "wifi-absent@4-5", "busy-stuck@8", "power:flash:4:torn@11", mfa="rule@13-14", away="13-14")
    log = days.live(run, witness.on_day)
    figures = log.figures()
    first = log.start_ns // DAY_NS
    assert figures["days_with_todays_quote"] == len(witness.days_shown) < 14
    assert sorted(day - first + 1 for day in log.quotes) == witness.days_shown
    assert not {4, 5, 8, 13, 14} & set(witness.days_shown)
    assert {1, 2, 3, 6, 7, 10, 11, 12} <= set(witness.days_shown)
    per_day = Counter(day - first + 1 for day, _, _ in witness.of_devices())
    assert log.per_day("requests") == [per_day[day] for day in range(1, 15)]
    assert per_day[4] == per_day[5] == 0, "no Wi-Fi"
    boots = Counter(day - first + 1 for day in witness.boots)
    assert log.per_day("wakes") == [boots[day] for day in range(1, 15)]
    reasons = figures["wakes_by_reason"]
    assert (reasons["power lost"], reasons["panel"] > 0, reasons["wifi"] > 4) == (1, True, True)
    assert figures["codes_shown"] == witness.tally["device_grants_asked"] > figures["approvals"] == 1
    assert figures["panel_refreshes"] == witness.board.glass.refreshes
    assert sum(log.charge_per_day()) == pytest.approx(witness.board.meter.charge() / MAH)


def test_a_fault_that_strikes_once_does_so_each_day_of_its_span(monkeypatch):
    log = days.live(plan(5, "power:call:30:before@2-4"), Witness(monkeypatch).on_day)
    lost = [log.day_of(wake.began_ns) + 1 for wake in log.wakes if wake.reason == "power lost"]
    assert lost == [2, 3, 4]
    assert log.figures()["faults_missed"] == []


def test_two_faults_of_a_kind_may_follow_each_other():
    log = days.live(plan(2, "battery:3300@1", "battery:4100@2"), lambda day: None)
    assert log.wakes[0].reason == "low_battery"
    assert log.figures()["days_with_todays_quote"] == 1


def test_the_power_is_back_after_two_seconds(monkeypatch):
    log = days.live(plan(2, "power:call:30:before@2"), Witness(monkeypatch).on_day)
    at = next(number for number, wake in enumerate(log.wakes) if wake.reason == "power lost")
    assert log.wakes[at + 1].began_ns == log.wakes[at].ended_ns + 2 * NS


def test_a_fault_that_no_wake_comes_to_is_told():
    never = ("power:call:99999:before@1", "hang:wifi.conect@2", "brown-out:4000@2", "lost-reply:99@3")
    # Some wakes of that day draw, and others do not.
    now_and_then = ("hang:spi.write@1",)
    figures = days.live(plan(3, *never, *now_and_then), lambda day: None).figures()
    assert figures["faults_missed"] == [
        "brown-out:4000",
        "hang:wifi.conect",
        "lost-reply:99",
        "power:call:99999:before",
    ]


def test_one_fault_may_keep_another_from_its_moment():
    figures = days.live(plan(1, "hang", "brown-out"), lambda day: None).figures()
    assert figures["faults_missed"] == ["brown-out"]


def test_a_loss_of_power_waits_for_the_wake_that_comes_to_it():
    # Without Wi-Fi a wake has no flash operation.
    log = days.live(plan(2, "wifi-absent@1", "power:flash:1:torn@1-2"), lambda day: None)
    lost = [log.day_of(wake.began_ns) + 1 for wake in log.wakes if wake.reason == "power lost"]
    assert lost == [2]
    assert log.figures()["faults_missed"] == []


def test_the_same_plan_has_the_same_days(monkeypatch):
    first, second = (days.live(plan(6, "dns@3"), lambda day: None) for _ in range(2))
    assert first.figures() == second.figures()
    assert first.glass == second.glass


def test_the_other_board_lives_too(monkeypatch):
    figures = days.live(plan(3, board=FEATHER), lambda day: None).figures()
    assert (figures["days_with_todays_quote"], figures["complete"]) == (3, True)
    # 18 uA asleep.
    assert figures["charge_mah_per_day_asleep"] == pytest.approx(0.432, abs=0.001)


def test_whoever_has_had_enough_gets_what_there_was(monkeypatch):
    over = []
    log = days.live(plan(365), over.append, lambda: len(over) == 3)
    figures = log.figures()
    assert over == [1, 2, 3]
    assert (figures["days"], figures["days_with_todays_quote"], figures["complete"]) == (3, 3, False)


def test_a_board_that_stays_awake_ends_the_run(monkeypatch):
    witness = Witness(monkeypatch)

    def on_day(day):
        if day == 2:
            witness.board.install({"code.py": b"pass\n"})

    log = days.live(plan(9), on_day)
    assert (log.days, log.figures()["complete"]) == (2, False)
    assert "instead of going to sleep" in log.failure


BOASTS = b"""
import alarm, time
print("stoa screen name=quote refreshed=no")
alarm.exit_and_deep_sleep_until_alarms(alarm.time.TimeAlarm(epoch_time=time.time() + 43200))
"""


def test_a_display_that_says_it_shows_a_quote_and_asked_nobody_for_one_is_not_believed(monkeypatch):
    witness = Witness(monkeypatch)

    def on_day(day):
        if day == 2:
            witness.board.install({"code.py": BOASTS})

    log = days.live(plan(5), on_day)
    assert log.per_day("wakes")[3:] == [2, 2]
    assert log.figures()["days_with_todays_quote"] == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"count": 0}, "--days 0: a run has 1 to 3660 days"),
        ({"count": 3661}, "--days 3661"),
        ({"start": "2027-02-29"}, "--start 2027-02-29: no such date; write it as 2027-01-01"),
        ({"start": "20270101"}, "no such date"),
        ({"start": "2019-01-01"}, "2024-01-02 to 2035-12-31"),
        ({"mfa": "on"}, "--mfa on: it is one of never, always, adaptive, rule"),
        ({"mfa": "rule@8"}, "--mfa rule@8: day 8 is not in this run of 7 days"),
        ({"away": "3-2"}, "--away: days 3-2 are none"),
        ({"away": "0"}, "they count from 1"),
        ({"faults": ["dnss@2"]}, "did you mean dns?"),
        ({"faults": ["dns@2..3"]}, "--fault dns@2..3: '2..3' is no span of days; write one as 7, 7-9 or 7-"),
        ({"faults": ["truncate@2"]}, "write it as truncate:BYTES"),
        ({"faults": ["button-stuck:BUTTON_X"]}, "has no button BUTTON_X; it has BUTTON_A, BUTTON_D"),
        ({"faults": ["battery:3000"], "board": FEATHER}, "cannot measure its battery"),
        (
            {"faults": ["hang@2-4", "hang:spi.write@4-"]},
            "--fault hang and --fault hang:spi.write: of each kind there is one at a time",
        ),
        ({"panel": "oled"}, "unknown panel 'oled'"),
    ],
)
def test_an_odd_plan_is_refused_with_the_remedy(changes, words):
    options = {"count": 7, "start": START, "faults": [], **changes}
    count, board = options.pop("count"), options.pop("board", MAGTAG)
    with pytest.raises(days.StoaError) as refused:
        days.read_plan(load_board(board), CPythonRuntime(), count, **options)
    assert words in str(refused.value)


def wakes_at(*hours: float) -> Logbook:
    log = Logbook(0, 420, 250)
    for hour in hours:
        at_ns = int(hour * 3600) * NS
        log.wakes.append(WakeEntry(at_ns, at_ns + NS, "daily", 0, 0, 0, 0, 0))
    return log


@pytest.mark.parametrize(
    ("hours", "most"),
    [((), 0), ((6,), 1), ((6, 30, 54), 1), ((6, 29.99), 2), ((20, 22, 26, 43.9, 44.1), 4), ((0, 1, 2, 25, 26), 3)],
)
def test_the_most_wakes_in_any_24_hours(hours, most):
    assert wakes_at(*hours).max_wakes_per_day() == most


def test_the_picture_has_each_day_where_it_belongs():
    run = plan(20, "dns@5-8")
    log = days.live(run, lambda day: None)
    with Image.open(io.BytesIO(year_picture.draw(run, log))) as opened:
        picture = opened.convert("RGB")
    axis = Days(run.start, 20, year_picture.LEFT, year_picture.RIGHT)

    def on_glass(day: int, hour: float) -> str:
        x = axis.column(day - 1)[0] + 2
        pixel = picture.getpixel((x, year_picture.TOP + int(hour * year_picture.HOUR_PX)))
        return "#" + bytes(pixel).hex()

    assert picture.width == year_picture.WIDTH
    assert [on_glass(day, 20) for day in (1, 4, 9, 20)] == [year_picture.TODAY] * 4
    assert [on_glass(day, 3) for day in (2, 5, 20)] == [year_picture.EARLIER] * 3
    assert [on_glass(day, 20) for day in (5, 6, 8)] == [year_picture.ERROR] * 3
    lane = picture.height - 24 - year_picture.LANE_PX // 2
    in_force = [picture.getpixel((int(axis.x(day - 0.5)), lane)) for day in (3, 5, 8)]
    assert len(set(in_force[1:])) == 1
    assert in_force[0] != in_force[1]


@pytest.mark.parametrize("count", [1, 2, 3660])
def test_a_picture_of_any_run_can_be_drawn(count):
    run = plan(count, *(["dns@1-"] if count > 1 else []))
    log = Logbook(VirtualClock.starting_now().now_ns() // DAY_NS * DAY_NS, 420, 250)
    log.wakes = [WakeEntry(log.start_ns + 5 * NS, log.start_ns + 9 * NS, "daily", 1, 9, 1, 5, 1)]
    for day in range(1, count + 1):
        log.end_day(log.start_ns + day * DAY_NS, day * MAH)
    with Image.open(io.BytesIO(year_picture.draw(run, log))) as picture:
        assert picture.size[0] == year_picture.WIDTH
