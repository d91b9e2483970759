"""From bytes as they come to lines as they are read."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.device.console.console_lines import CUT, LONGEST, Lines
from host_tools.device.console.masking import LONG, MASK, Masker, mask

# status_bar.c, main.c: a title, a cleared line, a colour.
SEQUENCES = [
    "\x1b]0;🐍code.py | 10.3.1\x1b\\",
    "\x1b]0;\x07",
    "\x1b[2K\x1b[0G",
    "\x1b[1;31m",
    "\x1b[?25l",
    "\x1bM",
    "\x1b(B",
    "\r",
]


def heard(data, sizes=(1,)):
    """All lines of `data`, fed in pieces of these sizes, again and again."""
    lines, out, at, turn = Lines(), [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        out += lines.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    return out + lines.end()


pieces = st.lists(st.integers(1, 40), min_size=1, max_size=5)
plain = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Zs"), include_characters=" "), max_size=60
)


@given(st.lists(plain, max_size=6), pieces)
def test_lines_come_whole_however_the_bytes_come(texts, sizes):
    data = "".join(text + "\r\n" for text in texts).encode()
    assert heard(data, sizes) == [text.rstrip() for text in texts if text.strip()]


@given(st.lists(st.sampled_from([*SEQUENCES, *"stoa wake by=alarm"]), max_size=40), pieces)
def test_what_is_meant_for_a_terminal_is_not_in_them(parts, sizes):
    data = "".join([*parts, "\r\n"]).encode()
    text = "".join(part for part in parts if part not in SEQUENCES).rstrip()
    assert heard(data, sizes) == ([text] if text else [])


@given(st.binary(max_size=300), pieces)
def test_any_bytes_make_lines_that_can_be_shown(data, sizes):
    for line in heard(data, sizes):
        assert not any(character < " " and character != "\t" for character in line)
        line.encode()


def test_a_byte_that_is_no_utf_8():
    assert heard(b"caf\xc3\xa9 \xff\xfe\n") == ["café ��"]


def test_a_line_that_was_begun_is_told_at_the_end():
    lines = Lines()
    assert lines.feed(b"stoa sl") == []
    assert lines.end() == ["stoa sl"]
    assert lines.feed(b"stoa wake by=boot\r\n") == ["stoa wake by=boot"]
    assert lines.end() == []


def test_an_escape_that_the_board_s_reset_cut_short_takes_no_other_line_with_it():
    assert heard(b"\x1b]0;code.py | 10.3\nstoa wake by=boot\n\x1b[1") == ["stoa wake by=boot"]


def test_titles_for_hours_are_kept_nowhere():
    lines = Lines()
    for _ in range(1000):
        assert lines.feed(SEQUENCES[0].encode()) == []
    assert lines.feed(b"stoa wake by=boot\n") == ["stoa wake by=boot"]


def test_noise_without_an_end_is_cut_and_the_next_line_is_heard():
    noise = b"loud noise " * 1000
    first, *more = heard(noise + b"\nstoa wake by=boot\n", (512,))
    assert first.startswith("loud noise") and first.endswith(CUT) and len(first) <= LONGEST + 1
    assert more == ["stoa wake by=boot"]


@given(st.integers(LONGEST - 80, LONGEST + 20), pieces)
def test_the_cut_lets_no_half_of_a_token_through(at, sizes):
    token = "aB3-" * 15
    line = "x " * (at // 2) + token + " and more"
    for said in heard(line.encode() + b"\n", sizes):
        assert "aB3" not in mask(said)


secrets = st.text(string.ascii_letters + string.digits + "-_", min_size=12, max_size=60)


@given(secrets, st.lists(st.tuples(st.integers(0, 90), st.sampled_from(SEQUENCES)), max_size=4), pieces)
def test_a_secret_split_across_reads_and_by_escapes_is_masked(secret, breaks, sizes):
    line = f"POST {json.dumps({'refresh_token': secret})} sent"
    between = dict(breaks)
    text = "".join(between.get(at, "") + character for at, character in enumerate(line))
    shown = [mask(line) for line in heard(text.encode() + b"\r\n", sizes)]
    assert shown == [f'POST {{"refresh_token": "{MASK}"}} sent']


@pytest.mark.parametrize("name", ["password", "refresh_token"])
def test_a_secret_whose_line_the_unplugging_cut(name):
    lines = Lines()
    lines.feed(f'stoa x {name}="hunter'.encode())
    assert [mask(line) for line in lines.end()] == [f'stoa x {name}="{MASK}']


def test_a_line_that_is_not_finished_is_told_before_its_end_and_comes_whole():
    lines = Lines()
    lines.feed(b"x\nstoa \x1b[1msl\x1b]0;title")
    assert lines.unfinished() == "stoa sl"
    lines.feed(b"\x1b\\eep ")
    assert lines.unfinished() == "stoa sleep "
    assert lines.feed(b"reason=daily\r\n") == ["stoa sleep reason=daily"]
    assert lines.unfinished() == ""


def test_of_a_line_that_was_cut_nothing_is_unfinished():
    lines = Lines()
    assert len(lines.feed(b"loud noise " * 1000)) == 1
    lines.feed(b"more")
    assert lines.unfinished() == ""


@given(secrets.filter(lambda secret: len(secret) >= LONG and secret != secret.lower()), st.integers(0, 90))
def test_a_token_in_two_halves_is_in_neither(secret, at):
    line, lines, masker = f"POST {secret} sent\n".encode(), Lines(), Masker()
    at = min(at, len(line) - 1)
    shown = [masker.whole(line) for line in lines.feed(line[:at])]
    shown.append(masker.unfinished(lines.unfinished()))
    shown += [masker.whole(line) for line in lines.feed(line[at:])]
    assert shown[-1] == f"POST {MASK} sent"
    # At most a word of it, that is no token.
    assert not [part for part in (secret[at : at + 13] for at in range(len(secret) - 12)) if part in shown[0]]
