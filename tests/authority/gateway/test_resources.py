"""What opens a protected resource: a token of ours, for it, of now, once where it is good once; and what is said of
any other (RFC 6750 3, RFC 9470 3)."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import RSAKey

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.resource_errors import UsedToken
from host_tools.authority.core.resource_policy import ResourceRule
from host_tools.authority.core.resource_records import SessionFactor, SpentToken
from host_tools.authority.core.resources import Resource
from host_tools.authority.core.storage import Store
from host_tools.authority.store import SqliteStore
from host_tools.clock import NS

from ..conftest import ISSUER
from ..mfa_wire import claims_of
from .api import AUDIENCE, CATS, DOGS, MFA, OPEN, START_S, Mint, api, asked, bearer, challenge, serving

BANK = "https://bank.example/api"
TRANSFER = ResourceRule("POST", "/transfer", scope="transfer:funds", once=True)
BALANCE = ResourceRule("GET", "/balance", scope="view:balance")
NOT_GOOD = (
    'Bearer realm="catsdogs", error="invalid_token",'
    ' error_description="The access token is expired, malformed or not for this API."'
)
USED = (
    'Bearer realm="bank", error="invalid_token",'
    ' error_description="The access token was good for one use, and has been used."'
)


@pytest.fixture
def bank(authority: Authority, tenant):
    with serving(authority, api(BALANCE, TRANSFER, serves="bank", prefix="/bank", audience=BANK, realm="bank")) as http:
        yield http


@pytest.fixture
def order(mint: Mint) -> str:
    """A token of somebody who has just given a second factor for a transfer."""
    return mint(aud=[BANK], scope="view:balance transfer:funds")


def transfer(http, token: str | None, **order: object):
    sent = {"to": "Chrysippus", "amount": 5} | order
    return http.post("/bank/transfer", json=sent, headers=bearer(token) if token else {})


def balance(http, token: str):
    return asked(http, "/bank/balance", token)


def is_not_good(reply) -> bool:
    assert reply.json() == {
        "error": "invalid_token",
        "error_description": "The access token is expired, malformed or not for this API.",
    }
    assert reply.headers["cache-control"] == "no-store"
    return (reply.status_code, challenge(reply)) == (401, NOT_GOOD)


def test_a_token_of_ours_for_it_opens_it(zoo, mint):
    assert asked(zoo, "/catsdogs/dogs/", mint()).json() == {"animals": ["Argos", "Cerberus", "Maira"]}


@pytest.mark.parametrize(
    "changed",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "application/at+jwt"},
        {"typ": "AT+JWT"},
        {"iss": "http://127.0.0.1:8080"},
        {"iss": "https://127.0.0.1:8080/"},
        {"iss": None},
        {"aud": ["https://stoa.example/quotes"]},
        {"aud": f"{AUDIENCE}/"},
        {"aud": f"{AUDIENCE} and more"},
        {"aud": []},
        {"aud": None},
        {"aud": {AUDIENCE: 1}},
        {"exp": START_S},
        {"exp": START_S - 1},
        {"exp": None},
        {"exp": str(START_S + 60)},
        {"exp": START_S + 0.5},
        {"exp": 0},
        {"exp": -1},
    ],
    ids=str,
)
def test_a_token_that_says_anything_else_does_not(zoo, mint, changed):
    assert is_not_good(asked(zoo, "/catsdogs/dogs/", mint(**changed)))


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["https://other.example", AUDIENCE]])
def test_it_may_be_one_audience_of_several(zoo, mint, aud):
    assert asked(zoo, "/catsdogs/dogs/", mint(aud=aud)).status_code == 200


def test_it_opens_until_the_second_in_which_it_expires(zoo, mint, clock):
    token = mint(exp=START_S + 60)
    clock.sleep_ns(60 * NS - 1)
    assert asked(zoo, "/catsdogs/dogs/", token).status_code == 200
    clock.sleep_ns(1)
    assert is_not_good(asked(zoo, "/catsdogs/dogs/", token))


def test_an_id_token_of_ours_does_not(zoo, mint):
    """Not even one of a client that is called as the API."""
    assert is_not_good(asked(zoo, "/catsdogs/dogs/", mint(typ="JWT", aud=AUDIENCE, nonce="n")))


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _part(value: object) -> str:
    return _b64(json.dumps(value).encode())


def _by_rsa(key: RSAKey, hashed: hashes.HashAlgorithm | None = None) -> Callable[[bytes], bytes]:
    return lambda text: key.private_key.sign(text, padding.PKCS1v15(), hashed or hashes.SHA256())


def forged(mint: Mint, name: str) -> str:
    """What somebody has made who has the public key and a good token."""
    good = mint()
    header, payload, signature = good.split(".")
    at = {"typ": "at+jwt", "kid": mint.key.kid, "alg": "RS256"}

    def signed(sign: Callable[[bytes], bytes], **changed: Any) -> str:
        text = f"{_part(at | changed)}.{payload}"
        return f"{text}.{_b64(sign(text.encode()))}"

    match name:
        case "HS256 by the public key":
            pem = mint.key.as_pem(private=False)
            return signed(lambda text: hmac.digest(pem, text, "sha256"), alg="HS256")
        case "RS512":
            return signed(_by_rsa(mint.key, hashes.SHA512()), alg="RS512")
        case "RS256 by name, and another hash":
            return signed(_by_rsa(mint.key, hashes.SHA512()))
        case "another's key of that name":
            return signed(_by_rsa(_other()))
        case "a key that it brings along":
            return signed(_by_rsa(_other()), kid="x", jwk=_other().as_dict(private=False))
        case "a key that nobody knows":
            return signed(_by_rsa(_other()), kid="x")
    unsigned = {"no algorithm": {"alg": "none"}, "NONE": {"alg": "NONE"}, "an algorithm that is none": {"alg": {}}}
    if name in unsigned:
        return signed(lambda text: b"", **unsigned[name])
    return {
        "no algorithm, and the signature of another": f"{_part(at | {'alg': 'none'})}.{payload}.{signature}",
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "five parts": f"{good}.a.b",
        "another's claims": f"{header}.{_part(claims_of(good) | {'sub': 'auth0|chrysippus'})}.{signature}",
        "claims that are none": f"{header}.{_part([])}.{signature}",
        "a header that is none": f"{_part('x')}.{payload}.{signature}",
        "a header that nests": f"{_b64(b'[' * 3000)}.{payload}.{signature}",
        "nothing but dots": "..",
    }[name]


@cache
def _other() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.mark.parametrize(
    "name",
    ["no algorithm", "no algorithm, and the signature of another", "NONE", "HS256 by the public key", "RS512",
     "RS256 by name, and another hash", "another's key of that name", "a key that it brings along",
     "a key that nobody knows", "no signature", "two parts", "five parts", "another's claims", "claims that are none",
     "a header that is none", "an algorithm that is none", "a header that nests", "nothing but dots"],
)  # fmt: skip
def test_what_we_have_not_signed_so_does_not(zoo, mint, name):
    assert is_not_good(asked(zoo, "/catsdogs/dogs/", forged(mint, name)))


def test_the_forger_signs_as_we_do():
    """Or what is refused above might be refused for a mistake of the test's own."""
    key = _other()
    text = f"{_part({'alg': 'RS256'})}.{_part({'sub': 'x'})}"
    token = f"{text}.{_b64(_by_rsa(key)(text.encode()))}"
    assert jwt.decode(token, key, algorithms=["RS256"]).claims == {"sub": "x"}


