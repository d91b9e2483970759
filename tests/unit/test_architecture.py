"""The rules of the house that no other tool checks on every run."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STOA = ROOT / "firmware" / "stoa"
SANS_IO = [*sorted((STOA / "auth").rglob("*.py")), STOA / "url.py"]

# What the sans-I/O core may import beside itself: pure computation that every board has.
PURE = {"binascii", "hashlib", "json", "struct"}

# Written in pieces, so that this file passes its own test.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "deb.deb" + "ian.org",
    "archive.ubu" + "ntu",
]
PATHS_OF_ONE_MACHINE = ["/wo" + "rk/", "/ro" + "ot/", "/tmp/" + "lab", ".py" + "env"]


def committed_files() -> list[Path]:
    """Files in git's index, and those a commit would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def imported(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {
                f"{node.module}.{alias.name}" if node.module == "stoa" else str(node.module) for alias in node.names
            }
    return names


def test_imports_follow_the_arrows() -> None:
    # The firmware's folder goes last: in front (as PYTHONPATH) its code.py would hide the standard library's.
    lint = "import sys; sys.path.append('firmware'); from importlinter.cli import lint_imports_command as run; run()"
    linted = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("path", SANS_IO, ids=lambda path: path.name)
def test_the_auth_core_imports_pure_computation_alone(path: Path) -> None:
    foreign = (
        {name for name in imported(path.read_text()) if not name.startswith("stoa.auth")}
        - PURE
        - {"stoa.civil", "stoa.digits", "stoa.url"}
    )
    assert not foreign, f"{path.name} is sans-I/O and imports {foreign}"


@pytest.mark.parametrize("forbidden", [REGISTRY_HOSTS, PATHS_OF_ONE_MACHINE], ids=["registry hosts", "local paths"])
def test_no_committed_file_names_a_registry_host_or_a_path_of_one_machine(forbidden: list[str]) -> None:
    pattern = re.compile("|".join(map(re.escape, forbidden)).encode())
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in committed_files()
        if (match := pattern.search(path.read_bytes()))
    ]
    assert not found


def test_no_module_is_longer_than_it_may_be() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in committed_files()
        if path.suffix == ".py" and path.is_relative_to(ROOT / "host_tools") | path.is_relative_to(ROOT / "firmware")
        if (lines := len(path.read_text().splitlines())) > 300
    }
    assert not long
