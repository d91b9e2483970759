"""A Node script lives by the test's time, and one that fails says why in the test that needed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.clock import NS
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.node_process import SCRIPTS, NodeFailed, NodeProcess


def script(folder: Path, source: str) -> str:
    """Its path."""
    file = folder / "script.mjs"
    file.write_text(f"import {{ hear, say }} from '{SCRIPTS}/lines.mjs';\n{source}\n")
    return str(file)


def test_its_time_is_the_tests(tmp_path: Path) -> None:
    clock = MirroredClock(1_795_305_600 * NS, tmp_path / "now")
    told = "hear(() => say([Date.now(), +new Date(), new Date().toISOString(), +new Date(0)]))"
    with NodeProcess(script(tmp_path, told), clock_file=clock.file) as process:
        heard = []

        def ask() -> None:
            process.tell({})
            heard.append(process.hear())

        ask()
        assert heard == [[1_795_305_600_000, 1_795_305_600_000, "2026-11-22T00:00:00.000Z", 0]]
        clock.schedule(NS, ask)
        clock.sleep_ns(90 * NS)
        ask()
    assert [now for now, *_ in heard[1:]] == [1_795_305_601_000, 1_795_305_690_000]


def test_what_it_wrote_is_in_the_failure(tmp_path: Path, clock: MirroredClock) -> None:
    broken = script(tmp_path, "console.log('it began'); hear(() => { throw new Error('no luck') });")
    with NodeProcess(broken, clock_file=clock.file) as process:
        process.tell({})
        with pytest.raises(NodeFailed, match=r"script\.mjs has ended; it wrote:\nit began\n(.|\n)*Error: no luck"):
            process.hear()


def test_what_is_no_json_is_a_failure(tmp_path: Path, clock: MirroredClock) -> None:
    broken = script(tmp_path, "process.stdout.write('hello\\n'); hear(() => {});")
    with (
        NodeProcess(broken, clock_file=clock.file) as process,
        pytest.raises(NodeFailed, match=r"said b'hello\\n', which is no JSON"),
    ):
        process.hear()
