"""The refresh parts of RFC 6749 and RFC 9700, FAPI 2.0's lost token and RFC 7009: the rows of requirements.toml, over
plain HTTP, on each server they name."""

from __future__ import annotations

import jwt
import pytest

from tests.interop.checking import LEAST_BITS, SAMPLE, bits, cells_not_run, granted, refused, shows
from tests.interop.servers import Server


@shows("6749-5.1-tokens")
def test_tokens_come_with_type_and_lifetime_and_are_not_stored(server: Server) -> None:
    begun = server.asked()
    server.person.approve(begun)
    reply = server.poll(begun["device_code"])
    assert reply.headers["content-type"].partition(";")[0] == "application/json"
    assert "no-store" in reply.headers["cache-control"]
    tokens = reply.json()
    assert tokens["access_token"] and tokens["refresh_token"]
    assert tokens["token_type"].lower() == "bearer"
    assert tokens["expires_in"] > 0
    assert set(tokens.get("scope", server.scope).split()) == set(server.scope.split())


@shows("6749-5.2-codes")
def test_a_wrong_token_request_is_told_what_was_wrong(server: Server) -> None:
    client = {"client_id": server.client_id}
    refused(server.post("token_endpoint", client), "invalid_request")
    refused(server.post("token_endpoint", {**client, "grant_type": "refresh_token"}), "invalid_request")
    refused(server.post("token_endpoint", {**client, "grant_type": "urn:nobody:knows"}), "unsupported_grant_type")
    refused(server.refresh("never-issued"), "invalid_grant")
    stranger = server.refresh("never-issued", client_id="nobody-knows-me")
    refused(stranger, "invalid_client")
    assert stranger.status_code in (400, 401)


@shows("6749-6-scope")
def test_a_refresh_keeps_the_scope_and_may_narrow_it_for_once(server: Server) -> None:
    whole = set(server.scope.split())
    first = server.refresh(server.paired()["refresh_token"]).json()
    assert granted(first) == whole
    narrowed = server.refresh(first["refresh_token"], scope=server.narrower).json()
    assert granted(narrowed) == set(server.narrower.split())
    assert granted(server.refresh(narrowed["refresh_token"]).json()) == whole


@shows("6749-6-wider")
def test_a_refresh_never_brings_more_than_was_granted(server: Server) -> None:
    token = server.paired()["refresh_token"]
    refused(server.refresh(token, scope=f"{server.narrower} delete:everything"), "invalid_scope")
    assert server.refresh(token).status_code == 200, "asking costs nothing"


@shows("6749-6-client")
def test_a_refresh_token_is_bound_to_its_client(server: Server) -> None:
    token = server.paired()["refresh_token"]
    refused(server.refresh(token, client_id=server.other_client_id), "invalid_grant")
    assert server.refresh(token).status_code == 200


@shows("6749-6-authenticate")
def test_a_client_that_has_a_secret_needs_it_to_refresh(server: Server) -> None:
    confidential = server.confidential
    token = server.paired(**confidential)["refresh_token"]
    for sent in ({"client_id": confidential["client_id"]}, confidential | {"client_secret": "another"}):
        refused(server.refresh(token, **sent), "invalid_client")
    assert server.refresh(token, **confidential).status_code == 200, "asking without costs nothing"


@shows("6749-10.4-entropy")
def test_a_refresh_token_cannot_be_guessed(server: Server) -> None:
    tokens = [server.paired()["refresh_token"]]
    while len(tokens) < SAMPLE:
        tokens.append(server.refresh(tokens[-1]).json()["refresh_token"])
    assert len(set(tokens)) == SAMPLE
    assert bits(tokens) >= LEAST_BITS


@shows("7009-2.1-revoked")
def test_a_revoked_refresh_token_is_refused(server: Server) -> None:
    token = server.paired()["refresh_token"]
    assert server.revoke(token).status_code == 200
    refused(server.refresh(token), "invalid_grant")


@shows("7009-2.2-unknown")
def test_revoking_what_nobody_knows_is_no_error(server: Server) -> None:
    assert server.revoke("never-issued").status_code == 200
    token = server.paired()["refresh_token"]
    assert server.revoke(token, token_type_hint="access_token").status_code == 200
    assert server.revoke(token).status_code == 200, "nor is revoking it once more"
    refused(server.refresh(token), "invalid_grant")


@shows("7009-2.1-owner")
def test_nobody_revokes_another_clients_token(server: Server) -> None:
    token = server.paired()["refresh_token"]
    assert server.revoke(token, client_id=server.other_client_id).status_code in (200, 400)
    assert server.refresh(token).status_code == 200


