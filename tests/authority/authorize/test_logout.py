"""Signing out for an application: Auth0's /v2/logout, and OpenID Connect RP-Initiated Logout 1.0 in both dialects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import jwt
import pytest
from starlette.testclient import TestClient

from host_tools.authority.app import create_app
from host_tools.authority.core.access_tokens import AccessTokens, Subject, signing_key
from host_tools.authority.core.records import LoginSession
from host_tools.clock import NS
from tests.authority.conftest import ISSUER, Browser, quote_of_day
from tests.authority.page_markup import Markup

from .application import CALLBACK, GOODBYE, SPA, Application, sent_back

STANDARD = {"auth0": "/oidc/logout", "rfc": "/logout"}
AT_ONCE = "/v2/logout"
NOT_ALLOWED = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://app.example.evil.example/goodbye",
    "https://app.example@evil.example/goodbye",
    "https://evil.example/https://app.example/goodbye",
    GOODBYE + "/",
    GOODBYE + "?x=1",
    GOODBYE + "#x",
    GOODBYE.replace("https", "HTTPS"),
    GOODBYE.replace("https", "http"),
    GOODBYE + " https://app.example/left?from=stoa",
    "https://app.example/",
    CALLBACK,
    GOODBYE + "\r\nX: y",
]


@pytest.fixture(params=["auth0", "rfc"])
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def site(dialect, authority, tenant, clock, spa) -> Iterator[Application]:
    """An application in front of either dialect."""
    with TestClient(create_app(authority, quote_of_day, dialect=dialect), base_url=ISSUER) as client:
        yield Application(Browser(client, tenant, clock), {"auth0": "/oauth/token", "rfc": "/token"}[dialect])


def ask(application: Application, path: str, **sent: str | None):
    fields = {name: value for name, value in sent.items() if value is not None}
    return application.person.http.get(path, params=fields, follow_redirects=False)


def is_signed_in(application: Application) -> bool:
    return "code" in sent_back(application.ask(prompt="none"))


def signed_in(application: Application, **asked: str) -> Application:
    application.code(**asked)
    assert is_signed_in(application)
    return application


def id_token_of(application: Application, **changed: str) -> str:
    return application.redeem(application.code(**changed)).json()["id_token"]


# Auth0's own.


def test_it_signs_out_at_once_and_leads_back(application, authority, store):
    signed_in(application)
    old = application.person.http.cookies["stoa_session"]
    [user_id] = {each.user_id for each in store.find(LoginSession) if each.user_id}
    reply = ask(application, AT_ONCE, client_id="spa", returnTo=GOODBYE)
    assert (reply.status_code, reply.headers["location"]) == (303, GOODBYE)
    assert (reply.headers["cache-control"], reply.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert application.person.http.cookies["stoa_session"] != old
    assert sent_back(application.ask(prompt="none"))["error"] == "login_required"
    assert 'name="password"' in application.ask().text
    event = authority.events.newest(9)[1]  # the newest is that of the silent request
    assert (event.kind, event.client_id, event.user_id) == ("logout_succeeded", "spa", user_id)


def test_the_session_has_ended_here_and_not_only_in_the_browser(application, store):
    """Whoever has kept the cookie."""
    signed_in(application)
    kept = dict(application.person.http.cookies)
    ask(application, AT_ONCE, client_id="spa", returnTo=GOODBYE)
    assert [each for each in store.find(LoginSession) if each.user_id] == []
    application.person.http.cookies.clear()
    application.person.http.cookies.update(kept)
    assert not is_signed_in(application)


@pytest.mark.parametrize("address", NOT_ALLOWED)
def test_nobody_is_sent_to_an_address_that_is_not_allowed(application, address):
    signed_in(application)
    reply = ask(application, AT_ONCE, client_id="spa", returnTo=address)
    assert reply.status_code == 400 and "location" not in reply.headers
    assert "not one of its own" in reply.text and "You are signed out here" in reply.text
    assert "evil" not in reply.text and "alert(1)" not in reply.text
    assert not is_signed_in(application)


@pytest.mark.parametrize(
    ("sent", "status", "leads_to"),
    [
        # "If returnTo is not set, the server returns the user to the first Allowed Logout URL" (Authentication API).
        ({"client_id": "spa"}, 303, GOODBYE),
        ({"client_id": "spa", "returnTo": ""}, 303, GOODBYE),
        ({"client_id": "spa", "returnTo": GOODBYE, "federated": ""}, 303, GOODBYE),
        ({"client_id": "spa", "returnTo": "https://app.example/left?from=stoa"}, 303, "https://app.example/left?from=stoa"),
        ({}, 200, None),
        # Auth0's list of the whole tenant, which there is none of here.
        ({"returnTo": GOODBYE}, 400, None),
        ({"client_id": "other", "returnTo": GOODBYE}, 400, None),
        ({"client_id": "bare", "returnTo": GOODBYE}, 400, None),
        ({"client_id": "bare"}, 200, None),
    ],
)  # fmt: skip
def test_whoever_asks_and_wherever_they_lead_the_person_is_signed_out(application, store, sent, status, leads_to):
    store.put(replace(SPA, client_id="bare", name="Bare", logout_uris=""))
    signed_in(application)
    reply = ask(application, AT_ONCE, **sent)
    assert (reply.status_code, reply.headers.get("location")) == (status, leads_to)
    assert leads_to or "You are signed out here" in reply.text
    assert not is_signed_in(application)


def test_who_is_not_signed_in_is_sent_on_and_gets_no_session(application, store):
    before = store.find(LoginSession)
    reply = ask(application, AT_ONCE, client_id="spa", returnTo=GOODBYE)
    assert (reply.headers["location"], "set-cookie" in reply.headers) == (GOODBYE, False)
    assert store.find(LoginSession) == before


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_nothing_but_a_get_signs_out(application, method):
    signed_in(application)
    reply = application.person.http.request(method, AT_ONCE, params={"client_id": "spa"}, follow_redirects=False)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET")
    assert is_signed_in(application)


def test_a_parameter_that_comes_twice_is_refused(application):
    signed_in(application)
    reply = application.person.http.get(
        f"{AT_ONCE}?client_id=spa&returnTo={GOODBYE}&returnTo=https://evil.example/", follow_redirects=False
    )
    assert reply.status_code == 400 and "included more than once" in reply.text
    assert is_signed_in(application)


def test_refresh_tokens_stay_good(application):
    held = application.redeem(application.code(scope="openid offline_access")).json()
    ask(application, AT_ONCE, client_id="spa", returnTo=GOODBYE)
    refreshed = application.person.http.post(
        "/oauth/token",
        data={"grant_type": "refresh_token", "client_id": "spa", "refresh_token": held["refresh_token"]},
    )
    assert refreshed.status_code == 200


@pytest.mark.parametrize("dialect", ["rfc"], indirect=True)
def test_the_rfc_dialect_has_none_of_that(site):
    assert ask(site, AT_ONCE, client_id="spa").status_code == 404


# OpenID Connect RP-Initiated Logout 1.0.


def test_discovery_names_it(site, dialect):
    told = site.person.http.get("/.well-known/openid-configuration").json()
    assert told["end_session_endpoint"] == f"{ISSUER}{STANDARD[dialect][1:]}"


@pytest.mark.parametrize("hours", [0, 11])
def test_with_an_id_token_of_theirs_nobody_is_asked(site, dialect, clock, hours):
    """2: even when the exp time has passed; ours is ten hours."""
    hint = id_token_of(site)
    clock.sleep_ns(hours * 3600 * NS)
    signed_in(site)
    reply = ask(site, STANDARD[dialect], id_token_hint=hint, post_logout_redirect_uri=GOODBYE, state="a b&c=d#\u2028")
    assert reply.status_code == 303
    assert reply.headers["location"] == f"{GOODBYE}?state=a+b%26c%3Dd%23%E2%80%A8"
    assert not is_signed_in(site)


def test_a_query_of_the_addresss_own_stays(site, dialect):
    hint = id_token_of(site)
    own = "https://app.example/left?from=stoa"
    reply = ask(site, STANDARD[dialect], id_token_hint=hint, post_logout_redirect_uri=own, state="x")
    assert reply.headers["location"] == f"{own}&state=x"


def forged(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"typ": "JWT"})


def from_another_issuer(token: str, authority) -> str:
    """Signed with our key all the same."""
    claims = jwt.decode(token, options={"verify_signature": False})
    elsewhere = AccessTokens(
        signing_key(authority.store, authority.clock), "https://other.example/", authority.clock, 60
    )
    user = Subject(claims["sub"], claims["aud"], "", "openid", 0, "pwd")
    return elsewhere.mint_id_token(user, with_amr=False)


def unsigned(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, None, algorithm="none")


@pytest.mark.parametrize(
    "hint",
    [
        lambda application: None,
        lambda application: "x",
        lambda application: "a.b.c",
        lambda application: id_token_of(application)[:-8] + "AAAAAAAA",
        lambda application: forged(id_token_of(application)),
        lambda application: unsigned(id_token_of(application)),
    ],
    ids=["none", "no token", "no base64", "another signature", "another key", "no signature"],
)
def test_without_one_that_is_ours_the_person_is_asked(site, dialect, hint):
    """2: MUST, if an id_token_hint was not provided; 4: what does not validate is not used."""
    token = hint(signed_in(site))
    fields = {"client_id": "spa", "post_logout_redirect_uri": GOODBYE, "state": "xyz", "id_token_hint": token}
    page = ask(site, STANDARD[dialect], **fields)
    assert page.status_code == 200 and "<h1>Sign out?</h1>" in page.text
    assert "Bank" in page.text and "demo@stoa.example" in page.text
    assert "form-action 'self' https://app.example;" in page.headers["content-security-policy"]
    assert is_signed_in(site)
    reply = site.person.send(page, follow=False)
    assert (reply.status_code, reply.headers["location"]) == (303, f"{GOODBYE}?state=xyz")
    assert not is_signed_in(site)


def test_nor_is_one_of_another_issuer_ours(site, dialect, authority):
    hint = from_another_issuer(id_token_of(site), authority)
    page = ask(site, STANDARD[dialect], id_token_hint=hint)
    assert "Sign out?" in page.text and is_signed_in(site)


def test_an_access_token_is_no_id_token(site, dialect):
    granted = site.redeem(site.code()).json()
    page = ask(site, STANDARD[dialect], id_token_hint=granted["access_token"])
    assert "Sign out?" in page.text and is_signed_in(site)


def test_one_of_somebody_else_has_the_person_asked(site, dialect, zeno):
    """2: MUST, if it does not belong to the currently logged in End-User."""
    told = sent_back(site.send(site.ask(), username=zeno.username, password=zeno.password))
    token_of_zeno = site.redeem(told["code"]).json()["id_token"]
    site.person.http.cookies.clear()
    signed_in(site)
    page = ask(site, STANDARD[dialect], id_token_hint=token_of_zeno, post_logout_redirect_uri=GOODBYE)
    assert "Sign out?" in page.text and is_signed_in(site)


def test_a_client_that_the_token_was_not_issued_to_is_told_nothing(site, dialect, store):
    """2: MUST verify that the Client Identifier matches."""
    store.put(replace(SPA, client_id="another", name="Another", logout_uris="https://another.example/"))
    hint = id_token_of(site)
    page = ask(
        site,
        STANDARD[dialect],
        id_token_hint=hint,
        client_id="another",
        post_logout_redirect_uri="https://another.example/",
    )
    assert "Sign out?" in page.text and is_signed_in(site)
    reply = site.person.send(page, follow=False)
    assert reply.status_code == 400 and "location" not in reply.headers
    assert not is_signed_in(site)


@pytest.mark.parametrize("address", NOT_ALLOWED)
@pytest.mark.parametrize("hinted", [True, False])
def test_nor_is_there_an_open_redirect_here(site, dialect, address, hinted):
    token = id_token_of(site) if hinted else None
    sent = {"post_logout_redirect_uri": address, "state": "x", "id_token_hint": token, "client_id": "spa"}
    for signed in (True, False):
        page = ask(signed_in(site) if signed else site, STANDARD[dialect], **sent)
        reply = site.person.send(page, follow=False) if "<h1>Sign out?" in page.text else page
        assert reply.status_code == 400 and "location" not in reply.headers, reply.headers
        assert "not one of its own" in reply.text and "evil" not in reply.text
        assert "evil" not in page.headers["content-security-policy"]


def test_the_confirmation_may_lead_where_the_person_is_sent_on(site, dialect, store):
    """Browsers hold form-action against it."""
    store.put(replace(SPA, logout_uris="https://bye.example/"))
    signed_in(site)
    page = ask(site, STANDARD[dialect], client_id="spa", post_logout_redirect_uri="https://bye.example/")
    assert "form-action 'self' https://bye.example;" in page.headers["content-security-policy"]


def test_what_the_confirmation_sends_is_judged_again(site, dialect):
    signed_in(site)
    page = ask(site, STANDARD[dialect], client_id="spa", post_logout_redirect_uri=GOODBYE)
    reply = site.person.send(page, follow=False, post_logout_redirect_uri="https://evil.example/")
    assert reply.status_code == 400 and "location" not in reply.headers


@pytest.mark.parametrize("token", ["", "0" * 64, "x.y"])
def test_a_confirmation_from_elsewhere_signs_nobody_out(site, dialect, token):
    signed_in(site)
    page = ask(site, STANDARD[dialect], client_id="spa", post_logout_redirect_uri=GOODBYE)
    assert site.person.send(page, follow=False, csrf_token=token).status_code == 403
    assert is_signed_in(site)


def test_the_second_click_leads_back_too(site, dialect):
    signed_in(site)
    cookies = dict(site.person.http.cookies)
    page = ask(site, STANDARD[dialect], client_id="spa", post_logout_redirect_uri=GOODBYE)
    for _ in range(2):
        site.person.http.cookies.clear()
        site.person.http.cookies.update(cookies)  # sent before the first reply was there
        assert site.person.send(page, follow=False).headers["location"] == GOODBYE


def test_who_is_not_signed_in_is_asked_nothing(site, dialect):
    reply = ask(site, STANDARD[dialect], client_id="spa", post_logout_redirect_uri=GOODBYE, state="x")
    assert (reply.headers["location"], "set-cookie" in reply.headers) == (f"{GOODBYE}?state=x", False)


def test_by_a_form_it_comes_back_as_an_address(site, dialect):
    """From another site without our cookies; 2: MUST support GET and POST."""
    hint = id_token_of(site)
    kept = dict(site.person.http.cookies)
    site.person.http.cookies.clear()
    sent = {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE}
    posted = site.person.http.post(STANDARD[dialect], data=sent, follow_redirects=False)
    assert posted.status_code == 303 and "set-cookie" not in posted.headers
    assert posted.headers["location"].startswith(f"{STANDARD[dialect]}?id_token_hint=")
    site.person.http.cookies.update(kept)
    assert site.person.http.get(posted.headers["location"], follow_redirects=False).headers["location"] == GOODBYE
    assert not is_signed_in(site)


def test_who_names_no_address_stays_or_goes_where_auth0_leads(site, dialect):
    reply = ask(site, STANDARD[dialect], id_token_hint=id_token_of(site))
    assert not is_signed_in(site)
    if dialect == "auth0":  # its API reference of /oidc/logout
        assert reply.headers["location"] == GOODBYE
    else:
        assert reply.status_code == 200 and "You are signed out here" in reply.text


def test_a_state_that_no_address_holds_is_refused(site, dialect):
    hint = id_token_of(site)
    reply = ask(site, STANDARD[dialect], id_token_hint=hint, post_logout_redirect_uri=GOODBYE, state="s" * 2001)
    assert reply.status_code == 400 and "too long" in reply.text


@pytest.mark.parametrize("method", ["HEAD", "PUT"])
def test_looking_at_its_head_signs_nobody_out(site, dialect, method):
    hint = id_token_of(site)
    reply = site.person.http.request(method, STANDARD[dialect], params={"id_token_hint": hint}, follow_redirects=False)
    assert reply.status_code == 405
    assert is_signed_in(site)


def test_the_page_that_asks_has_no_markup_of_anybodys(site, dialect, store):
    name = "<img src=x onerror=alert(1)>"
    store.put(replace(SPA, name=name))
    signed_in(site)
    page = ask(site, STANDARD[dialect], client_id="spa", post_logout_redirect_uri=GOODBYE, state=f'">{name}')
    markup = Markup(page.text)
    assert not {tag for tag, _ in markup.elements} & {"img", "script"}
    assert markup.form_with("state").hidden["state"] == f'">{name}'


# Overtaken by another request of the same browser.


@pytest.fixture
def overtaken(authority, monkeypatch):
    """Somebody signs in anew between the moment the session is looked at and the moment it is ended; whose session it
    is by now, and which cookie has it."""
    end, newest = authority.logouts.end, []

    def late(session, logout):
        if not newest:
            user = authority.users.get(session.user_id)
            newest.append(authority.sessions.sign_in(session, user)[0])
        return end(session, logout)

    monkeypatch.setattr(authority.logouts, "end", late)
    return newest


@pytest.mark.parametrize(("path", "sent"), [(AT_ONCE, {"returnTo": GOODBYE}), ("/oidc/logout", {"hinted": "yes"})])
def test_a_logout_that_a_sign_in_overtakes_ends_the_session_that_there_is(application, store, overtaken, path, sent):
    if sent.pop("hinted", None):
        sent |= {"post_logout_redirect_uri": GOODBYE, "id_token_hint": id_token_of(application)}
    signed_in(application)
    again = ask(application, path, client_id="spa", **sent)
    assert again.status_code == 303 and again.headers["location"].startswith(f"{path}?")
    http = application.person.http
    http.cookies.clear()
    http.cookies.set("stoa_session", overtaken[0], domain="127.0.0.1")  # by the reply to the sign-in
    reply = http.get(again.headers["location"], follow_redirects=False)
    assert reply.headers["location"] == GOODBYE
    assert [each for each in store.find(LoginSession) if each.user_id] == []


def test_with_the_cookie_of_a_session_that_is_gone_it_is_not_led_round(application, overtaken):
    signed_in(application)
    again = ask(application, AT_ONCE, client_id="spa", returnTo=GOODBYE)
    assert application.person.http.get(again.headers["location"], follow_redirects=False).headers["location"] == GOODBYE


def test_a_confirmation_that_is_overtaken_says_so(application, overtaken):
    signed_in(application)
    page = ask(application, "/oidc/logout", client_id="spa", post_logout_redirect_uri=GOODBYE)
    reply = application.person.send(page, follow=False)
    assert reply.status_code == 403 and "Sign out again in the application" in reply.text


def test_who_signs_in_next_answers_for_nothing_of_the_one_before(application, asks_consent, display):
    application.sign_in(application.ask(state="annas"))
    ask(application, AT_ONCE, client_id="spa", returnTo=GOODBYE)
    page = application.person.see("/sign-in")
    assert str(page.url).endswith("/activate") and "Bank" not in page.text
    application.person.sign_in(application.person.type_code(display.ask().json()["user_code"]))
    ask(application, AT_ONCE, client_id="spa", returnTo=GOODBYE)
    assert str(application.person.see("/sign-in").url).endswith("/activate")
