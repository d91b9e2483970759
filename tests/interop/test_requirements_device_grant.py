"""RFC 8628 of an authorization server: the rows of requirements.toml, over plain HTTP, on each server they name.

No check knows whose server it speaks to: paths come from the discovery document, codes go into whatever page there is.
"""

from __future__ import annotations

import re

import pytest

from tests.interop import servers
from tests.interop.checking import LEAST_BITS, SAMPLE, bits, cells_not_run, refused, shows
from tests.interop.servers import Server

DAY_S = 86_400
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"


@shows("8628-3.1-request")
def test_a_device_authorization_request_is_a_form_post_of_a_client_that_names_itself(server: Server) -> None:
    endpoint = server.metadata["device_authorization_endpoint"]
    assert server.ask().status_code == 200
    # oidc-provider takes a GET for the address of one of its pages, and fails.
    assert not server.http.get(endpoint, params={"client_id": server.client_id}).is_success
    refused(server.post("device_authorization_endpoint", {"scope": server.scope}), "invalid_request", "invalid_client")
    refused(server.ask(client_id="nobody-knows-me"), "invalid_client", "unauthorized_client")
    twice = {"client_id": server.client_id, "scope": [server.scope, server.scope]}
    refused(server.post("device_authorization_endpoint", twice), "invalid_request")


@shows("8628-3.2-response")
def test_a_device_authorization_response_has_all_that_is_required_and_is_not_stored(server: Server) -> None:
    reply = server.ask()
    assert reply.status_code == 200
    assert reply.headers["content-type"].partition(";")[0] == "application/json"
    assert "no-store" in reply.headers["cache-control"]
    begun = reply.json()
    assert all(begun[name] for name in ("device_code", "user_code", "verification_uri"))
    assert begun["expires_in"] > 0
    assert begun.get("interval", 5) > 0
    assert begun["user_code"] in begun["verification_uri_complete"]


@shows("8628-3.3-confirm")
def test_whoever_scans_the_code_is_shown_it_and_has_decided_nothing(server: Server) -> None:
    begun = server.asked()
    assert begun["user_code"] in server.person.scan(begun["verification_uri_complete"])
    refused(server.poll(begun["device_code"]), "authorization_pending")


@shows("8628-3.4-client")
def test_a_device_code_is_bound_to_its_client(server: Server) -> None:
    begun = server.asked()
    server.person.approve(begun)
    refused(server.poll(begun["device_code"], client_id=server.other_client_id), "invalid_grant")


@shows("8628-3.4-once")
def test_a_device_code_brings_tokens_once(server: Server) -> None:
    begun = server.asked()
    server.person.approve(begun)
    assert server.poll(begun["device_code"]).status_code == 200
    for _ in range(2):
        refused(server.poll(begun["device_code"]), "invalid_grant")


@shows("8628-3.5-pending")
def test_while_nobody_has_answered_a_poll_is_told_so_and_the_first_is_never_too_fast(server: Server) -> None:
    begun = server.asked()
    for _ in range(4):
        refused(server.poll(begun["device_code"]), "authorization_pending")
        server.pass_time(begun.get("interval", 5))


@shows("8628-3.5-slow-down")
def test_a_poll_that_is_too_fast_makes_the_interval_five_seconds_longer_for_good(server: Server) -> None:
    begun = server.asked()
    interval = begun["interval"]
    refused(server.poll(begun["device_code"]), "authorization_pending")
    waits = [
        (interval - 1, "slow_down"),
        (interval + 4, "slow_down"),
        (interval + 10, "authorization_pending"),
        (interval + 10, "authorization_pending"),
        (interval + 9, "slow_down"),
    ]
    for waited_s, error in waits:
        server.pass_time(waited_s)
        refused(server.poll(begun["device_code"]), error)


@shows("8628-3.5-denied")
def test_a_refusal_is_told_to_the_device(server: Server) -> None:
    begun = server.asked()
    server.person.deny(begun)
    refused(server.poll(begun["device_code"]), "access_denied")


