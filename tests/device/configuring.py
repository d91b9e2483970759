"""`stoa config` run in this process, and what it wrote."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

from host_tools.device.configuring.settings_check import keys
from host_tools.settings_toml import lookup
from tests.device import command_line
from tests.device.command_line import Said

PASSWORD = "correct horse"
ACCOUNT = ("--ssid", "porch", "--issuer", "https://id.example/", "--client-id", "display")
ACCOUNT += ("--api", "https://api.example/quote")


def stoa(*arguments: object, password: str | None = PASSWORD) -> Said:
    """`stoa config`, with this password in its environment."""
    environment = {key: value for key, value in os.environ.items() if key != "STOA_WIFI_PASSWORD"}
    if password is not None:
        environment["STOA_WIFI_PASSWORD"] = password
    with mock.patch.dict(os.environ, environment, clear=True):
        said = command_line.stoa("config", *arguments)
    assert PASSWORD not in said.out + said.err
    return said


def stoa_without_password(*arguments: object) -> Said:
    return stoa(*arguments, password=None)


def written(path: Path) -> dict[str, str]:
    """Key -> value, as CircuitPython finds them, of Stoa's keys in a file."""
    text = path.read_bytes()
    found = {key: lookup(text, key) for key in keys()}
    return {key: value for key, value in found.items() if value is not None}