def test_a_token_in_the_address_or_the_body_is_none(bank, mint, order):
    told = {"to": "Chrysippus", "amount": 5, "access_token": order}
    for reply in (
        bank.get("/bank/balance", params={"access_token": order}),
        bank.post("/bank/transfer", json=told),
        bank.post("/bank/transfer", data={"access_token": order}),
    ):
        assert (reply.status_code, challenge(reply)) == (401, 'Bearer realm="bank"')


def test_what_takes_no_token_looks_at_none(zoo):
    for headers in ({}, bearer("x"), {"Authorization": "Bearer"}):
        assert zoo.get("/catsdogs/", headers=headers).json() == {"animals": ["dogs", "cats"]}


# One use: seeds/002.


def test_a_token_is_good_for_one_transfer(bank, order):
    done = transfer(bank, order)
    assert (done.status_code, done.json()) == (
        201,
        {"to": "Chrysippus", "amount": 5, "currency": "EUR", "balance": 99_995},
    )
    again = transfer(bank, order)
    assert (again.status_code, challenge(again)) == (401, USED)
    assert again.json() == {
        "error": "invalid_token",
        "error_description": "The access token was good for one use, and has been used.",
    }


def test_a_used_one_opens_nothing_else_there_and_others_do(bank, mint, order):
    assert balance(bank, order).status_code == 200
    assert transfer(bank, order).status_code == 201
    assert challenge(balance(bank, order)) == USED
    other = mint(aud=[BANK], scope="view:balance transfer:funds", jti="another")
    assert balance(bank, other).json() == {"balance": 99_995, "currency": "EUR"}
    assert transfer(bank, other).status_code == 201
    assert challenge(transfer(bank, order)) == challenge(balance(bank, other)) == USED


