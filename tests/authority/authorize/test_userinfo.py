"""/userinfo: of whom an access token speaks, as far as its scopes say."""

from __future__ import annotations

import pytest


def ask(application, token: str | None):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return application.person.http.get("/userinfo", headers=headers)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("openid", {"sub"}),
        ("openid profile", {"sub", "name", "nickname"}),
        ("openid email", {"sub", "email", "email_verified"}),
        ("openid profile email", {"sub", "name", "nickname", "email", "email_verified"}),
    ],
)
def test_each_scope_tells_its_part(application, scope, expected):
    held = application.redeem(application.code(scope=scope)).json()
    told = ask(application, held["access_token"])
    assert (told.status_code, set(told.json())) == (200, expected)
    assert told.headers["cache-control"] == "no-store"


def test_who_brings_no_token_or_a_wrong_one_is_refused(application):
    without = application.redeem(application.code(scope="view:balance")).json()["access_token"]
    for token, status, error in (
        (None, 401, "invalid_token"),
        ("x", 401, "invalid_token"),
        (without, 403, "insufficient_scope"),
    ):
        refused = ask(application, token)
        assert (refused.status_code, refused.json()["error"]) == (status, error)
        assert refused.headers["www-authenticate"].startswith("Bearer ")