@shows("8628-3.5-expired")
def test_an_expired_code_is_told_to_the_device(server: Server) -> None:
    begun = server.asked()
    server.pass_time(begun["expires_in"] - 1)
    refused(server.poll(begun["device_code"]), "authorization_pending")
    server.pass_time(1)
    refused(server.poll(begun["device_code"]), "expired_token")


@shows("8628-3.2-lifetime")
def test_nothing_comes_of_a_code_whose_lifetime_is_over(server: Server) -> None:
    approved, waiting = server.asked(), server.asked()
    server.person.approve(approved)
    assert server.takes(waiting, waiting["user_code"])
    server.pass_time(approved["expires_in"])
    refused(server.poll(approved["device_code"]), "expired_token", "invalid_grant")
    assert not server.takes(waiting, waiting["user_code"])


@shows("8628-3.5-status")
def test_refusals_of_a_poll_have_status_400(server: Server) -> None:
    begun, denied = server.asked(), server.asked()
    server.person.deny(denied)
    replies = [server.poll(code) for code in (begun["device_code"], denied["device_code"], "never-issued")]
    assert [reply.status_code for reply in replies] == [400, 400, 400]
    server.pass_time(begun["expires_in"])
    assert server.poll(begun["device_code"]).status_code == 400


@shows("8628-4-metadata")
def test_the_discovery_document_names_the_device_authorization_endpoint(server: Server) -> None:
    assert server.metadata["issuer"] == server.issuer
    assert server.metadata["device_authorization_endpoint"].startswith(server.issuer)


@shows("8628-4-grant-types")
def test_the_discovery_document_lists_the_device_grant(server: Server) -> None:
    assert {servers.DEVICE_CODE_GRANT, "refresh_token"} <= set(server.metadata["grant_types_supported"])


@shows("8628-5.1-guessing")
def test_guessing_of_user_codes_is_stopped(server: Server) -> None:
    begun = server.asked()
    uri, code = begun["verification_uri"], begun["user_code"]
    wrong = [f"BCDF-GH{first}{second}" for first in "JKLMN" for second in "PQR"]
    *_, said = server.person.type_code(uri, *wrong, code)
    assert code not in said, "in one browser"
    server.pass_time(DAY_S)
    begun = server.asked()
    assert server.takes(begun, begun["user_code"]), "not for ever"
    assert not any(server.takes(begun, entry) for entry in wrong)
    assert not server.takes(begun, begun["user_code"]), "in as many browsers as guesses"
    server.pass_time(DAY_S)


@shows("8628-5.2-entropy")
def test_a_device_code_cannot_be_guessed(server: Server) -> None:
    codes = {server.asked()["device_code"] for _ in range(SAMPLE)}
    assert len(codes) == SAMPLE
    assert bits(codes) >= LEAST_BITS


@shows("8628-5.4-phishing")
def test_a_person_is_told_which_device_asks(server: Server) -> None:
    begun = server.asked()
    said = server.person.approve(begun)
    assert any(server.client_name in page and begun["user_code"] in page for page in said[:-1])


@shows("8628-5.5-once")
def test_a_user_code_is_answered_once(server: Server) -> None:
    begun = server.asked()
    server.person.approve(begun)
    assert not server.takes(begun, begun["user_code"])


@shows("8628-6.1-charset")
def test_user_codes_are_of_the_twenty_consonants(server: Server) -> None:
    codes = {server.asked()["user_code"] for _ in range(20)}
    assert len(codes) == 20
    assert all(re.fullmatch(f"[{CONSONANTS}]{{4}}-[{CONSONANTS}]{{4}}", code) for code in codes)


@shows("8628-6.1-entry")
def test_a_user_code_is_the_same_however_it_is_typed(server: Server) -> None:
    begun = server.asked()
    code = begun["user_code"]
    for entry in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ').lower()}.", "-".join(code)):
        assert server.takes(begun, entry), entry
    assert not server.takes(begun, code[:-1])


def test_each_server_of_each_row_really_ran(request: pytest.FixtureRequest) -> None:
    assert cells_not_run(request) == set()
