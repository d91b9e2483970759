"""What the pages say to paste is pasted: into bash, line by line, and what comes back is what the page shows.

`...` on a page stands for what is another each time.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("freshness", "gateway", "step-up")
PORT = "8080"
_DONE = "--done--"


def transcript(page: str) -> list[tuple[str, list[str]]]:
    """Each command of the page's consoles, and the lines it is shown to print."""
    steps: list[tuple[str, list[str]]] = []
    for console in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for line in console.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    return steps


def fits(shown: str, printed: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, shown.split("..."))), printed) is not None


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with subprocess.Popen(
        ["bash"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as shell:
        yield shell
        assert shell.stdin is not None
        shell.stdin.write("kill $(jobs -p); wait\n")
        shell.stdin.close()
        shell.wait(30)


def run(bash: subprocess.Popen[str], command: str) -> list[str]:
    assert bash.stdin is not None and bash.stdout is not None
    bash.stdin.write(f"{command}\nprintf '\\n{_DONE}\\n'\n")
    bash.stdin.flush()
    lines = []
    while (line := bash.stdout.readline().rstrip("\r\n")) != _DONE:
        lines.append(line)
    return [line for line in lines if line]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_pasted(name, bash):
    assert all(map(shutil.which, ("bash", "curl", "jq", "openssl"))), "curl, jq or openssl is missing; install it"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    steps = transcript((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"))
    assert len(steps) > 5
    for command, shown in steps:
        printed = run(bash, command.replace(PORT, port))
        expected = [line.replace(PORT, port) for line in shown]
        as_shown = len(expected) == len(printed) and all(map(fits, expected, printed))
        assert as_shown, f"$ {command}\nis shown to print\n{expected}\nand printed\n{printed}"
