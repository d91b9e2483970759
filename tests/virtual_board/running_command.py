"""`stoa` as a user runs it: a process with its output and an end."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager


@contextmanager
def stoa(*arguments, cwd, stderr=subprocess.PIPE):
    """`stoa` with these arguments, as a process that Ctrl-C ends if it has not ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