def test_it_is_forgotten_when_it_would_not_open_anything_any_more(bank, mint, clock, store: Store, order):
    short = mint(aud=[BANK], scope="view:balance transfer:funds", jti="short", exp=START_S + 60)
    assert transfer(bank, short).status_code == 201
    clock.sleep_ns(60 * NS - 1)
    assert transfer(bank, order).status_code == 201
    assert len(store.find(SpentToken)) == 2
    assert challenge(transfer(bank, short)) == USED
    clock.sleep_ns(2)
    assert transfer(bank, mint(aud=[BANK], scope="transfer:funds", jti="third")).status_code == 201
    assert {each.expires_at for each in store.find(SpentToken)} == {(START_S + 3600) * NS}
    assert challenge(transfer(bank, short)) == NOT_GOOD.replace("catsdogs", "bank")
    assert challenge(transfer(bank, order)) == USED


def test_no_token_is_kept_but_its_hash(bank, mint, store: Store):
    assert transfer(bank, mint(aud=[BANK], scope="transfer:funds", jti="a name of its own")).status_code == 201
    assert b"a name of its own" not in store.image()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "The body is not JSON."),
        (b"to=x&amount=5", "The body is not JSON."),
        (b"\xff", "The body is not JSON."),
        (b"[" * 20_000, "The body is not JSON."),
        (b"[]", "The body must be a JSON object of to and amount."),
        (b"{}", "to must be a name: a line of text."),
        (b'{"to": " ", "amount": 5}', "to must be a name: a line of text."),
        (b'{"to": "a\\nb", "amount": 5}', "to must be a name: a line of text."),
        (b'{"to": "\\ud800", "amount": 5}', "to must be a name: a line of text."),
        (b'{"to": 5, "amount": 5}', "to must be a name: a line of text."),
        (b'{"to": "%s", "amount": 5}' % (b"a" * 101), "to must have 100 characters at most."),
        *(
            (b'{"to": "a", "amount": %s}' % amount, "amount must be a whole number of cents, from 1 to 1000000000000.")
            for amount in (b"0", b"-1", b"1.5", b'"5"', b"true", b"null", b"NaN", b"Infinity", b"1e3", b"1" + b"0" * 13)
        ),
        (b'{"to": "a"}', "amount must be a whole number of cents, from 1 to 1000000000000."),
        # Python's own refusal of an integer of more than 4,300 digits.
        (b'{"to": "a", "amount": %s}' % (b"9" * 5000), "The body is not JSON."),
    ],
)  # fmt: skip
def test_what_is_no_order_uses_no_token_up(bank, order, body, said):
    reply = bank.post("/bank/transfer", content=body, headers=bearer(order))
    assert (reply.status_code, reply.json()) == (400, {"error": "invalid_request", "error_description": said})
    assert challenge(reply) == f'Bearer realm="bank", error="invalid_request", error_description="{said}"'
    assert transfer(bank, order).json()["balance"] == 99_995


def test_an_order_that_is_too_large_uses_no_token_up(bank, order):
    reply = transfer(bank, order, note="a" * 70_000)
    assert (reply.status_code, reply.json()["error"]) == (413, "invalid_request")
    assert transfer(bank, order).status_code == 201


def test_too_little_money_uses_no_token_up_and_takes_none(bank, order):
    reply = transfer(bank, order, amount=100_001)
    assert (reply.status_code, reply.json()["error"]) == (409, "insufficient_funds")
    assert balance(bank, order).json()["balance"] == 100_000
    assert transfer(bank, order, amount=100_000).json()["balance"] == 0


def test_a_token_without_the_scope_is_not_used_up_by_being_refused(bank, mint):
    """The first request of seeds/002's workflow."""
    token = mint(aud=[BANK], scope="view:balance")
    refused = transfer(bank, token)
    assert (refused.status_code, challenge(refused)) == (
        403,
        'Bearer realm="bank", error="insufficient_scope", error_description="The access token lacks a scope.",'
        ' scope="transfer:funds"',
    )
    assert balance(bank, token).status_code == 200


