"""The examples: each starts as it is, at any port, with TLS or without, and does what it is for."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from host_tools.authority import AuthorityError, InvalidSetting, examples, start_authority
from host_tools.authority.core.records import Client, User
from host_tools.authority.example_names import EXAMPLE_NAMES
from host_tools.authority.listening import listen
from host_tools.authority.tenant_file import load
from host_tools.clock import NS, VirtualClock

from ..conftest import START_NS, Browser, Display, quote_of_day
from ..mfa_wire import App, Person, code_in
from .api import bearer

DIOGENES = Person("", "diogenes@stoa.example", "out of my sun")
HIPPARCHIA = Person("", "hipparchia@stoa.example", "no house at all")


def start(clock: VirtualClock, example: str, **options):
    return start_authority(clock, example=example, quote_of_day=quote_of_day, **options)  # type: ignore[arg-type]


def connected(authority, **options) -> httpx2.Client:
    trusts = {} if authority.ca_file is None else {"verify": ssl.create_default_context(cafile=authority.ca_file)}
    return httpx2.Client(base_url=authority.issuer, timeout=20, **trusts, **options)


def addresses(authority) -> list[str]:
    """All that its clients may send browsers to."""
    return [uri for client in authority._authority.store.find(Client) for uri in client.redirect_uris.split()]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_each_starts_at_any_port_and_its_addresses_are_there(clock, name, tls):
    with start(clock, name, tls=tls) as authority, connected(authority) as http:
        parts = urlsplit(authority.issuer)
        assert parts.scheme == ("https" if tls else "http")
        assert parts.port != 8080
        for address in addresses(authority):
            found = urlsplit(address)
            assert (found.scheme, found.hostname, found.port) == (parts.scheme, "localhost", parts.port)
        assert http.get("/.well-known/openid-configuration").json()["issuer"] == authority.issuer
        prefix = {"bank": "/bank", "catsdogs": "/catsdogs", "quotes": "/api/quotes"}[name]
        served = http.get("/openapi.json").json()["paths"]
        assert any(path.startswith(f"{prefix}/") for path in served)
        told = examples.next_steps(name, authority.issuer)
        assert "{" not in told and ("http" not in told or str(parts.port) in told)


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_a_port_that_is_named_is_where_it_is(clock, name):
    free = listen(0)
    port = free.getsockname()[1]
    free.close()
    with start(clock, name, port=port) as authority:
        assert authority.issuer == f"http://127.0.0.1:{port}/"
        assert all(urlsplit(each).port == port for each in addresses(authority))


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_its_files_are_a_tenant_as_an_owner_would_write_it(name):
    """Each may be copied and started by --config, as it is."""
    settings = load(examples.folder(name) / "tenant.toml")
    assert settings.users and settings.clients
    assert name in [each.serves for each in settings.apis]
    assert settings == examples.settings(name, "http://127.0.0.1:8080/")


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_an_example_has_its_own_users_and_no_others(clock, name, tmp_path):
    with start_authority(clock, database=tmp_path / "a.db", quote_of_day=quote_of_day):
        pass
    with start(clock, name, database=tmp_path / "a.db") as authority:
        named = {each.username for each in examples.settings(name, authority.issuer).users}
        assert {each.username for each in authority.listed_tenant.users} == named
        assert {each.username for each in authority._authority.store.find(User)} == named


def test_an_example_is_a_tenant_file_already(clock, tmp_path):
    (tmp_path / "tenant.toml").write_text("")
    with pytest.raises(AuthorityError, match="an example is a tenant file of its own; name one of the two"):
        start(clock, "bank", config=tmp_path / "tenant.toml")


@pytest.mark.parametrize("name", ["", "Bank", "banks", "../bank", "bank/", 5])
def test_an_unknown_name_is_told_with_those_there_are(clock, name):
    with pytest.raises(InvalidSetting, match=r"^example is .*; it must be one of bank, catsdogs, quotes$"):
        start(clock, name)


def test_options_go_before_what_the_example_says(clock):
    with start(clock, "catsdogs", access_token_ttl=77) as authority, connected(authority) as http:
        assert App(http, "catsdogs", None).sign_in(HIPPARCHIA, scope="").json()["expires_in"] == 77
        authority.set_mfa("always")
        assert App(http, "catsdogs", None).mfa_token(HIPPARCHIA, scope="")
    with start(clock, "catsdogs", mfa="always") as authority, connected(authority) as http:
        assert App(http, "catsdogs", None).mfa_token(HIPPARCHIA, scope="")


# Each does what it is for.


def test_cats_and_dogs(clock):
    """seeds/004, section 5."""
    with start(clock, "catsdogs") as authority, connected(authority) as http:
        app = App(http, "catsdogs", None)

        def animals(path: str, token: str | None = None) -> int:
            return http.get(f"/catsdogs{path}", headers=bearer(token) if token else {}).status_code

        def outbox() -> str:
            return code_in(http.get("/outbox").text.partition("is your verification code")[0][-200:])

        assert [animals(path) for path in ("/", "/dogs/", "/cats/")] == [200, 401, 401]
        assert animals("/dogs") == 404  # "the trailing slashes are required"
        mfa_token = app.mfa_token(DIOGENES, scope="")
        granted = app.oob(mfa_token, app.challenged(mfa_token), binding_code=outbox())
        token = granted.json()["access_token"]
        assert [animals(path, token) for path in ("/", "/dogs/", "/cats/")] == [200, 200, 200]
        clock.sleep_ns(61 * NS)
        assert [animals(path, token) for path in ("/", "/dogs/", "/cats/")] == [200, 200, 401]
        sent = http.post("/gateway/otp", headers=bearer(token))
        assert (sent.status_code, sent.json()["sent_to"]) == (202, "dio***@stoa.example")
        assert http.post("/gateway/otp/verify", json={"code": outbox()}, headers=bearer(token)).status_code == 200
        assert animals("/cats/", token) == 200
        # And who has no second factor has dogs.
        token = app.sign_in(HIPPARCHIA, scope="").json()["access_token"]
        assert [animals(path, token) for path in ("/", "/dogs/", "/cats/")] == [200, 200, 401]
        assert http.post("/gateway/otp", headers=bearer(token)).json()["error"] == "unsupported_challenge_type"


def test_cats_and_dogs_for_a_server_in_front(clock):
    with start(clock, "catsdogs") as authority, connected(authority) as http:
        token = App(http, "catsdogs", None).sign_in(HIPPARCHIA, scope="").json()["access_token"]
        for uri, expected in (("/catsdogs/", 200), ("/catsdogs/dogs/", 200), ("/catsdogs/cats/", 401)):
            told = {"X-Original-URI": uri, "X-Original-Method": "GET"} | bearer(token)
            assert http.get("/gateway/check", headers=told).status_code == expected


def test_the_bank_has_its_application(clock):
    with start(clock, "bank") as authority, connected(authority) as http:
        assert addresses(authority) == [f"{authority.issuer.replace('127.0.0.1', 'localhost')}bank/"]
        page = httpx2.get(addresses(authority)[0])
        assert page.status_code == 200 and "bank-app" in page.text and authority.issuer in page.text
        policy = page.headers["content-security-policy"]
        assert f"connect-src 'self' {authority.issuer.rstrip('/')};" in policy and "default-src 'none'" in policy
        for name in ("bank.js", "bank.css"):
            assert http.get(f"/bank/{name}").status_code == 200
        assert http.get("/bank/balance").status_code == 401
        assert http.post("/bank/transfer").status_code == 401


def test_the_quotes_are_for_who_has_given_a_second_factor_within_a_week(clock):
    with start(clock, "quotes") as authority, connected(authority) as http, connected(authority) as other:
        tenant = replace(authority.tenant, demo_password="nothing is ours but time")  # which stands in the file
        display, person = Display(http, tenant), Browser(other, tenant, clock)

        def paired() -> dict[str, Any]:
            begun = display.ask().json()
            page = person.sign_in(person.type_code(begun["user_code"]))
            person.send(person.send(page, code=person.one_time_code()), decision="allow")
            granted: dict[str, Any] = display.poll(begun["device_code"]).json()
            return granted

        tokens = paired()
        assert display.quote(tokens["access_token"]).status_code == 200
        clock.skip_ns(604_800 * NS)
        tokens = display.refresh(tokens["refresh_token"]).json()
        assert display.quote(tokens["access_token"]).status_code == 200
        clock.skip_ns(NS)
        refused = display.quote(tokens["access_token"])
        assert refused.status_code == 401
        assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]
        assert 'max_age="604800"' in refused.headers["www-authenticate"]
        assert display.quote(paired()["access_token"]).status_code == 200


def test_time_begins_where_the_clock_says(clock):
    with start(clock, "bank") as authority, connected(authority) as http:
        assert http.get("/bank/").headers["date"] == "Sun, 22 Nov 2026 00:00:00 GMT"
        assert clock.now_ns() == START_NS


@pytest.mark.parametrize(("example", "needs"), [("bank", "authorization"), ("quotes", "device authorization")])
def test_an_example_wants_a_dialect_that_has_what_it_needs(example, needs):
    with pytest.raises(AuthorityError, match=f"needs {needs}, which the dialect extrahorizon has not"):
        start_authority(VirtualClock(START_NS), dialect="extrahorizon", example=example)


def test_an_example_under_okta_has_oktas_device_flow():
    with start_authority(VirtualClock(START_NS), dialect="okta", example="quotes") as running:
        assert running._authority.user_codes.mask == "********"
