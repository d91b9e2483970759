"""What the firmware says and what the host hears are the same thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.console_log import parse
from stoa import log

names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=10)
values = st.text(st.characters(blacklist_categories=("Cs",)), max_size=30) | st.integers() | st.booleans() | st.none()
AS_TEXT = {True: "yes", False: "no", None: "none"}


@given(names, st.dictionaries(names, values, max_size=5))
def test_every_line_the_firmware_prints_is_read_back(event, fields):
    heard = parse(log.line(event, fields))
    assert heard is not None
    assert heard.event == event
    told = {
        name: AS_TEXT[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in fields.items()
    }
    assert heard.fields == told


@pytest.mark.parametrize(
    "line", ["", "stoa", "Traceback (most recent call last):", "stoical event=1", "hello stoa x=1"]
)
def test_other_lines_are_nobodys(line):
    assert parse(line) is None
