"""Post-login Actions: what one sees, and what the methods of its api come to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host_tools.authority.core.policies import Directive
from host_tools.authority.core.records import Authenticator, TokenFamily

from .conftest import text_of


def action(body: str) -> str:
    return f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};"


@pytest.mark.parametrize(
    ("scope", "client_id", "expected"),
    [
        ("view:balance", "app", None),
        ("view:balance transfer:funds", "app", Directive(True, False, ("push", "otp", "sms"))),
        ("transfer:funds", "another", None),
    ],
)
def test_a_high_value_scope_is_challenged(pipeline, attempt, scope, client_id, expected):
    asked = replace(attempt, scope=scope, client=replace(attempt.client, client_id=client_id))
    verdict = pipeline(text_of("step_up"), kind="action")(asked)
    assert (verdict.mfa, verdict.denied, verdict.faults) == (expected, None, ())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("api.multifactor.enable('any');", Directive(True, True)),
        ("api.multifactor.enable('any', {allowRememberBrowser: false});", Directive(True, False)),
        ("api.multifactor.enable('none');", Directive(False)),
        ("api.multifactor.enable('any'); api.multifactor.enable('none');", Directive(False)),  # the last word
        ("api.authentication.challengeWith({type: 'email'});", Directive(True, factors=("email",))),
        (
            "api.authentication.challengeWith({type: 'otp'}, {additionalFactors: [{type: 'phone'}]});",
            Directive(True, factors=("otp", "sms")),
        ),
        (
            "api.authentication.challengeWithAny([{type: 'otp'}, {type: 'push-notification'}]);",
            Directive(True, factors=("otp", "push")),
        ),
        ("", None),
    ],
)
def test_what_an_action_may_want_of_a_second_factor(pipeline, attempt, body, expected):
    verdict = pipeline(action(body), kind="action")(attempt)
    assert (verdict.mfa, verdict.denied, verdict.faults) == (expected, None, ())


@pytest.mark.parametrize(
    ("body", "reason", "fault"),
    [
        ("api.access.deny('weekend');", "weekend", None),
        ("api.access.deny('one'); api.access.deny('two');", "one", None),
        ("api.access.deny('');", "Access denied.", None),
        ("throw new Error('broken');", "broken", "threw Error: broken (line 1)"),
        ("\n\nevent.nothing.at.all", "cannot read property 'at' of undefined", "(line 3)"),
        ("api.access.deny(7);", "api.access.deny: argument 1 must be of type string", "(line 1)"),
        ("api.access.allow();", "not a function", "(line 1)"),
        (
            "api.multifactor.enable('duo');",
            'Unsupported multifactor provider: "duo"',
            "asks for the multifactor",
        ),
        ("api.authentication.challengeWithAny([]);", "A script of the tenant failed.", "with no factor at all"),
        ("api.authentication.challengeWith({type: 'webauthn'});", "A script of the tenant failed.", "is none of otp"),
        ("await new Promise(() => {});", "A script of the tenant failed.", "did not come to an end"),
        ("require('axios');", "Cannot find module 'axios'", "Cannot find module"),
    ],
)
def test_an_action_denies_or_fails(pipeline, attempt, body, reason, fault):
    verdict = pipeline(action(body), kind="action")(attempt)
    assert verdict.denied == reason
    if fault is None:
        assert verdict.faults == ()
    else:
        assert verdict.faults[0].startswith("action script 0: ") and fault in verdict.faults[0]


@pytest.mark.parametrize("text", ["", "exports.other = () => {}", "exports.onExecutePostLogin = 7"])
def test_a_file_without_an_action_is_told_so(pipeline, attempt, text):
    assert pipeline(text, kind="action")(attempt).faults == ("action script 0: has no exports.onExecutePostLogin",)


def test_an_action_that_denies_is_the_last(pipeline, attempt):
    verdict = pipeline(action("api.access.deny('stop');"), action("throw new Error('no');"), kind="action")(attempt)
    assert (verdict.denied, verdict.faults) == ("stop", ())


def test_claims_of_all_actions_are_kept_but_for_ours(pipeline, attempt):
    first = action("api.accessToken.setCustomClaim('https://x/a', {b: [1]}).idToken.setCustomClaim('c', 2);")
    second = action("api.accessToken.setCustomClaim('iss', 'evil').accessToken.setCustomClaim('https://x/d', null);")
    claims = pipeline(first, second, kind="action")(attempt).claims
    assert (claims.access, claims.id) == ({"https://x/a": {"b": [1]}}, {"c": 2})


def test_an_actions_word_goes_before_a_rules(engine, attempt):
    from host_tools.authority.scripts import Pipeline, Script

    rule = "function (u, context, callback) { context.multifactor = {provider: 'any'}; callback(null, u, context); }"
    both = [Script("action", "a", action("api.multifactor.enable('none');")), Script("rule", "r", rule)]
    assert Pipeline(engine, both, "http://127.0.0.1/")(attempt).mfa == Directive(False)
    both[0] = Script("action", "a", action(""))
    assert Pipeline(engine, both, "http://127.0.0.1/")(attempt).mfa == Directive(True)


def test_what_an_action_sees(pipeline, attempt):
    paths = "event.client.metadata.device_type event.transaction.protocol event.user.email event.secrets.KEY"
    paths += " event.resource_server.identifier event.request.ip event.authentication.methods"
    paths += " event.user.enrolledFactors event.refresh_token"
    body = f"api.idToken.setCustomClaim('seen', [{', '.join(paths.split())}]);"
    held = Authenticator("1", "auth0|1", "push", "Phone", "", 0, True, None, 0)
    asked = replace(attempt, address="192.0.2.1", authenticators=(held,))
    seen = pipeline(action(body), kind="action", KEY="value")(asked).claims.id["seen"]
    methods = [{"name": "pwd", "timestamp": "2026-11-22T00:00:00Z"}]
    factors = [{"type": "push-notification"}]
    assert seen == [
        *("display", "oauth2-device-code", "demo@stoa.example", "value", "https://api.example", "192.0.2.1"),
        *(methods, factors, None),
    ]


def test_a_refresh_shows_its_token_family(pipeline, attempt):
    now = attempt.now
    family = TokenFamily("f1", "app", "auth0|1", "s", "https://api.example", now, "pwd", 0, now, now, True, None, None)
    body = "api.idToken.setCustomClaim('seen', [event.refresh_token.id, event.refresh_token.created_at]);"
    asked = replace(attempt, protocol="oauth2-refresh-token", family=family)
    assert pipeline(action(body), kind="action")(asked).claims.id["seen"] == ["f1", "2026-11-22T00:00:00Z"]


def test_the_official_way_to_spare_refreshes(pipeline, attempt):
    """wire-facts 1.8: "Official bypass"."""
    text = action("if (event.transaction.protocol !== 'oauth2-refresh-token') api.multifactor.enable('any');")
    for protocol, expected in (("oauth2-device-code", Directive(True)), ("oauth2-refresh-token", None)):
        assert pipeline(text, kind="action")(replace(attempt, protocol=protocol)).mfa == expected
