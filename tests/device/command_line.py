"""`stoa ...` in this process, with what it says."""

from __future__ import annotations

import contextlib
import io
from typing import NamedTuple

from host_tools.cli import main


class Said(NamedTuple):
    code: int
    out: str
    err: str


def stoa(*arguments: object) -> Said:
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as exit:
            code = exit.code
    return Said(int(str(code or 0)), out.getvalue(), err.getvalue())
