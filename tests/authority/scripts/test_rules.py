"""Rules: what one sees, what it may decide, and how rules hand on to each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host_tools.authority.core.policies import Directive

from .conftest import text_of

EVERYTHING = text_of("challenges_everything")
SPARES_DISPLAYS = text_of("spares_displays")
PASS = "callback(null, user, context);"
CHALLENGED = Directive(challenges=True, remembers=False)


def rule(body: str) -> str:
    return f"function (user, context, callback) {{ {body} }}"


@pytest.mark.parametrize(
    ("text", "protocol", "metadata", "expected"),
    [
        (EVERYTHING, "oauth2-device-code", "{}", CHALLENGED),
        (EVERYTHING, "oauth2-refresh-token", '{"device_type": "display"}', CHALLENGED),
        (SPARES_DISPLAYS, "oauth2-refresh-token", '{"device_type": "display"}', None),
        (SPARES_DISPLAYS, "oauth2-device-code", '{"device_type": "display"}', CHALLENGED),
        (SPARES_DISPLAYS, "oauth2-refresh-token", '{"device_type": "kettle"}', CHALLENGED),
        (SPARES_DISPLAYS, "oauth2-refresh-token", "{}", CHALLENGED),
    ],
)
def test_the_rules_of_the_story_run_as_they_stand(pipeline, attempt, text, protocol, metadata, expected):
    asked = replace(attempt, protocol=protocol, client=replace(attempt.client, metadata=metadata))
    verdict = pipeline(text)(asked)
    assert (verdict.mfa, verdict.denied, verdict.faults) == (expected, None, ())


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("{provider: 'any'}", Directive(True, True)),
        ("{provider: 'any', allowRememberBrowser: true}", Directive(True, True)),
        ("{provider: 'any', allowRememberBrowser: 0}", Directive(True, False)),
        ("{provider: 'guardian'}", Directive(True, True, ("push", "otp", "sms"))),
        ("{provider: 'google-authenticator'}", Directive(True, True, ("otp",))),
        ("{provider: 'none'}", Directive(False)),
        ("null", None),
        ("undefined", None),
    ],
)
def test_what_a_rule_may_want_of_a_second_factor(pipeline, attempt, wanted, expected):
    verdict = pipeline(rule(f"context.multifactor = {wanted}; callback(null, user, context);"))(attempt)
    assert (verdict.mfa, verdict.denied) == (expected, None)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ("{provider: 'duo'}", 'asks for the multifactor provider "duo", which is none of any, guardian'),
        ("{}", "asks for the multifactor provider null"),
        ("{provider: {toString() { return 'any'; }}}", "asks for the multifactor provider {}"),
        ("'any'", "leaves a context.multifactor that is not"),
    ],
)
def test_a_second_factor_that_there_is_none_of_denies_and_is_named(pipeline, attempt, left, said):
    verdict = pipeline(rule(f"context.multifactor = {left}; callback(null, user, context);"))(attempt)
    assert verdict.denied
    assert verdict.faults[0].startswith(f"rule script 0: {said}")


@pytest.mark.parametrize(
    ("body", "reason", "is_fault"),
    [
        ("callback(new UnauthorizedError('Weekdays only'));", "Weekdays only", False),
        ("callback(new Error('Not you'));", "Not you", False),
        ("callback('no');", "no", False),
        ("callback(new Error('first')); callback(null, user, context);", "first", False),
        ("throw new Error('broken');", "broken", True),
        ("throw null;", "null", True),
        ("", "A script of the tenant failed.", True),  # never calls back
        ("callback(null, 1, 2);", "A script of the tenant failed.", True),
        ("user.self = user; callback(null, user, context);", "A script of the tenant failed.", True),
        ("require('fs');", "require is not defined", True),
        (f"context.accessToken = 7; {PASS}", "A script of the tenant failed.", True),
        (
            f"context.idToken.x = 'y'.repeat(17000); {PASS}",
            "A script of the tenant failed.",
            True,
        ),
        (f"context.x = 'y'.repeat(70000); {PASS}", "A script of the tenant failed.", True),
    ],
)
def test_a_rule_denies_by_an_error_or_by_failing(pipeline, attempt, body, reason, is_fault):
    verdict = pipeline(rule(body))(attempt)
    assert verdict.denied == reason
    assert (verdict.faults != ()) == is_fault


def test_rules_hand_on_what_they_have_changed_and_the_first_error_ends_them(pipeline, attempt):
    first = rule("user.tier = 'gold'; context.multifactor = {provider: 'any'}; callback(null, user, context);")
    second = rule(f"context.accessToken['https://x/tier'] = user.tier; delete context.multifactor; {PASS}")
    verdict = pipeline(first, second)(attempt)
    assert (verdict.mfa, verdict.claims.access) == (None, {"https://x/tier": "gold"})
    stopped = pipeline(rule("callback(new Error('stop'));"), rule("throw new Error('never reached');"))(attempt)
    assert (stopped.denied, stopped.faults) == ("stop", ())


def test_each_rule_has_a_world_of_its_own(pipeline, attempt):
    spoils = rule(f"Object.prototype.multifactor = {{provider: 'any'}}; globalThis.left = 1; {PASS}")
    looks = rule("context.accessToken.seen = [typeof left, typeof context.multifactor]; callback(null, user, context);")
    assert pipeline(spoils, looks)(attempt).claims.access == {"seen": ["undefined", "undefined"]}


def test_a_rule_may_call_back_later(pipeline, attempt):
    later = "Promise.resolve().then(() => { context.multifactor = {provider: 'any'}; callback(null, user, context); });"
    assert pipeline(rule(later))(attempt).mfa == Directive(True)
    assert pipeline("async " + rule("await null; throw new Error('late');"))(attempt).denied == "late"


def test_what_a_rule_sees(pipeline, attempt):
    seen = "user.email, user.user_id, context.clientID, context.clientName, context.protocol,"
    seen += (
        " context.authentication.methods, context.request.ip, configuration.KEY, new Date().toISOString(), Date.now()"
    )
    asked = replace(attempt, address="192.0.2.1")
    verdict = pipeline(rule(f"context.accessToken.seen = [{seen}]; {PASS}"), KEY="value")(asked)
    start_ms = attempt.now // 1_000_000
    methods = [{"name": "pwd", "timestamp": start_ms}]
    assert verdict.claims.access["seen"] == [
        *("demo@stoa.example", "auth0|1", "app", "An app", "oauth2-device-code"),
        *(methods, "192.0.2.1", "value", "2026-11-22T00:00:00.000Z", start_ms),
    ]


def test_claims_that_are_ours_are_left_out(pipeline, attempt):
    body = "context.accessToken = {sub: 'evil', aud: 'evil', amr: ['mfa'], mine: [1]}; context.idToken.iss = 'evil';"
    claims = pipeline(rule(f"{body} callback(null, user, context);"))(attempt).claims
    assert (claims.access, claims.id) == ({"mine": [1]}, {})


@pytest.mark.parametrize("text", ["{}\n// its end", "{};", "  {}\n\n", "// its beginning\n{}"])
def test_what_an_editor_leaves_around_a_rule_does_no_harm(pipeline, attempt, text):
    spaced = text.replace("{}", rule("callback(null, user, context);"))
    assert pipeline(spaced)(attempt).denied is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("callback(new UnauthorizedError('Café für Zoë 🏛'));", "Café für Zoë 🏛"),
        ("throw new Error('\\ud800');", "?"),
        ("callback(new Error('x'.repeat(499) + '🏛'));", "x" * 499 + "?"),  # the cut goes through it
    ],
)
def test_words_of_any_language_come_through(pipeline, attempt, body, reason):
    assert pipeline(rule(body))(attempt).denied == reason


def test_what_a_rule_does_not_touch_may_be_in_any_language(pipeline, attempt):
    asked = replace(attempt, client=replace(attempt.client, name="Bücherei"), user_agent="Jörg's")
    assert pipeline(rule(PASS))(asked).denied is None


@pytest.mark.parametrize(("depth", "denied"), [(50, False), (70, True), (960, True), (5000, True)])
def test_claims_are_not_nested_without_end(pipeline, attempt, depth, denied):
    deep = f"let x = 1; for (let i = 0; i < {depth}; i++) x = [x]; context.accessToken.x = x; {PASS}"
    assert (pipeline(rule(deep))(attempt).denied is not None) == denied


def test_a_line_of_any_length_is_told(pipeline, attempt):
    long = "const e = new Error('x'); e.stack = '    at <input>:' + '9'.repeat(5000); throw e;"
    assert pipeline(rule(long))(attempt).faults[0].startswith("rule script 0: threw Error: x")
