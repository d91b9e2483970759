"""Texts of tenant files, and what is said of one that cannot be used."""

from __future__ import annotations

import pytest

from host_tools.authority.tenant_file import parse
from host_tools.authority.tenant_settings import TenantFileError

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
USER = '[[users]]\nusername = "anna@stoa.example"\n'


def problems(text: str) -> list[str]:
    """What is said of this text, without the file's name."""
    with pytest.raises(TenantFileError) as told:
        parse(text, "tenant.toml")
    assert all(each.startswith("tenant.toml:") for each in told.value.problems)
    return [each.removeprefix("tenant.toml:") for each in told.value.problems]
