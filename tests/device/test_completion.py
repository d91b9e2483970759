"""What the shells are told: by the protocol that the installed scripts speak, and in a real bash."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import boards
from host_tools.boards import available
from host_tools.cli import completions
from host_tools.device.finding import ports
from host_tools.device.finding.ports import Found

ROOT = Path(__file__).resolve().parents[2]
IDS = [board.id for board in available()]
SHELLS = ("bash", "zsh", "fish")
BOARDS = [
    Found("circuitpython", "Adafruit MagTag", port="/dev/ttyACM0", drive=Path("/media/me/CIRCUITPY")),
    Found("uart-bridge", "CP210x", port="/dev/ttyUSB0"),
    Found("uf2-bootloader", "Adafruit MagTag", drive=Path("/media/me/MAGTAGBOOT")),
]


def stoa(**environment):
    """(exit code, stdout, stderr) of `stoa` as a shell's script starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "host_tools.cli"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def offered(shell, line):
    """The words that are offered for the last one of `line`."""
    if shell == "bash":
        words = line.split(" ")
        environment = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    else:
        environment = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    code, out, err = stoa(_STOA_COMPLETE=f"complete_{shell}", **environment)
    assert (code, err) == (0, "")
    if shell == "zsh":
        return [found.split('"')[1] for found in out.splitlines() if '"' in found]
    return [found.split("\t")[0] for found in out.splitlines() if found]


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_and_boards(shell):
    assert set(offered(shell, "stoa mon")) == {"monitor"}
    assert {"boards", "monitor", "ports"} <= set(offered(shell, "stoa "))
    assert offered(shell, "stoa simulate --board ") == IDS
    assert offered(shell, f"stoa simulate --board {IDS[-1][:14]}") == [IDS[-1]]
    for command in ("demo", "flash", "deploy"):
        assert offered(shell, f"stoa {command} --board ") == IDS
    assert offered(shell, "stoa config --time-zone Europe/Ber") == ["Europe/Berlin"]


@pytest.mark.parametrize("shell", SHELLS)
def test_where_nothing_fits_nothing_is_said(shell):
    assert offered(shell, "stoa simulate --board nobody") == []
    assert offered(shell, "stoa monitor /dev/none") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell(shell):
    code, out, err = stoa(_STOA_COMPLETE=f"source_{shell}")
    assert (code, err) == (0, "")
    assert f"_STOA_COMPLETE=complete_{shell}" in out


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_in_a_real_bash(tmp_path):
    command = tmp_path / "stoa"
    command.write_text(
        f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {shlex.quote(sys.executable)} -m host_tools.cli "$@"\n'
    )
    command.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    script = """
        stoa --install-completion >/dev/null && source ~/.bashrc
        COMP_WORDS=(stoa simulate --board adafruit_mag) COMP_CWORD=3
        _stoa_completion stoa && printf '%s\\n' "${COMPREPLY[@]}"
        complete -p stoa
    """
    environment = {**os.environ, "HOME": str(home), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [IDS[-1], "complete -o default -F _stoa_completion stoa"]


def test_ports_and_drives_are_offered(monkeypatch):
    monkeypatch.setattr(ports, "find_boards", lambda: BOARDS)
    assert completions.ports("") == [("/dev/ttyACM0", "Adafruit MagTag"), ("/dev/ttyUSB0", "CP210x")]
    assert completions.ports("/dev/ttyU") == [("/dev/ttyUSB0", "CP210x")]
    assert [word for word, _ in completions.places("/media")] == ["/media/me/CIRCUITPY", "/media/me/MAGTAGBOOT"]


@pytest.mark.parametrize("callback", [completions.ports, completions.places, completions.board_ids])
def test_a_callback_never_raises(callback, monkeypatch):
    def fail():
        raise OSError("no /sys here")

    monkeypatch.setattr(ports, "find_boards", fail)
    monkeypatch.setattr(boards, "available", fail)
    assert callback("") == []
