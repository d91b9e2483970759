"""What of a console's line has which colour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.style import Style

from host_tools.device.console.console_colours import EVENTS, VALUES, coloured
from stoa import log

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"


def style_of(text, part):
    """The style of `part` where it first is in a Text."""
    at = text.plain.index(part)
    styles = [Style.parse(span.style) for span in text.spans if span.start <= at < span.end]
    return Style.combine(styles) if styles else Style.null()


def colour(line, part):
    found = style_of(coloured(line), part).color
    return found.name if found else None


def test_every_event_of_the_firmware_has_its_colour_or_is_plain_on_purpose():
    said = set()
    for path in FIRMWARE.rglob("*.py"):
        said |= set(re.findall(r"log\.say\(\"(\w+)\"", path.read_text(encoding="utf-8")))
    assert said and said <= EVENTS.keys()


@pytest.mark.parametrize("style", sorted({*EVENTS.values(), *VALUES.values()} - {""}))
def test_every_style_is_one(style):
    assert Style.parse(style) != Style.null()


@pytest.mark.parametrize(
    ("line", "part", "wanted"),
    [
        ("stoa wake by=boot", "wake", "cyan"),
        ("stoa refresh error=none outcome=rotated", "refresh", "green"),
        ("stoa refresh error=mfa_required outcome=needs_human", "refresh", "yellow"),
        ("stoa refresh error=invalid_client outcome=misconfigured", "refresh", "red"),
        ("stoa pairing detail=none outcome=granted", "pairing", "green"),
        ("stoa pairing detail=none outcome=expired", "pairing", "yellow"),
        ("stoa vault held_by=file+nvm", "vault", None),
        ("stoa vault held_by=none", "vault", "red"),
        ("stoa defect kind=KeyError until=1", "defect", "red"),
        ("stoa tomorrow by=boot", "tomorrow", None),
        ("Traceback (most recent call last):", "Trace", "red"),
        ("MemoryError: ", "Memory", "red"),
        ("Auto-reload is on.", "Auto", None),
    ],
)
def test_colours(line, part, wanted):
    assert colour(line, part) == wanted


def test_what_a_person_is_to_do_stands_out():
    line = 'stoa screen name=pairing user_code=CHCX-KCVQ verification_uri="http://id.example/a?b=1" x=y'
    text = coloured(line)
    assert style_of(text, "CHCX-KCVQ").bold and style_of(text, "http://").bold
    assert style_of(text, "user_code").dim and not style_of(text, "user_code").bold


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_no_text_is_changed(line):
    assert coloured(line).plain == line


@given(st.sampled_from(sorted(EVENTS)), st.dictionaries(st.sampled_from("abc"), st.text('ab ="\\[]x', max_size=9)))
def test_no_log_line_is_changed(event, fields):
    line = log.line(event, fields)
    text = coloured(line)
    assert text.plain == line
    # Inside a quoted value nothing is taken for a field's name.
    dim = {line[span.start : span.end] for span in text.spans if span.style == "dim"}
    assert dim - {"stoa", event} <= {f"{name}=" for name in fields}


def test_the_colours_are_those_of_every_terminal():
    named = {
        style.split()[-1]
        for style in (*EVENTS.values(), *VALUES.values())
        if style.split()[-1:] not in ([], ["bold"], ["dim"])
    }
    assert all((Color.parse(name).number or 0) < 16 for name in named)
