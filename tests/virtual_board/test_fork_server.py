"""CPython's fork server: each wake is a process as if it were the first, and none outlives the bench."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.device_libraries import on_board_path
from host_tools.virtual_board.power import Cut
from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from host_tools.virtual_board.runtimes.fork_server import fork_server
from host_tools.virtual_board.wake import FINISHED, POWER_LOST
from tests.virtual_board.bare import bare_board

BENCH = """
from host_tools.virtual_board.runtimes import fork_server, process
from tests.virtual_board.bare import bare_board
pids = []
start = process.FirmwareProcess.__init__
def telling(self, *arguments):
    start(self, *arguments)
    pids.append(self._child.pid)
process.FirmwareProcess.__init__ = telling
def looping(line):
    print(*pids, *[server._pid for server in fork_server._servers.values()], flush=True)
bare_board("print('looping')\\nwhile True: pass", on_console=looping).wake()
"""


def gone(pid):
    """Wait until process `pid` has ended; at once if it has."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(handle):
        return bool(select.select([handle], [], [], 30)[0])


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_a_bench_that_is_killed_leaves_no_process_behind(by):
    with subprocess.Popen(
        [sys.executable, "-c", BENCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as bench:
        pids = [int(word) for word in bench.stdout.readline().split()]
        assert len(pids) == 2
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
        bench.send_signal(by)
        bench.communicate(timeout=60)
    assert [gone(pid) for pid in pids] == [True, True]


def test_a_terminals_interrupt_is_not_the_boards():
    board = bare_board("print('awake')")
    board.wake()
    os.kill(fork_server(on_board_path())._pid, signal.SIGINT)
    assert board.wake().console == ["awake"]


def test_what_runs_is_what_the_drive_holds():
    board = bare_board("import part\nprint(part.NAME)")
    board.install({"part.py": b"NAME = 'first '"})
    assert board.wake().console == ["first "]
    board.install({"part.py": b"NAME = 'second'"})
    assert board.wake().console == ["second"]
    board.install({"part.py": b"NAME = 'first '"})
    assert board.wake().console == ["first "]


def test_a_wake_leaves_nothing_to_the_next():
    board = bare_board("import json, builtins\nprint(hasattr(json, 'mark'))\njson.mark = builtins.mark = 1")
    assert [board.wake().console for _ in range(2)] == [["False"], ["False"]]


def test_two_wakes_draw_different_random_numbers():
    board = bare_board("import random\nprint(random.random())")
    assert board.wake().console != board.wake().console


def test_a_wake_that_is_cut_has_ended_as_a_process():
    pids = []

    class Telling(CPythonRuntime):
        def start(self, *arguments):
            process = super().start(*arguments)
            pids.append(process._child.pid)
            return process

    board = bare_board("import microcontroller\nmicrocontroller.nvm[0] = 1\nwhile True: pass", runtime=Telling())
    board.cut_power(Cut("flash", 1, "after"))
    assert board.wake().ending == POWER_LOST
    assert [Path(f"/proc/{pid}").exists() for pid in pids] == [False]


def test_what_a_killed_child_left_half_written_is_compiled_again():
    """Among what children compiled; see cpython_boot.Compiled."""
    board = bare_board("print('whole')")
    board.wake()
    compiled = f"/proc/{fork_server(on_board_path())._pid}/fd/6"
    with open(compiled, "ab") as file:
        file.write(b"\xff\xff\x00\x00half")
    for text in ("one", "two"):
        board.install({"code.py": f"print('{text}')".encode()})
        assert (board.wake().console, board.wake().ending) == ([text], FINISHED)
    # The second was learned: it is still there.
    assert os.stat(compiled).st_size > 0


def test_the_bench_may_run_where_it_might_before():
    before = os.sched_getaffinity(0)
    everywhere = set(range(os.cpu_count() or 1))
    try:
        os.sched_setaffinity(0, everywhere)
        allowed = os.sched_getaffinity(0)
        bare_board("pass").wake()
        assert os.sched_getaffinity(0) == allowed
    finally:
        os.sched_setaffinity(0, before)
