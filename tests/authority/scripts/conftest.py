"""Scripts of a tenant: the engine that runs them, and an authority that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.post_login import Attempt
from host_tools.authority.core.records import Client, User
from host_tools.authority.scripts import Engine, Kind, Pipeline, Script, ScriptsInForce
from host_tools.authority.scripts import engine as engine_module

from ..conftest import ISSUER, START_NS

FOLDER = Path(__file__).parent


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.js").read_text()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> float:
    """On a machine that is busy with other tests a script is slow by the clock, and not by its work. What the deadline
    was, for the tests of it."""
    usual = engine_module.DEADLINE_S
    monkeypatch.setattr(engine_module, "DEADLINE_S", 60)
    return usual


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, patient: float) -> None:
    monkeypatch.setattr(engine_module, "DEADLINE_S", patient)


@pytest.fixture
def attempt() -> Attempt:
    client = Client(
        "app", "An app", "", "", "", "", "https://api.example", '{"device_type": "display"}', True, None, None, 0
    )
    user = User("auth0|1", "demo@stoa.example", "")
    return Attempt("oauth2-device-code", user, client, "view:balance", client.audience, "pwd", START_NS, now=START_NS)


@pytest.fixture
def pipeline(engine: Engine) -> Callable[..., Pipeline]:
    def made(*texts: str, kind: Kind = "rule", **secrets: str) -> Pipeline:
        return Pipeline(engine, [Script(kind, f"script {at}", text, secrets) for at, text in enumerate(texts)], ISSUER)

    return made


@pytest.fixture
def scripts(engine: Engine, authority: Authority) -> ScriptsInForce:
    return ScriptsInForce(engine, authority.post_login, ISSUER)
