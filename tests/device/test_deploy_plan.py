"""What a deploy has to do, and what it leaves beside a program."""

from __future__ import annotations

import hashlib
import json

import pytest

from host_tools.device.deploying import manifest
from host_tools.device.deploying.plan import make_plan
from host_tools.device.deploying.way import Differences, Kept

WANTED = {
    "code_a.py": Kept(100, "aa" * 32),
    "lib/b.mpy": Kept(512, "bb" * 32),
    "lib/c.mpy": Kept(513, "cc" * 32),
}


def test_nothing_missing_is_nothing_to_do():
    plan = make_plan(WANTED, Differences({}, {}), set(WANTED))
    assert (plan.remove, plan.copy, plan.send, plan.needed) == ((), (), (), 0)


def test_what_the_running_program_has_is_copied_and_the_rest_sent():
    plan = make_plan(
        WANTED, Differences({"lib/c.mpy": 0, "code_a.py": 7, "lib/b.mpy": 0}, {"old.py": 9}), {"lib/c.mpy"}
    )
    assert plan.copy == ("lib/c.mpy",)
    assert plan.send == ("code_a.py", "lib/b.mpy")
    assert plan.remove == ("old.py",)


@pytest.mark.parametrize(
    ("missing", "unwanted", "sectors"),
    [
        # Its two sectors, one for its folder, one for its entry.
        ({"lib/c.mpy": 0}, {}, 4),
        # What lies there under its name is freed first.
        ({"lib/c.mpy": 1}, {}, 3),
        ({"lib/c.mpy": 0}, {"old.py": 1025}, 1),
        ({"lib/c.mpy": 0}, {"old.py": 99_999}, 0),
        ({"code_a.py": 0, "lib/b.mpy": 0, "lib/c.mpy": 0}, {}, 1 + 1 + 2 + 2 + 1),
    ],
)
def test_how_much_room_it_takes(missing, unwanted, sectors):
    assert make_plan(WANTED, Differences(missing, unwanted), set()).needed == 512 * sectors


def test_the_manifest_s_head_is_read_back():
    head = manifest.Head("some_board", "1.2", manifest.digest(WANTED), bytecode=True)
    content = manifest.first_line(head) + manifest.lines(WANTED)
    assert manifest.read_head(content.encode()[: manifest.HEAD_SIZE]) == head


def test_a_first_line_that_would_not_be_read_whole_is_refused():
    whole = manifest.first_line(manifest.Head("b", "1", "d" * 64))
    room = manifest.HEAD_SIZE - len(whole)
    longest = manifest.Head("b" * (1 + room), "1", "d" * 64)
    assert manifest.read_head(manifest.first_line(longest).encode()[: manifest.HEAD_SIZE]) == longest
    with pytest.raises(ValueError, match="257 bytes"):
        manifest.first_line(manifest.Head("b" * (2 + room), "1", "d" * 64))


def test_the_digest_goes_over_the_manifest_s_lines():
    lines = manifest.lines(WANTED)
    assert lines.count("\n") == len(WANTED)
    assert f"lib/c.mpy 513 {'cc' * 32}\n" in lines
    assert manifest.digest(WANTED) == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"\xff" * 512,
        b"[]\n",
        b"{}\n",
        json.dumps({"format": 2, "board": "b", "version": "1", "digest": "d"}).encode(),
        json.dumps({"format": 1, "board": "b"}).encode(),
        b'{"format": 1, "board": "b", "version": "1", "dig',
    ],
)
def test_what_is_no_manifest(beginning):
    assert manifest.read_head(beginning) is None


def test_a_digest_tells_names_sizes_and_contents_apart_and_no_order():
    digest = manifest.digest(WANTED)
    assert manifest.digest(dict(reversed(WANTED.items()))) == digest
    for path, kept in {
        "code_a.py": Kept(100, "ab" * 32),
        "lib/b.mpy": Kept(511, "bb" * 32),
        "lib/d.mpy": Kept(513, "cc" * 32),
    }.items():
        assert manifest.digest({**WANTED, path: kept}) != digest
