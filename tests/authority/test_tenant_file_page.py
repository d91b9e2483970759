"""docs/tenant-file.md, and the loader: each says what the other does."""

from __future__ import annotations

import re
from pathlib import Path

from .tenant_files import problems

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tenant-file.md").read_text(encoding="utf-8")


def test_the_page_has_every_key_and_no_other():
    documented: dict[str, list[str]] = {}
    for line in PAGE.splitlines():
        if heading := re.match(r"#+ `\[+([a-z_.]+)\]+`", line):
            keys = documented.setdefault(heading[1], [])
        elif (row := re.match(r"\| `([a-z_]+)` \|", line)) and documented:
            keys.append(row[1])
    arrays = {"users", "authenticators", "clients", "subscribers", "rules", "actions", "apis"}
    for name, keys in documented.items():
        header = "".join(
            f"[[{path}]]\n" if path.rpartition(".")[2] in arrays else f"[{path}]\n"
            for path in (name.rpartition(".")[0], name)
            if path and (path in documented)
        )
        (told,) = [each for each in problems(f"{header}zzzzzzzzz = 1") if "zzzzzzzzz" in each]
        assert told.partition("known here are ")[2].split(", ") == keys, name
    assert len(documented) == 13


def test_what_the_page_says_is_said():
    text = """[tenant]


[device_flow]
charset = "digits"
mask = "***-***"

[mfa]
polcy = "always"
""" + "\n" * 10 + "[[clients]]\n\n[clients.refresh_token]\nleeway = -1\n"  # fmt: skip
    shown = [line.removeprefix("stoa: tenant.toml:") for line in PAGE.splitlines() if line.startswith("stoa: tenant")]
    assert problems(text) == shown
