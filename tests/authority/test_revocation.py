"""RFC 7009: revoking a refresh token ends its family, or the whole grant where the tenant is set so."""

from __future__ import annotations

from dataclasses import replace

from host_tools.authority.core.records import TokenFamily

from .mfa_wire import SECRET, add_app, add_person, refreshed, refused

DEAD = (403, "invalid_grant", "Unknown or invalid refresh token.")


def revoke(app, token: str, **changed: str):
    fields = {"client_id": app.client_id, "client_secret": SECRET, "token": token}
    return app.http.post("/oauth/revoke", data=fields | changed)


def test_any_token_of_a_family_revokes_all_of_it(app_with):
    app, first = app_with(refresh_leeway_s=60)
    second = refreshed(app, first)
    assert revoke(app, first).status_code == 200
    assert refused(app.refresh(second)) == DEAD
    assert refused(app.refresh(first)) == DEAD


def test_revoking_one_family_leaves_the_others(app_with, zeno):
    app, token = app_with()
    other = app.sign_in(zeno).json()["refresh_token"]
    assert revoke(app, token).status_code == 200
    assert refused(app.refresh(token)) == DEAD
    assert refreshed(app, other)


def test_where_revocation_deletes_the_grant_all_of_that_user_client_and_api_ends(
    app_with, authority, store, tenant, zeno
):
    app, token = app_with()
    theirs = app.sign_in(zeno).json()["refresh_token"]
    elsewhere, others_client = app_with("other")
    chrysippus = add_person(store, "chrysippus")
    other_person = app.sign_in(chrysippus).json()["refresh_token"]
    authority.issued_tokens.revocation_deletes_grant = True
    assert revoke(app, token).status_code == 200
    assert [refused(app.refresh(each)) for each in (token, theirs)] == [DEAD] * 2
    assert refreshed(elsewhere, others_client)
    assert refreshed(app, other_person)
    # One for another API is another grant (Auth0's is of user, client and audience).
    kept = app.sign_in(zeno).json()["refresh_token"]
    mine = next(each for each in store.find(TokenFamily, user_id=zeno.user_id, revoked_at=None, client_id="app"))
    store.put(replace(mine, audience="https://elsewhere.example/"))
    assert revoke(app, app.sign_in(zeno).json()["refresh_token"]).status_code == 200
    assert refreshed(app, kept)


def test_revocation_tells_nothing_and_needs_the_client(app_with, http, store, tenant):
    app, token = app_with()
    for unknown in ("never-issued", "\x00", "💥", "a" * 50_000, "' OR 1=1 --"):
        reply = revoke(app, unknown)
        assert (reply.status_code, reply.content) == (200, b"")
    assert refused(revoke(app, ""))[:2] == (400, "invalid_request")
    assert refused(revoke(app, token, client_secret="another"))[:2] == (401, "invalid_client")
    add_app(http, store, tenant, "other")
    assert revoke(app, token, client_id="other").status_code == 200
    assert refreshed(app, token)  # another client's word ends nothing


def test_an_access_token_is_taken_without_a_word_and_stays_good(app_with, zeno):
    """wire-facts 1.3 has one reply: 200 and an empty body."""
    app, _ = app_with()
    tokens = app.sign_in(zeno).json()
    reply = revoke(app, tokens["access_token"])
    assert (reply.status_code, reply.content) == (200, b"")
    assert refreshed(app, tokens["refresh_token"])
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert app.http.get("/api/quotes/today", headers=bearer).status_code == 200


def test_revoking_twice_is_no_error(app_with):
    app, token = app_with()
    assert [revoke(app, token).status_code for _ in range(2)] == [200, 200]
