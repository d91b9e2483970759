"""Scripts on a real server: while one runs everybody else is served, and what harms is gone with its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import psutil
import pytest

from host_tools.authority.core.records import fingerprint
from host_tools.authority.scripts import Script, engine
from host_tools.authority.scripts.engine import Turn

from ..conftest import over_the_wire
from .test_hostile_scripts import HOSTILE, SEARCH, STOPPED, sandboxes
from .test_rules import PASS, rule

ACCESS_DENIED = (403, "access_denied")
WORDS = {  # what whoever asks is told of each
    "an endless loop": "A script of the tenant failed.",
    "a search that the engine does not interrupt": "The script did not end in time.",
    "arrays": "out of memory",
    "recursion": "Maximum call stack size exceeded",
}


def error_of(reply: httpx2.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]


def ruled(paired, body: str) -> None:
    paired.authority.control.scripts.put([Script("rule", "house", rule(body))])


@pytest.mark.parametrize("name", WORDS)
def test_a_refresh_that_meets_a_hostile_rule_is_denied_and_the_next_is_as_ever(paired, device, name, request):
    body, said = HOSTILE.get(name, (SEARCH, STOPPED))
    if body == SEARCH:
        request.getfixturevalue("impatient")
    token = paired.tokens["refresh_token"]
    ruled(paired, body)
    refused = device.refresh(token)
    assert (*error_of(refused), refused.json()["error_description"]) == (*ACCESS_DENIED, WORDS[name])
    logged = {each.kind: each.detail for each in paired.authority.control.events()}
    assert logged["script_failed"].startswith("rule house: ") and said in logged["script_failed"]
    # What failed is told to the tenant's owner alone, and costs the display nothing.
    assert paired.authority.control.examine(sha256=fingerprint(token)).standing == "newest"
    ruled(paired, PASS)
    assert device.refresh(token).status_code == 200


@dataclass
class Held:
    """A refresh whose script has begun and does not end: its process is stopped until `sandbox` goes on or dies."""

    thread: threading.Thread
    sandbox: psutil.Process
    replies: list[httpx2.Response] = field(default_factory=list)

    def reply(self) -> httpx2.Response:
        self.thread.join()
        (reply,) = self.replies
        return reply


@pytest.fixture
def held(paired, monkeypatch) -> Iterator[Callable[[str], Held]]:
    """No time of the machine's is waited for: the script ends when the test says so."""
    monkeypatch.setattr(engine, "DEADLINE_S", 60)
    begun, made = threading.Event(), []
    ask = Turn.ask

    def asked(self: Turn, **given: str) -> dict[str, Any]:
        if "given" in given:
            # There is one, for checking the script has started it.
            (process,) = [each for each in sandboxes() if self.process and each.pid == self.process._process.pid]
            process.suspend()
            made[0].sandbox = process
            line = self.process._line

            # Not before it has been asked: one that is found dead before that is replaced, and not missed.
            def waiting(deadline_s: float) -> bytes:
                begun.set()
                return line(deadline_s)

            monkeypatch.setattr(self.process, "_line", waiting)
        return ask(self, **given)

    def hold(body: str) -> Held:
        ruled(paired, body)
        monkeypatch.setattr(Turn, "ask", asked)

        def refresh() -> None:
            with over_the_wire(paired.authority) as display:
                made[0].replies.append(display.refresh(paired.tokens["refresh_token"]))

        made.append(Held(threading.Thread(target=refresh), psutil.Process()))
        made[0].thread.start()
        assert begun.wait(20)
        monkeypatch.setattr(Turn, "ask", ask)
        return made[0]

    yield hold
    for each in made:
        if each.sandbox.is_running():
            each.sandbox.resume()
        each.thread.join()


def test_while_a_script_runs_everybody_else_is_served(paired, device, held):
    running = held("for (;;);")
    assert device.http.get("/.well-known/jwks.json").status_code == 200
    begun = device.ask()  # it writes: no transaction is held either
    assert begun.status_code == 200
    assert device.poll(begun.json()["device_code"]).json()["error"] == "authorization_pending"
    ruled(paired, PASS)  # a script that is put meanwhile runs beside it
    assert running.thread.is_alive()
    assert running.replies == []
    running.sandbox.resume()
    assert error_of(running.reply()) == ACCESS_DENIED


def test_another_refresh_runs_its_script_beside_one_that_hangs(paired, device, held):
    token = paired.tokens["refresh_token"]
    running = held(PASS)
    assert device.refresh(token).status_code == 200
    assert running.thread.is_alive()
    running.sandbox.resume()
    # The token was judged before the script and is judged again after it: meanwhile it was used.
    assert error_of(running.reply()) == (403, "invalid_grant")


def test_a_sandbox_that_is_killed_denies_and_the_next_script_has_another(paired, device, held):
    running = held(PASS)
    running.sandbox.kill()
    assert error_of(running.reply()) == ACCESS_DENIED
    assert running.reply().json()["error_description"] == "The script did not end in time."
    logged = {each.kind: each.detail for each in paired.authority.control.events()}
    assert logged["script_failed"] == f"rule house: {STOPPED}"
    assert device.refresh(paired.tokens["refresh_token"]).status_code == 200
