"""Tests run in a child of this process that has had something changed, quickly: what is imported stays imported."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

import pytest


def run(prepare: Callable[[], object], files: list[str]) -> int:
    """pytest's exit status for `files` after `prepare()`, neither of which leaves a trace in this process."""
    child = os.fork()
    if child == 0:
        status = int(pytest.ExitCode.INTERNAL_ERROR)
        try:
            sys.stdout = sys.stderr = io.StringIO()
            # Of the plugins only the one that pyproject.toml has a setting for: half the time is theirs.
            os.environ.update(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTEST_PLUGINS="pytest_timeout")
            prepare()
            # What is loaded of the tests holds on to what was changed.
            for name in [name for name in sys.modules if name.startswith("tests.")]:
                del sys.modules[name]
            status = int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--capture=no", *files]))
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
