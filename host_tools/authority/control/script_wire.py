"""The tenant's scripts as JSON: {"rules": [{"name": ..., "text": ...}], "actions": [...]}."""

from __future__ import annotations

from typing import Any

from host_tools.authority.checks import check_text
from host_tools.authority.control.wire import called
from host_tools.authority.errors import InvalidSetting
from host_tools.authority.scripts import KINDS, SECRETS, Kind, Script, ScriptsInForce

# Of the texts that are handed to a script: they are taken and not told.
MOST_SECRETS = 50
LONGEST_SECRET = 4096
LONGEST_TEXT = 60_000  # what a request may bring of one: the whole has to be below parameters.LARGEST_BODY


def told(scripts: ScriptsInForce) -> dict[str, Any]:
    return {
        f"{kind}s": [{"name": each.name, "text": each.text} for each in scripts.all() if each.kind == kind]
        for kind in KINDS
    }


def put(scripts: ScriptsInForce, sent: dict[str, Any]) -> None:
    """A kind that is left out stays as it is. Raises InvalidSetting."""

    def change(rules: object = None, actions: object = None) -> None:
        with scripts.changing:
            kept = scripts.all()
            wanted: list[Script] = []
            for kind, found in (("rule", rules), ("action", actions)):
                wanted += [each for each in kept if each.kind == kind] if found is None else _read(kind, found)
            scripts.put(wanted)

    called(change, sent)


def _read(kind: Any, found: object) -> list[Script]:
    if not isinstance(found, list):
        raise InvalidSetting(f"{kind}s", f"must be a list of {{name, text, {SECRETS[kind]}}}")
    return [_script(kind, f"{kind}s[{index}]", each) for index, each in enumerate(found)]


def _script(kind: Kind, field: str, found: object) -> Script:
    named = SECRETS[kind]
    if not isinstance(found, dict):
        raise InvalidSetting(field, f"must be an object with name, text and {named}")
    for key in found:
        if key not in ("name", "text", named):
            raise InvalidSetting(f"{field}.{key:.60}", f"is not known here; known are name, text, {named}")
    name, text, secrets = found.get("name", kind), found.get("text"), found.get(named, {})
    check_text(f"{field}.name", name)
    check_text(f"{field}.text", text, LONGEST_TEXT)
    if not name.isprintable():
        raise InvalidSetting(f"{field}.name", "must be a line that can be read")
    fit = isinstance(secrets, dict) and len(secrets) <= MOST_SECRETS
    if not fit or not all(isinstance(each, str) and len(each) <= LONGEST_SECRET for each in secrets.values()):
        most = f"{MOST_SECRETS} texts of {LONGEST_SECRET} characters at most"
        raise InvalidSetting(f"{field}.{named}", f"must be an object of {most}")
    return Script(kind, name, str(text), secrets)
