"""response_mode=web_message: the one page with a script. What it holds, who may frame it, to whom it posts."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest

from host_tools.authority.core.authorization_requests import origin_of
from host_tools.authority.pages.rendering import WEB_MESSAGE_SCRIPT
from tests.authority.page_markup import Markup

from .application import CALLBACK, IMPLICIT, ORIGIN, SPA, sent_back

MESSAGE = {"response_mode": "web_message"}
HOSTILE = [
    "</script><script>alert(1)</script>",
    "\u2028alert(1)\u2029//",
    '"}});alert(1)//',
    "'-alert(1)-'",
    "]]><!--<script>",
    '" data-target="https://evil.example" x="',
    "&quot;&lt;/p&gt;",
    "\\u003c/script\\u003e",
    "${alert(1)}{{7*7}}",
    "\u202e\ufeff💥",
]


def posted(page) -> tuple[dict, str]:
    """The message, and the origin that it is for."""
    assert page.status_code == 200, page.headers.get("location")
    [told] = [attributes for _, attributes in Markup(page.text).elements if attributes.get("id") == "answer"]
    return json.loads(told["data-message"]), told["data-target"]


def test_the_answer_is_posted_to_the_applications_origin_alone(application):
    page = application.sign_in(application.ask(**MESSAGE))
    message, target = posted(page)
    assert target == ORIGIN
    assert message["type"] == "authorization_response" and set(message) == {"type", "response"}
    assert set(message["response"]) == {"code", "state", "iss"} and message["response"]["state"] == "xyz"
    assert application.redeem(message["response"]["code"]).status_code == 200


def test_it_may_run_its_own_script_and_be_framed_by_that_origin_and_nothing_else(application):
    page = application.sign_in(application.ask(**MESSAGE))
    digest = base64.b64encode(hashlib.sha256(WEB_MESSAGE_SCRIPT.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "style-src": "'self'", "script-src": f"'sha256-{digest}'", "form-action": "'none'",
        "frame-ancestors": ORIGIN, "base-uri": "'none'",
    }  # fmt: skip
    assert "x-frame-options" not in page.headers  # which knows no origins, and would go before
    assert page.headers["cache-control"] == "no-store" and page.headers["referrer-policy"] == "no-referrer"
    assert page.text.count(f"<script>{WEB_MESSAGE_SCRIPT}</script>") == page.text.lower().count("<script") == 1


@pytest.mark.parametrize("state", HOSTILE)
def test_nothing_in_a_state_breaks_out(application, state):
    page = application.sign_in(application.ask(**MESSAGE, state=state))
    assert posted(page) == ({"type": "authorization_response", "response": posted(page)[0]["response"]}, ORIGIN)
    assert posted(page)[0]["response"]["state"] == state
    elements = [tag for tag, _ in Markup(page.text).elements]
    assert elements.count("script") == 1 and page.text.count(WEB_MESSAGE_SCRIPT) == 1
    data = page.text.partition('data-message="')[2].partition('"')[0]
    assert data.isascii() and not set(data) & set("<>'")


def test_without_a_script_there_is_a_sentence(application):
    words = " ".join(Markup(application.sign_in(application.ask(**MESSAGE)).text).words)
    assert f"This page tells {ORIGIN} how signing in has ended" in " ".join(words.split())


def test_silently_it_says_what_is_due(application, authority):
    def silently(**changed: str) -> tuple[str, str]:
        message, target = posted(application.ask(**MESSAGE, prompt="none", **changed))
        assert target == ORIGIN
        return message["response"].get("error"), message["response"].get("error_description")

    assert silently() == ("login_required", "Login required")
    application.code()
    assert silently() == (None, None)
    assert silently(audience="https://other.example") == (
        "access_denied",
        "Service not found: https://other.example",
    )
    authority.mfa.mode = "always"
    assert silently() == ("login_required", "Multifactor authentication required")


def test_tokens_may_come_so_as_well(application):
    message, _ = posted(application.sign_in(application.ask(**IMPLICIT | MESSAGE)))
    assert {"id_token", "access_token", "state", "iss"} < set(message["response"])


def test_pages_that_people_fill_in_are_framed_by_nobody(application, asks_consent):
    page = application.ask(**MESSAGE)
    consent = application.sign_in(page)
    for each in (page, consent):
        assert "frame-ancestors 'none'" in each.headers["content-security-policy"]
        assert "script-src" not in each.headers["content-security-policy"]
    assert posted(application.send(consent, decision="deny"))[0]["response"]["error"] == "access_denied"


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": ORIGIN},
        {"redirect_uri": "https://app.example.evil.example/callback"},
        {"client_id": "other"},
    ],
)
def test_a_foreign_origin_gets_nothing(application, changed):
    application.code()
    page = application.ask(**MESSAGE | changed, prompt="none")
    assert page.status_code == 400 and "evil" not in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"] and "<script" not in page.text


@pytest.mark.parametrize(
    ("redirect_uri", "web_origins"),
    [
        ("com.example.app://callback", "com.example.app://callback"),
        ("https://app.example/callback", "https://other.example"),
        ("https://app.example/callback", ""),
        ("https://app.example:8443/callback", "https://app.example"),
        ("https://a;script-src *;b/callback", "https://a;script-src *;b"),
    ],
)
def test_an_address_without_a_registered_origin_is_refused(application, store, redirect_uri, web_origins):
    """Auth0's sentence and, by the address that is the application's own, its remedy."""
    registered = redirect_uri.replace(" ", "%20")  # several are separated by spaces
    store.put(replace(SPA, redirect_uris=registered, web_origins=web_origins))
    reply = application.person.http.get(
        "/authorize",
        params={"client_id": "spa", "redirect_uri": registered, "response_type": "code", **MESSAGE},
        follow_redirects=False,
    )
    assert reply.status_code == 303
    assert reply.headers["location"].startswith(f"{registered}?error=invalid_request&error_description=The+specified")
    assert "does+not+have+a+registered+origin" in reply.headers["location"]


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://app.example/callback?x=1", "https://app.example"),
        ("HTTPS://App.Example:443/", "https://app.example"),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
        ("http://app.example:443/", "http://app.example:443"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("https://user:secret@app.example/", "https://app.example"),
        ("https://a;b/", None),
        ("https://a'b/", None),
        ("https://*.example/", None),
        ("https:///callback", None),
        ("https://app.example:x/", None),
        ("https://[::1/", None),
        ("app://callback", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("/callback", None),
        ("", None),
    ],
)
def test_the_origin_of_an_address(address, origin):
    assert origin_of(address) == origin


def test_by_an_address_it_is_as_it_was(application):
    assert "code" in sent_back(application.sign_in(application.ask(redirect_uri=CALLBACK)))
