"""The picture of a run: what the glass showed at every hour of every day, and what that cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

from host_tools.clock import NS
from host_tools.rehearsal.chart import DIM, INK, PAPER, RULE, Chart, Days, round_up
from host_tools.rehearsal.days import Plan
from host_tools.rehearsal.logbook import BLANK, DAY_NS, Logbook, Showing
from host_tools.rehearsal.spans import ALWAYS, Span

WIDTH, LEFT, RIGHT = 1560, 84, 1520
# Where the hours begin.
TOP = 178
HOUR_PX = 12
LANE_PX = 24
BARS_PX = 92
TODAY, EARLIER, ASKS, WAITS, ERROR, NOTHING = "#2f6fb0", "#c6dbef", "#f0a30a", "#f8dd9c", "#cc4125", "#e4e4e4"
_COLOURS = {
    "pairing": ASKS,
    "mfa": ASKS,
    "push": ASKS,
    "waiting": WAITS,
    "error": ERROR,
    "setting": ERROR,
    BLANK: NOTHING,
}
LEGEND = (
    (TODAY, "today's quote"),
    (EARLIER, "an earlier day's"),
    (WAITS, "waits for a person, quote kept"),
    (ERROR, "says what is wrong, quote kept"),
    (NOTHING, "blank"),
)
DOTS = ((INK, "a wake"), (ASKS, "a wake that asks a person"))


def draw(plan: Plan, log: Logbook) -> bytes:
    """A PNG. Days that did not happen stay white."""
    lanes = list(_lanes(plan))
    shape = 24 * HOUR_PX
    height = TOP + shape + 58 + 3 * (BARS_PX + 46) + LANE_PX * len(lanes) + (24 if lanes else -10)
    chart = Chart(WIDTH, height)
    days = Days(plan.start, plan.days, LEFT, RIGHT)
    _head(chart, plan, log)
    top = TOP
    _hours(chart, days, log, top)
    top += shape + 58
    for title, unit, values, colour in (
        ("Wakes", "a day; the firmware allows itself 24 in any 24 hours", log.per_day("wakes"), "#5b7083"),
        ("HTTP requests", "a day", log.per_day("requests"), "#5b7083"),
        ("Charge", "mAh a day", log.charge_per_day(), "#4f9d69"),
    ):
        chart.text((LEFT, top - 9), title, 16, anchor="ls", bold=True)
        chart.bars(days, values, top, top + BARS_PX, round_up(max([*values, 1])), colour, unit)
        top += BARS_PX + 46
    if lanes:
        chart.text((LEFT, top - 9), "What was in force", 16, anchor="ls", bold=True)
        chart.grid(days, top, top + LANE_PX * len(lanes), labels=False)
        for label, span, colour in lanes:
            _lane(chart, days, label, span, colour, top)
            top += LANE_PX
    out = BytesIO()
    chart.image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _head(chart: Chart, plan: Plan, log: Logbook) -> None:
    figures = log.figures()
    first, last = (f"{at.day} {at:%B %Y}" for at in (plan.start, plan.start + timedelta(plan.days - 1)))
    chart.text((LEFT, 22), f"{plan.days} {'day' if plan.days == 1 else 'days'} of a display", 30, bold=True)
    span = first if plan.days == 1 else f"{first} to {last}"
    about = f"{plan.board.name}, {span}, in virtual time (UTC)"
    if not figures["complete"]:
        about += f"; ended on day {log.days + 1}"
    chart.text((LEFT, 60), about, 17, DIM)
    told = (
        (f"{figures['days_with_todays_quote']} of {plan.days}", "days with today's quote"),
        (f"{figures['wakes']:,}", f"wakes, {figures['max_wakes_per_day']} at most in 24 hours"),
        (f"{figures['http_requests']:,}", "HTTP requests"),
        (f"{figures['panel_refreshes']:,}", "panel refreshes"),
        (f"{figures['codes_shown']:,}", "codes shown to a person"),
        (f"{figures['charge_mah_per_day']:.2f} mAh", "a day"),
        (f"{figures['battery_days'] or 0:.0f} days", f"from {figures['battery_mah']} mAh"),
    )
    wide = (RIGHT - LEFT) / len(told)
    for index, (figure, what) in enumerate(told):
        chart.text((LEFT + index * wide, 92), figure, 24, bold=True)
        chart.text((LEFT + index * wide, 121), what, 14, DIM)


def _hours(chart: Chart, days: Days, log: Logbook, top: int) -> None:
    """A column a day, midnight at the top: what the glass shows, and a dot for each wake."""
    chart.text((LEFT, top - 12), "The glass, hour by hour", 16, anchor="ls", bold=True)
    bottom = top + 24 * HOUR_PX
    for since_ns, until_ns, showing in _stretches(log):
        day = log.day_of(since_ns)
        begin, end = days.column(day)
        colour = _colour(showing, log.day_of_utc(day))
        chart.box(begin, _y(log, since_ns, top), end, _y(log, until_ns, top), colour)
    for hour in range(0, 25, 6):
        y = top + hour * HOUR_PX
        chart.line(LEFT - 5, y, LEFT, RULE)
        chart.text((LEFT - 8, y), f"{hour:02}:00", 13, DIM, "rm")
    chart.grid(days, bottom, bottom + 6, labels=True)
    # Small enough that neighbours do not touch, down to a pixel.
    radius = min(3.0, max(0.8, (RIGHT - LEFT) / days.count / 4))
    for wake in log.wakes:
        middle = sum(days.column(log.day_of(wake.began_ns))) / 2
        asks = wake.asked > 0
        _dot(chart, middle, _y(log, wake.began_ns, top), max(radius, 2.5 * asks), ASKS if asks else INK)
    _legend(chart, top - 12)


def _legend(chart: Chart, base: int) -> None:
    """To the left from the right edge, its text on the line `base`."""
    x = float(RIGHT)
    for colour, label in reversed(DOTS):
        x -= chart.text((x, base), label, 14, anchor="rs") + 10
        _dot(chart, x, base - 5, 3, colour)
        x -= 20
    for colour, label in reversed(LEGEND):
        x -= chart.text((x, base), label, 14, anchor="rs") + 6
        chart.box(x - 12, base - 11, x, base + 1, colour)
        x -= 28


def _dot(chart: Chart, x: float, y: float, radius: float, colour: str) -> None:
    if colour != INK:
        chart.dot(x, y, radius + 1, INK)
    chart.dot(x, y, radius, colour)


def _y(log: Logbook, at_ns: int, top: int) -> float:
    return top + (at_ns - log.start_ns) % DAY_NS / (3600 * NS) * HOUR_PX


def _stretches(log: Logbook) -> Iterator[tuple[int, int, Showing]]:
    """What the glass showed, cut at each midnight; the end lies within the day that began it."""
    ends = [showing.since_ns for showing in log.glass[1:]] + [log.now_ns]
    for showing, end_ns in zip(log.glass, ends, strict=True):
        since_ns = showing.since_ns
        while since_ns < end_ns:
            midnight_ns = since_ns - (since_ns - log.start_ns) % DAY_NS + DAY_NS
            yield since_ns, min(end_ns, midnight_ns - 1), showing
            since_ns = midnight_ns


def _colour(showing: Showing, day: int) -> str:
    if showing.screen == "quote":
        return TODAY if showing.quote_day == day else EARLIER
    return _COLOURS.get(showing.screen, ERROR)


def _lanes(plan: Plan) -> Iterator[tuple[str, Span, str]]:
    if plan.mfa.what != "never":
        yield f"MFA: {plan.mfa.what}", plan.mfa.span, ASKS
    if plan.away is not None:
        yield "nobody answers", plan.away, WAITS
    for fault in plan.faults:
        yield fault.what, fault.span, ERROR


def _lane(chart: Chart, days: Days, label: str, span: Span, colour: str, top: int) -> None:
    begin = days.x(span.first - 1)
    end = max(days.x(min(span.last or days.count, days.count)), begin + 2)
    chart.box(begin, top + 4, end, top + LANE_PX - 5, colour)
    days_told = "" if span == ALWAYS else f", day {span.first}"
    if span != ALWAYS and span.last != span.first:
        days_told += f" to {span.last or days.count}"
    # Beside its bar, on the side that has room.
    beside = (begin - 6, "rm") if end > (LEFT + RIGHT) / 2 and begin - LEFT > 300 else (end + 6, "lm")
    ink = INK
    if end > RIGHT - 300 and begin - LEFT <= 300:
        beside, ink = (begin + 6, "lm"), PAPER if colour == ERROR else INK
    chart.text((beside[0], top + LANE_PX / 2), label + days_told, 14, ink, beside[1])
