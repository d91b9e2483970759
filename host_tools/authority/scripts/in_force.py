"""The scripts a tenant has now."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from host_tools.authority.core.post_login import PostLogin
from host_tools.authority.errors import InvalidSetting
from host_tools.authority.scripts.engine import Engine
from host_tools.authority.scripts.pipeline import Pipeline
from host_tools.authority.scripts.script import KINDS, LARGEST_SCRIPT, Script, ScriptFailed, check

MOST_SCRIPTS = 20  # of each kind


class ScriptsInForce:
    """changing: held by whoever makes new ones of those there are."""

    def __init__(self, engine: Engine, post_login: PostLogin, issuer: str) -> None:
        self._engine = engine
        self._post_login = post_login
        self._issuer = issuer
        self.changing = threading.Lock()

    def all(self) -> tuple[Script, ...]:
        """The rules and the actions, each in the order in which they run."""
        judge = self._post_login.judge
        return judge.scripts if isinstance(judge, Pipeline) else ()

    def put(self, scripts: Sequence[Script]) -> None:
        """Have these and no others, from the next login on. Raises InvalidSetting for one that is no JavaScript."""
        for kind in KINDS:
            of_kind = [script for script in scripts if script.kind == kind]
            if len(of_kind) > MOST_SCRIPTS:
                raise InvalidSetting(f"{kind}s", f"are {len(of_kind)}; a tenant has {MOST_SCRIPTS} at most")
            for index, script in enumerate(of_kind):
                if len(script.text) > LARGEST_SCRIPT:
                    most = f"has more than {LARGEST_SCRIPT} characters, which is the most a script may have"
                    raise InvalidSetting(f"{kind}s[{index}].text", most)
                try:
                    check(self._engine, script)
                except ScriptFailed as failed:
                    told = f"is no {kind}: {failed}; correct {script.name}"
                    raise InvalidSetting(f"{kind}s[{index}].text", told) from failed
        self._post_login.judge = Pipeline(self._engine, scripts, self._issuer) if scripts else None
