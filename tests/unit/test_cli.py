from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from host_tools import boards, cli
from host_tools.boards import available
from host_tools.errors import StoaError


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int | str | None, str, str]:
    """Exit code, stdout and stderr of `stoa` with these arguments."""
    with pytest.raises(SystemExit) as exited:
        cli.main(arguments)
    captured = capsys.readouterr()
    return exited.value.code, captured.out, captured.err


def test_boards_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(["boards", "--json"], capsys)

    assert code == 0
    assert json.loads(out) == [
        {"id": board.id, "name": board.name, "chip": board.chip, "panel": board.panel.fitted, "link": board.link}
        for board in available()
    ]


def test_a_board_id_in_the_table_is_whole_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = run(["boards"], capsys)

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == [board.id for board in available()]


def test_a_users_mistake_is_one_line_on_stderr_and_the_errors_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused(StoaError):
        exit_code = 7

    def refuse() -> None:
        raise Refused("the first line\nand the second")

    monkeypatch.setattr(boards, "available", refuse)
    assert run(["boards"], capsys) == (7, "", "stoa: the first line and the second\n")


def test_a_defect_is_not_dressed_up_as_a_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("defect")

    monkeypatch.setattr(boards, "available", fail)
    with pytest.raises(KeyError):
        cli.main(["boards"])


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"], capsys)[:2] == (0, f"stoa {version('stoa')}\n")


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(["bords"], capsys)
    assert code == 2
    assert out == ""
    assert "boards" in err