def test_each_has_an_account_of_their_own(bank, mint, order):
    assert transfer(bank, order).status_code == 201
    assert (
        balance(bank, mint(aud=[BANK], scope="view:balance", sub="auth0|other", jti="2")).json()["balance"] == 100_000
    )


def test_of_many_at_once_one_transfers(bank, order):
    together = threading.Barrier(6)

    def sent(amount: int) -> int:
        together.wait()
        status: int = transfer(bank, order, amount=amount).status_code
        return status

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(sent, [100] * 6))
    assert statuses == [201, 401, 401, 401, 401, 401]


def test_between_the_look_and_the_use_another_may_be_faster(authority: Authority, tenant, order):
    """Two threads that were both let through."""
    resource = Resource(api(TRANSFER, prefix="/bank", audience=BANK).policy, authority)
    first, second = (resource.claims(TRANSFER, order) for _ in range(2))
    authority.spent_tokens.spend(first)
    with pytest.raises(UsedToken):
        authority.spent_tokens.spend(second)
    with pytest.raises(UsedToken):
        resource.claims(BALANCE, order)


def test_a_restart_forgets_neither_what_was_used_nor_what_was_given(key_record, clock, tmp_path, order):
    policy = api(TRANSFER, BALANCE, prefix="/bank", audience=BANK).policy
    for run in range(2):
        store = SqliteStore(tmp_path / "authority.db")
        if run == 0:
            store.put(key_record)
        authority = Authority(store, clock, ISSUER)
        resource = Resource(policy, authority)
        if run == 0:
            authority.spent_tokens.spend(resource.claims(TRANSFER, order))
            authority.session_factors.given("a session", "auth0|zeno", ["email"])
        else:
            with pytest.raises(UsedToken):
                resource.claims(BALANCE, order)
            assert authority.session_factors.last("a session", ["email"]) == START_S * NS
        store.close()


# What a refusal says.


def test_a_refusal_in_the_words_of_rfc_9470(zoo, mint, authority: Authority, clock):
    refused = asked(zoo, "/catsdogs/cats/", mint())
    assert (refused.status_code, challenge(refused)) == (
        401,
        'Bearer realm="catsdogs", error="insufficient_user_authentication",'
        f' error_description="A second factor is required", acr_values="{MFA}", max_age="60"',
    )
    assert refused.json() == {
        "error": "insufficient_user_authentication",
        "error_description": "A second factor is required",
    }
    assert refused.headers["cache-control"] == "no-store"
    authority.session_factors.given("a session", "auth0|zeno", ["email"])
    clock.sleep_ns(60 * NS)
    assert asked(zoo, "/catsdogs/cats/", mint()).status_code == 200
    clock.sleep_ns(NS)
    refused = asked(zoo, "/catsdogs/cats/", mint())
    assert (refused.status_code, challenge(refused)) == (
        401,
        'Bearer realm="catsdogs", error="insufficient_user_authentication",'
        f' error_description="More recent authentication is required", acr_values="{MFA}", max_age="60"',
    )


def test_without_an_age_none_is_named(authority: Authority, tenant, mint):
    with serving(authority, api(ResourceRule("GET", "/cats/", "mfa"))) as http:
        assert challenge(asked(http, "/catsdogs/cats/", mint())) == (
            'Bearer realm="catsdogs", error="insufficient_user_authentication",'
            f' error_description="A second factor is required", acr_values="{MFA}"'
        )


def test_max_age_0_is_an_age(authority: Authority, tenant, mint):
    with serving(authority, api(ResourceRule("GET", "/cats/", "mfa", max_age_s=0))) as http:
        assert challenge(asked(http, "/catsdogs/cats/", mint())).endswith(', max_age="0"')


def test_a_bare_refusal_says_nothing(authority: Authority, tenant, mint):
    """wire-facts 5 (a): as nginx's own, of a request that lacks nothing but a fresh factor."""
    with serving(authority, api(OPEN, DOGS, CATS, refusal="bare")) as http:
        reply = asked(http, "/catsdogs/cats/", mint())
        assert (reply.status_code, reply.json()) == (403, {"message": "Forbidden"})
        assert "www-authenticate" not in reply.headers
        assert asked(http, "/catsdogs/cats/").headers["www-authenticate"] == 'Bearer realm="catsdogs"'
        assert is_not_good(asked(http, "/catsdogs/cats/", "x"))