@shows("7009-2.1-authenticate")
def test_a_client_that_has_a_secret_needs_it_to_revoke(server: Server) -> None:
    confidential = server.confidential
    token = server.paired(**confidential)["refresh_token"]
    for sent in ({"client_id": confidential["client_id"]}, confidential | {"client_secret": "another"}):
        refused(server.revoke(token, **sent), "invalid_client")
    token = server.refresh(token, **confidential).raise_for_status().json()["refresh_token"]
    assert server.revoke(token, **confidential).status_code == 200
    refused(server.refresh(token, **confidential), "invalid_grant")


@shows("7009-2.1-access-tokens")
def test_with_a_refresh_token_its_access_tokens_end_for_who_asks(server: Server) -> None:
    tokens, other = server.paired(), server.paired()
    newer = server.refresh(tokens["refresh_token"]).json()
    issued = (tokens["access_token"], newer["access_token"])
    assert [server.introspect(token)["active"] for token in issued] == [True, True]
    assert server.revoke(newer["refresh_token"]).status_code == 200
    assert [server.introspect(token) for token in issued] == [{"active": False}] * 2
    assert server.introspect(other["access_token"])["active"] is True


@shows("7009-2.2.1-unsupported")
def test_a_token_of_a_kind_that_cannot_be_revoked_is_told_so(server: Server) -> None:
    tokens = server.paired()
    reply = server.revoke(tokens["access_token"])
    refused(reply, "unsupported_token_type")
    assert reply.status_code == 400
    assert server.refresh(tokens["refresh_token"]).status_code == 200, "and nothing is revoked"


@shows("7009-2.2.1-request")
def test_a_revocation_without_a_token_is_an_invalid_request(server: Server) -> None:
    refused(server.post("revocation_endpoint", {"client_id": server.client_id}), "invalid_request")


@shows("9700-2.2.2-rotation")
def test_a_refresh_token_is_rotated_at_each_use(server: Server) -> None:
    seen = [server.paired()["refresh_token"]]
    for _ in range(3):
        seen.append(server.refresh(seen[-1]).json()["refresh_token"])
    assert len(set(seen)) == 4


@shows("9700-4.14.2-reuse")
def test_an_old_refresh_token_seen_again_ends_its_family_and_no_other(server: Server) -> None:
    first, other = server.paired()["refresh_token"], server.paired()["refresh_token"]
    second = server.refresh(first).json()["refresh_token"]
    third = server.refresh(second).json()["refresh_token"]
    refused(server.refresh(first), "invalid_grant")
    refused(server.refresh(third), "invalid_grant")
    assert server.refresh(other).status_code == 200


@shows("9700-4.14.2-bound")
def test_a_refresh_token_is_bound_to_its_resource(server: Server) -> None:
    tokens = server.paired()
    for access_token in (tokens["access_token"], server.refresh(tokens["refresh_token"]).json()["access_token"]):
        audience = jwt.decode(access_token, options={"verify_signature": False})["aud"]
        assert audience in (server.resource, [server.resource])


@shows("9700-4.14.2-expiry")
def test_a_refresh_token_nobody_uses_expires(server: Server) -> None:
    token = server.paired()["refresh_token"]
    for _ in range(3):
        server.pass_time(server.idle_s - 1)
        token = server.refresh(token).raise_for_status().json()["refresh_token"]
    server.pass_time(server.idle_s)
    refused(server.refresh(token), "invalid_grant")


@shows("9700-4.14.2-event")
def test_whoever_is_in_charge_ends_all_that_a_person_granted(server: Server) -> None:
    assert server.end_all_of_the_person is not None
    confidential = server.confidential
    token, elsewhere = server.paired()["refresh_token"], server.paired(**confidential)["refresh_token"]
    server.end_all_of_the_person()
    refused(server.refresh(token), "invalid_grant")
    refused(server.refresh(elsewhere, **confidential), "invalid_grant")
    assert server.refresh(server.paired()["refresh_token"]).status_code == 200, "the person may begin anew"


@shows("fapi-5.3.2.1-9-retry")
def test_a_client_that_lost_the_new_token_may_try_again_with_the_old_one(server: Server) -> None:
    assert server.forgive_lost_reply is not None
    server.forgive_lost_reply(60)
    try:
        first = server.paired()["refresh_token"]
        server.refresh(first)
        server.pass_time(59)
        second = server.refresh(first).json()["refresh_token"]
        third = server.refresh(second).json()["refresh_token"]
        refused(server.refresh(first), "invalid_grant")
        refused(server.refresh(third), "invalid_grant")
    finally:
        server.forgive_lost_reply(0)


@shows("fapi-5.3.2.1-9-fixed")
def test_rotation_can_be_left_out(server: Server) -> None:
    client = {"client_id": server.fixed_client_id}
    token = server.paired(**client)["refresh_token"]
    for _ in range(3):
        refreshed = server.refresh(token, **client).raise_for_status().json()
        assert refreshed.get("refresh_token", token) == token


def test_each_server_of_each_row_really_ran(request: pytest.FixtureRequest) -> None:
    assert cells_not_run(request) == set()
