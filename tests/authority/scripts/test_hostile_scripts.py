"""Scripts that want no decision but harm: each ends, denies, is named, and leaves the next script as it was."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import psutil
import pytest

from host_tools.authority.scripts import Engine, Pipeline, Script, ScriptFailed, check
from host_tools.authority.scripts.engine import Overrun

from .test_rules import rule

LONG = "ran longer than 0.2 s"
LARGE = "used more than 16 MB"
# QuickJS does not look at its limits in here; it takes minutes.
SEARCH = "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b');"
UNREADABLE = "nothing that can be read"
STOPPED = "did not end in time, or used too much memory, and was stopped"
HOSTILE = {
    "an endless loop": ("for (;;);", LONG),
    "one in a promise": ("Promise.resolve().then(() => { for (;;); });", LONG),
    "promises without end": ("(function next() { Promise.resolve().then(next); })();", "did not call back"),
    "one that catches its end": ("for (;;) { try { for (;;); } catch {} }", LONG),
    "a regular expression": ("/^(a+)+$/.test('a'.repeat(40) + 'b');", LONG),
    "an error that cannot be told": ("throw {toString() { for (;;); }};", LONG),
    "a getter": ("callback(null, user, {get multifactor() { for (;;); }});", LONG),
    "arrays": ("const a = []; for (;;) a.push(new Array(1e5).fill(1));", LARGE),
    "a buffer": ("new ArrayBuffer(1e9);", LARGE),
    "a string": ("'x'.repeat(2 ** 29).length;", LARGE),
    "recursion": ("(function f() { f(); })();", "Maximum call stack size exceeded"),
    "huge output": ("context.x = 'x'.repeat(5e6); callback(null, user, context);", "left more than 65,536 characters"),
    "a changed prototype": (
        "Object.prototype.toJSON = () => 1; callback(null, user, context);",
        UNREADABLE,
    ),
    "another that does": (
        "Object.prototype.toJSON = () => 'fault'; callback(null, user, context);",
        UNREADABLE,
    ),
    "what there is none of": ("std.exit(0); os.exec(['true']);", "std is not defined"),
    "an import": ("import('fs').then(() => callback(null, user, context));", ""),
}


@pytest.mark.parametrize(("body", "said"), HOSTILE.values(), ids=HOSTILE)
def test_it_ends_denies_and_is_named(pipeline, attempt, body, said):
    verdict = pipeline(rule(body))(attempt)
    assert verdict.denied
    assert verdict.faults[0].startswith("rule script 0: ") and said in verdict.faults[0]
    assert pipeline(rule("callback(null, user, context);"))(attempt).denied is None


def test_what_a_script_says_of_itself_is_judged_like_anything_from_outside(pipeline, attempt):
    """A harness that was tampered with may tell anything; only what a rule may decide comes of it."""
    lie = "context.multifactor = {provider: 'none'}; callback(null, user, context); JSON.stringify = () => '{}';"
    assert pipeline(rule(lie))(attempt).mfa.challenges is False  # it could have said so itself
    poisoned = "Array.prototype.map = () => { throw 1; }; String.prototype.slice = () => 'x'; console.log(1);"
    assert pipeline(rule(f"{poisoned} callback(null, user, context);"))(attempt).denied


def test_a_script_finds_nothing_to_reach_out_with(pipeline, attempt):
    names = ["process", "std", "os", "fetch", "XMLHttpRequest", "WebSocket", "setTimeout", "Worker", "print", "require"]
    body = f"context.accessToken.found = {names}.filter((name) => typeof globalThis[name] !== 'undefined');"
    verdict = pipeline(rule(f"{body} callback(null, user, context);"))(attempt)
    assert verdict.claims.access == {"found": []}


def test_the_process_has_no_environment_and_no_descriptor_of_ours(attempt):
    secret = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(secret, True)
    others = set(sandboxes())
    engine = Engine()
    try:
        Pipeline(engine, [Script("rule", "r", rule("callback(null, user, context);"))], "")(attempt)
        children = set(sandboxes()) - others
        assert children
        for child in children:
            assert child.environ() == {"TZ": "UTC"}
            assert child.num_fds() == 3
            assert str(secret) not in os.listdir(f"/proc/{child.pid}/fd")
    finally:
        engine.close()
        os.close(secret)
    assert not children & set(sandboxes())


def sandboxes() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "sandbox.py" in " ".join(each.cmdline())]


def test_a_text_that_leaves_its_function_ends_as_any_other(pipeline, attempt):
    verdict = pipeline("}); for (;;); (() => {", kind="action")(attempt)
    assert verdict.faults == (f"action script 0: {LONG} (line 1)",)


def test_many_hostile_scripts_at_once_leave_the_good_ones_to_pass(engine, attempt):
    loop = Pipeline(engine, [Script("rule", "loop", rule("for (;;);"))], "")
    good = Pipeline(engine, [Script("rule", "good", rule("callback(null, user, context);"))], "")
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(loop(attempt).denied)) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert good(replace(attempt)).denied is None
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(found)


@pytest.mark.usefixtures("impatient")
def test_what_the_engine_does_not_interrupt_is_stopped_from_outside(pipeline, attempt):
    verdict = pipeline(rule(SEARCH))(attempt)
    assert (verdict.denied, verdict.faults) == ("The script did not end in time.", (f"rule script 0: {STOPPED}",))


@pytest.mark.usefixtures("impatient")
def test_scripts_that_are_each_in_time_are_not_so_together(pipeline, attempt):
    busy = rule("const t = performance.now(); while (performance.now() - t < 150); callback(null, user, context);")
    verdict = pipeline(*[busy] * 12)(attempt)
    assert verdict.denied == "The script did not end in time."
    assert verdict.faults[0].endswith(STOPPED)


def test_a_process_that_died_while_it_waited_costs_nobody_a_login(attempt):
    engine = Engine()
    good = Pipeline(engine, [Script("rule", "r", rule("callback(null, user, context);"))], "")
    others = set(sandboxes())
    try:
        assert good(attempt).denied is None
        (idle,) = set(sandboxes()) - others
        idle.kill()
        idle.wait()
        assert good(attempt).denied is None
    finally:
        engine.close()


def test_hours_are_those_of_utc(pipeline, attempt):
    body = "context.accessToken.seen = [new Date().getHours(), new Date(0).getTimezoneOffset()];"
    assert pipeline(rule(f"{body} callback(null, user, context);"))(attempt).claims.access == {"seen": [0, 0]}


def test_an_engine_that_was_closed_runs_nothing_and_starts_nothing(attempt):
    engine = Engine()
    engine.close()
    with pytest.raises(Overrun):
        engine.ask(script="1")
    assert Pipeline(engine, [Script("rule", "r", rule(""))], "")(attempt).denied


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("rule", "function (", "(line 1)"),
        ("rule", "function (user, context, callback) {\n  if (\n}", "(line 3)"),
        ("rule", "const x = 1;", "SyntaxError: unexpected token in expression: 'const' (line 1)"),
        ("action", "exports.x = ( => 1", "SyntaxError"),
    ],
)
def test_what_is_no_javascript_is_told_with_its_line(engine, kind, text, said):
    with pytest.raises(ScriptFailed) as failed:
        check(engine, Script(kind, "x", text))
    assert said in str(failed.value)