@pytest.mark.parametrize("factor", ["sms", "otp", "push", "recovery-code"])
def test_a_factor_that_the_rule_does_not_count_opens_nothing(zoo, mint, authority: Authority, factor):
    authority.session_factors.given("a session", "auth0|zeno", [factor])
    assert asked(zoo, "/catsdogs/cats/", mint()).status_code == 401
    authority.session_factors.given("a session", "auth0|zeno", ["email"])
    assert asked(zoo, "/catsdogs/cats/", mint()).status_code == 200


@pytest.mark.parametrize("factor", ["sms", "otp", "push", "email", "recovery-code"])
def test_where_none_is_named_any_does(authority: Authority, tenant, mint, factor):
    authority.session_factors.given("a session", "auth0|zeno", [factor])
    with serving(authority, api(ResourceRule("GET", "/cats/", "mfa", max_age_s=60))) as http:
        assert asked(http, "/catsdogs/cats/", mint()).status_code == 200


@pytest.mark.parametrize("sid", ["another session", "", None, "a session email", 5, ["a session"]])
def test_a_factor_of_another_session_opens_nothing(zoo, mint, authority: Authority, sid):
    authority.session_factors.given("a session", "auth0|zeno", ["email"])
    authority.session_factors.given("", "auth0|zeno", ["email"])
    assert asked(zoo, "/catsdogs/cats/", mint(sid=sid)).status_code == 401


def test_the_last_one_given_counts(authority: Authority, clock):
    factors = authority.session_factors
    for factor in ("email", "otp", "email", "sms"):
        clock.sleep_ns(NS)
        factors.given("a session", "auth0|zeno", [factor])
    assert factors.last("a session") == factors.last("a session", ["sms", "email"]) == (START_S + 4) * NS
    assert factors.last("a session", ["email"]) == factors.last("a session", ["otp", "email"]) == (START_S + 3) * NS
    assert factors.last("a session", ["otp"]) == (START_S + 2) * NS
    assert factors.last("a session", ["push"]) is None


def test_of_a_session_without_a_name_none_is_kept(authority: Authority, store: Store):
    authority.session_factors.given("", "auth0|zeno", ["email"])
    assert store.find(SessionFactor) == []
    assert authority.session_factors.last("") is None


def test_a_factor_is_remembered_for_a_year_and_no_longer(authority: Authority, clock):
    authority.session_factors.given("a session", "auth0|zeno", ["email"])
    clock.skip_ns(366 * 86_400 * NS)
    authority.session_factors.given("another", "auth0|zeno", ["email"])
    assert authority.session_factors.last("a session") == START_S * NS
    clock.skip_ns(1)
    authority.session_factors.given("another", "auth0|zeno", ["email"])
    assert authority.session_factors.last("a session") is None


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ([("Authorization", "Bearer")], "The Authorization header is not `Bearer` and one token."),
        ([("Authorization", "Bearer a b")], "The Authorization header is not `Bearer` and one token."),
        ([("Authorization", "Bearer a"), ("Authorization", "Bearer a")], "More than one Authorization header."),
    ],
)
def test_a_malformed_header_is_an_invalid_request(zoo, headers, said):
    reply = zoo.get("/catsdogs/dogs/", headers=headers)
    assert (reply.status_code, reply.json()) == (400, {"error": "invalid_request", "error_description": said})
    assert challenge(reply) == f'Bearer realm="catsdogs", error="invalid_request", error_description="{said}"'


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Digest x", "x", "Bearerx a"])
def test_what_is_no_bearer_token_is_none(zoo, header):
    reply = zoo.get("/catsdogs/dogs/", headers={"Authorization": header})
    assert (reply.status_code, reply.json()) == (401, {"message": "Unauthorized"})
    assert challenge(reply) == 'Bearer realm="catsdogs"'


def test_what_no_rule_names_is_not_there(authority: Authority, tenant, mint):
    with serving(authority, api(DOGS)) as http:
        for path in ("/catsdogs/", "/catsdogs/cats/", "/catsdogs/dogs", "/catsdogs/dogs//", "/catsdogs"):
            assert asked(http, path, mint()).status_code == 404
        assert http.post("/catsdogs/dogs/", headers=bearer(mint())).status_code == 405
        assert asked(http, "/catsdogs/dogs/", mint()).status_code == 200


def test_head_asks_as_get_does(zoo, mint):
    assert zoo.head("/catsdogs/dogs/").status_code == 401
    assert zoo.head("/catsdogs/dogs/", headers=bearer(mint())).status_code == 200
