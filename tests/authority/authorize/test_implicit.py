"""The implicit form of seeds/002's table, for who switches it on: `response_type=id_token token`, nonce, state."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import jwt
import pytest

from .application import IMPLICIT, SPA, sent_back


def test_the_tokens_come_in_the_fragment_and_fit_each_other(application):
    reply = application.sign_in(application.ask(**IMPLICIT, scope="openid offline_access view:balance"))
    assert "?" not in reply.headers["location"]
    told = sent_back(reply)
    assert set(told) == {"id_token", "access_token", "token_type", "expires_in", "scope", "state", "iss"}
    # RFC 6749 4.2.2: no refresh token, so that the scope which asks for one is not granted.
    assert (told["token_type"], told["scope"], told["state"]) == ("Bearer", "openid view:balance", "xyz")
    identity = jwt.decode(told["id_token"], options={"verify_signature": False})
    half = hashlib.sha256(told["access_token"].encode()).digest()[:16]
    assert identity["at_hash"] == base64.urlsafe_b64encode(half).decode().rstrip("=")
    assert identity["nonce"] == "n-0S6"
    access = jwt.decode(told["access_token"], options={"verify_signature": False})
    assert (access["aud"], access["scope"]) == (["https://api.example"], "openid view:balance")


@pytest.mark.parametrize(
    ("response_type", "expected"),
    [("token", {"access_token", "token_type", "expires_in", "scope"}), ("id_token", {"id_token"})],
)
def test_either_may_be_asked_for_alone(application, response_type, expected):
    told = sent_back(application.sign_in(application.ask(**IMPLICIT | {"response_type": response_type})))
    assert set(told) - {"state", "iss"} == expected


def test_the_order_of_the_words_does_not_matter(application):
    told = sent_back(application.sign_in(application.ask(**IMPLICIT | {"response_type": "token id_token"})))
    assert {"id_token", "access_token"} < set(told)


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"nonce": ""}, "invalid_request", "nonce is required for an ID token."),
        ({"response_mode": "query"}, "invalid_request", "response_mode is one of fragment, form_post, web_message."),
        ({"scope": "view:balance"}, "invalid_scope", "An ID token takes scope openid."),
        ({"prompt": "none"}, "login_required", "Login required"),
    ],
)
def test_what_is_wrong_comes_in_the_fragment_too(application, changed, error, said):
    reply = application.ask(**IMPLICIT | changed)
    assert "#error=" in reply.headers["location"]
    told = sent_back(reply)
    assert (told["error"], told["error_description"]) == (error, said)


def test_it_has_to_be_switched_on(application, store):
    store.put(replace(SPA, grants="authorization_code refresh_token"))
    told = sent_back(application.ask(**IMPLICIT))
    assert told["error"] == "unauthorized_client"
    store.put(replace(SPA, grants="implicit"))
    assert sent_back(application.ask())["error"] == "unauthorized_client"
    assert "id_token" in sent_back(application.sign_in(application.ask(**IMPLICIT)))
