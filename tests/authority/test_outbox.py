"""The outbox's page: what it shows, in which order, for how long, and what hostile words cannot do to it."""

from __future__ import annotations

import re
from html import unescape

import pytest

from host_tools.authority.pages.outbox import MOST
from host_tools.clock import NS

DAY_S = 86_400


def entries(page) -> list[tuple[str, str, str]]:
    """Heading, words and moment of each message."""
    found = re.findall(
        r'<h2>(.*?)</h2>\s*<p class="words">(.*?)</p>\s*<p class="hint"><time datetime="(.*?)">', page.text, re.DOTALL
    )
    return [tuple(unescape(re.sub("<.*?>", "", part)) for part in entry) for entry in found]


def test_an_empty_outbox_says_so(http):
    page = http.get("/outbox")
    assert page.status_code == 200
    assert "There are none." in page.text
    assert "<li>" not in page.text


def test_a_message_is_shown_with_channel_recipient_moment_and_words(http, authority, clock):
    authority.outbox.send("auth0|1", "sms", "+15551234567", "123456 is your verification code for Stoa display.")
    clock.sleep_ns(90 * NS)
    authority.outbox.send("auth0|1", "email", "demo@stoa.example", "654321 is your verification code for Stoa display.")
    page = http.get("/outbox")
    assert entries(page) == [
        ("E-mail to demo@stoa.example", "654321 is your verification code for Stoa display.", "2026-11-22T00:01:30Z"),
        ("Text message to +15551234567", "123456 is your verification code for Stoa display.", "2026-11-22T00:00:00Z"),
    ]
    assert "22 November 2026, 00:01:30 UTC" in page.text


def test_a_challenge_arrives_with_its_code(http, authority, display, tokens, tenant, store):
    user_id = authority.users.check_password(tenant.demo_user, tenant.demo_password, "").user_id
    sms = authority.authenticators.enrol(user_id, "sms", "+15551234567").authenticator
    authority.authenticators.confirm(sms)
    authority.mfa.mode = "rule"
    mfa_token = display.refresh(tokens["refresh_token"]).json()["mfa_token"]
    challenge = {"client_id": tenant.client_id, "mfa_token": mfa_token, "challenge_type": "oob"}
    oob_code = http.post("/mfa/challenge", json=challenge).json()["oob_code"]
    [(heading, words, _)] = entries(http.get("/outbox"))
    assert heading == "Text message to +15551234567"
    fields = {"client_id": tenant.client_id, "mfa_token": mfa_token, "oob_code": oob_code, "binding_code": words[:6]}
    grant = {"grant_type": "http://auth0.com/oauth/grant-type/mfa-oob"}
    assert http.post("/oauth/token", data=fields | grant).status_code == 200


@pytest.mark.parametrize(("age_s", "shown"), [(DAY_S - 1, True), (DAY_S, False)])
def test_a_message_is_shown_for_a_day(http, authority, clock, age_s, shown):
    authority.outbox.send("auth0|1", "sms", "+15551234567", "123456")
    clock.sleep_ns(age_s * NS)
    assert bool(entries(http.get("/outbox"))) is shown


@pytest.mark.parametrize("sent", [MOST, MOST + 1])
def test_the_newest_hundred_are_shown_and_more_are_told_of(http, authority, clock, sent):
    for number in range(sent):
        authority.outbox.send("auth0|1", "sms", "+15551234567", f"{number:06}")
        clock.sleep_ns(NS)
    page = http.get("/outbox")
    assert [words for _, words, _ in entries(page)] == [f"{n:06}" for n in reversed(range(sent - MOST, sent))]
    assert ("There are older ones" in page.text) is (sent > MOST)


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "</bdi></h2><h1>Gone</h1>"]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(http, authority, words):
    authority.outbox.send("auth0|1", "email", words, words)
    page = http.get("/outbox")
    assert entries(page) == [(f"E-mail to {words}", words, "2026-11-22T00:00:00Z")]
    for broken in ("<script", "<img", ">49<", "<h1>Gone"):
        assert broken not in page.text


def test_it_needs_no_script_and_renews_itself_by_a_link(http):
    page = http.get("/outbox")
    assert '<a href="/outbox">Look again</a>' in page.text
    assert 'http-equiv="refresh"' not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers


def test_it_can_only_be_read(http):
    assert http.post("/outbox").status_code == 405
    assert http.get("/outbox", headers={"Host": "evil.example"}).status_code == 400
