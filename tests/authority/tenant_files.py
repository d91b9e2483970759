"""Texts of tenant files, and what is said of one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.authority.tenant_file import parse
from host_tools.authority.tenant_settings import TenantFileError

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
USER = '[[users]]\nusername = "anna@stoa.example"\n'


def are_told(told: tuple[str, ...], text: str, name: str) -> None:
    """Each with the file's name and a line of this text, and nothing that does not print."""
    assert told
    for each in told:
        line, _, rest = each.removeprefix(f"{name}:").partition(": ")
        assert 1 <= int(line) <= text.count("\n") + 1
        assert rest.isprintable(), each


def problems(text: str, folder: Path = Path()) -> list[str]:
    """What is said of this text, without the file's name. folder: where its scripts are."""
    with pytest.raises(TenantFileError) as told:
        parse(text, "tenant.toml", folder)
    assert all(each.startswith("tenant.toml:") for each in told.value.problems)
    return [each.removeprefix("tenant.toml:") for each in told.value.problems]
