"""The tenant's own JavaScript: Auth0's Rules and post-login Actions, in an engine of their own."""

from __future__ import annotations

from host_tools.authority.scripts.engine import Engine
from host_tools.authority.scripts.in_force import MOST_SCRIPTS, ScriptsInForce
from host_tools.authority.scripts.pipeline import Pipeline, Printed
from host_tools.authority.scripts.script import KINDS, LARGEST_SCRIPT, SECRETS, Kind, Script, ScriptFailed, check

__all__ = [
    "KINDS",
    "LARGEST_SCRIPT",
    "MOST_SCRIPTS",
    "SECRETS",
    "Engine",
    "Kind",
    "Pipeline",
    "Printed",
    "Script",
    "ScriptFailed",
    "ScriptsInForce",
    "check",
]
