"""The console's lines."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from stoa import log


def test_say_prints_one_line_with_its_keys_in_order(capsys):
    log.say("sleep", wake=1800000000, cause="needs_human", detail="no answer", left=None, battery=True, usb=False)
    assert capsys.readouterr().out == (
        'stoa sleep battery=yes cause=needs_human detail="no answer" left=none usb=no wake=1800000000\n'
    )


def test_an_event_alone(capsys):
    log.say("boot")
    assert capsys.readouterr().out == "stoa boot\n"


def test_a_value_cannot_forge_a_line_or_a_field():
    assert log.line("x", {"a": 'b\nstoa y c="d" e=f\x7f'}) == r'stoa x a="b\x0astoa y c=\"d\" e=f\x7f"'
    assert log.line("x", {"a": ""}) == 'stoa x a=""'
    assert log.line("x", {"a": "b=c"}) == 'stoa x a="b=c"'


@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="\u2028\u2029\x85'")))
def test_printable_values_read_back(value):
    words = shlex.split(log.line("x", {"key": value}))
    assert words[2] == "key=" + value or not value.isprintable()
