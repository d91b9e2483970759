"""The rules and actions of a tenant file: JavaScript in files of its own, beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from host_tools.authority import tenant_values as values
from host_tools.authority.checked_table import CheckedTable, said
from host_tools.authority.errors import InvalidSetting
from host_tools.authority.scripts import MOST_SCRIPTS, Engine
from host_tools.authority.scripts.script import LARGEST_SCRIPT, SECRETS, Kind, Script, ScriptFailed, check
from host_tools.authority.tenant_values import flag


def scripts(top: CheckedTable, folder: Path) -> tuple[Script, ...]:
    """Those that are enabled, in the file's order. folder: where the names of files lead from."""
    engine = Engine()  # starts nothing where there is no script
    try:
        return tuple(script for kind in SECRETS for script in _of(kind, top, folder, engine))
    finally:
        engine.close()


def _of(kind: Kind, top: CheckedTable, folder: Path, engine: Engine) -> list[Script]:
    tables = top.tables(f"{kind}s")
    if len(tables) > MOST_SCRIPTS:
        top.wrong(f"are {len(tables)}; a tenant has {MOST_SCRIPTS} at most", f"{kind}s")
        return []
    return [script for table in tables if (script := _script(table, kind, folder, engine)) is not None]


def _script(table: CheckedTable, kind: Kind, folder: Path, engine: Engine) -> Script | None:
    if "file" not in table:
        table.wrong(f'has no file; add file = "{kind}.js", a path from the folder of this file')
    file = table.take("file", values.text, None)
    name = table.take("name", values.text, Path(file or kind).stem)
    enabled = table.take("enabled", flag, True)
    secrets = table.table(SECRETS[kind]).every(_secret)
    table.finish()
    if file is None:
        return None
    try:
        script = Script(kind, name, read_script("file", folder / file), secrets)
        if enabled:
            check(engine, script)
    except InvalidSetting as unreadable:
        table.wrong(said(unreadable), "file")
    except ScriptFailed as failed:
        # The engine quotes the script: no terminal sequence out of it is told.
        told = "".join(sign if sign.isprintable() else "?" for sign in str(failed))
        table.wrong(f"is no {kind}: {told}; correct {file}", "file")
    else:
        return script if enabled else None
    return None


def read_script(field: str, path: Path) -> str:
    """Raises InvalidSetting."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_SCRIPT + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as unreadable:  # ValueError: a NUL in the name, or no UTF-8
        reason = getattr(unreadable, "strerror", None) or "it is not UTF-8"
        raise InvalidSetting(field, f"cannot be read ({reason}); name a file of JavaScript in UTF-8") from None
    if len(content) > LARGEST_SCRIPT:
        raise InvalidSetting(field, f"has more than {LARGEST_SCRIPT} bytes, which is the most a script may have")
    if not text.strip():
        raise InvalidSetting(field, "is empty; write the script, or take it out")
    return text


def _secret(field: str, value: Any) -> str:
    """Not told: it is one."""
    if not isinstance(value, str) or len(value) > 4096:
        raise InvalidSetting(field, "must be a text of at most 4096 characters")
    return value
