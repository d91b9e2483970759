"""The modules of seeds/002 guard a bank, and so does our gateway: each judges the same requests.

express, express-jwt, jwks-rsa and express-jwt-authz are npm's; they read our keys over HTTP, and live by the test's
time.
"""

from __future__ import annotations

import base64
import hmac
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from host_tools.authority import RunningAuthority, examples, start_authority
from host_tools.authority.core.records import SigningKey
from host_tools.clock import NS
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.node_process import NodeProcess

AUDIENCE = "https://bank.stoa.example/api"
PASSWORD = "stand under the porch"
BALANCE, TRANSFER = ("GET", "/balance"), ("POST", "/transfer")
# Clients beside the example's own, who come to a token without a browser.
TELLERS = f"""
[[clients]]
client_id = "teller"
grants = ["password", "refresh_token"]
audience = "{AUDIENCE}"
scopes = ["view:balance", "transfer:funds", "openid"]
default_scopes = ["view:balance"]

[[clients]]
client_id = "grocer"
grants = ["password"]
audience = "https://grocer.stoa.example/api"
scopes = ["view:balance", "transfer:funds"]
"""


@dataclass
class Bank:
    """Both servers. Each of `tokens` is of a kind that a client may send."""

    authority: RunningAuthority
    clock: MirroredClock
    http: httpx2.Client
    express: str

    def token(self, scope: str, client_id: str = "teller", part: str = "access_token") -> str:
        fields = {"username": "zeno@stoa.example", "password": PASSWORD, "client_id": client_id, "scope": scope}
        reply = self.http.post("/oauth/token", data={"grant_type": "password", **fields})
        assert reply.status_code == 200, reply.text
        return str(reply.json()[part])

    def statuses(self, operation: tuple[str, str], headers: dict[str, str]) -> tuple[int, int]:
        """What the modules answer, and what the gateway does."""
        method, path = operation
        order = {"to": "Epictetus", "amount": 1} if operation == TRANSFER else None
        theirs = httpx2.request(method, f"{self.express}{path}", headers=headers, json=order)
        ours = self.http.request(method, f"/bank{path}", headers=headers, json=order)
        return theirs.status_code, ours.status_code


@pytest.fixture(scope="module")
def bank(clock: MirroredClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    folder = tmp_path_factory.mktemp("bank") / "example"
    shutil.copytree(examples.folder("bank"), folder)
    with (folder / "tenant.toml").open("a") as tenant:
        tenant.write(TELLERS)
    with (
        start_authority(clock, config=folder / "tenant.toml") as authority,
        httpx2.Client(base_url=authority.issuer) as http,
        NodeProcess("bank_api.mjs", authority.issuer, AUDIENCE, clock_file=clock.file) as node,
    ):
        yield Bank(authority, clock, http, f"http://127.0.0.1:{node.hear()['port']}")


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    return read(header), read(claims), signature


def read(part: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(part + "==")))


def written(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def with_claims(token: str, **changed: Any) -> str:
    header, claims, signature = parts(token)
    return f"{written(header)}.{written(claims | changed)}.{signature}"


def unsigned(bank: Bank) -> str:
    header, claims, _ = parts(bank.token("view:balance transfer:funds"))
    return f"{written(header | {'alg': 'none'})}.{written(claims)}."


def signed_with_the_public_key(bank: Bank) -> str:
    """By HMAC, with what everybody knows as its secret: CVE-2015-9235."""
    header, claims, _ = parts(bank.token("view:balance transfer:funds"))
    (key,) = bank.http.get("/.well-known/jwks.json").json()["keys"]
    public = RSAKey.import_key(key).as_pem(private=False)
    signed = f"{written(header | {'alg': 'HS256'})}.{written(claims)}"
    # By hand, for the library will not do so.
    digest = hmac.digest(public, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def signed(bank: Bank, typ: str = "at+jwt", by: RunningAuthority | None = None, **changed: Any) -> str:
    """A token for both operations but for what is changed, with the authority's own key: all that is wrong with it is
    what it says. A claim of None is left out. by: another authority's key."""
    header, claims, _ = parts(bank.token("view:balance transfer:funds"))
    (record,) = (by or bank.authority)._authority.store.find(SigningKey)
    key = RSAKey.import_key(json.loads(record.private_jwk))
    kept = {name: value for name, value in (claims | changed).items() if value is not None}
    return jwt.encode(header | {"typ": typ, "kid": key.kid}, kept, key, algorithms=["RS256"])


def signed_by_another(bank: Bank) -> str:
    """With a key that says it is ours."""
    header, claims, _ = parts(bank.token("view:balance transfer:funds"))
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(header, claims, RSAKey.import_key(made), algorithms=["RS256"])


def expired(bank: Bank) -> str:
    token = bank.token("view:balance transfer:funds")
    bank.clock.sleep_ns(86_400 * NS)
    return token


# What is sent, and the status of each operation for it.
TOKENS: dict[str, tuple[Callable[[Bank], str], int, int]] = {
    "for both": (lambda bank: bank.token("view:balance transfer:funds"), 200, 201),
    "for the balance": (lambda bank: bank.token("view:balance"), 200, 403),
    "for a transfer": (lambda bank: bank.token("transfer:funds"), 403, 201),
    "for neither": (lambda bank: bank.token("openid"), 403, 403),
    "tampered claims": (lambda bank: with_claims(bank.token("view:balance"), scope="transfer:funds"), 401, 401),
    "tampered signature": (lambda bank: bank.token("view:balance transfer:funds")[:-6] + "AAAAAA", 401, 401),
    "unsigned": (unsigned, 401, 401),
    "signed with the public key": (signed_with_the_public_key, 401, 401),
    "signed by another": (signed_by_another, 401, 401),
    "expired": (expired, 401, 401),
    # What follows is signed by the key of all good tokens: by nothing but its claims can it be refused.
    "for both, signed here": (signed, 200, 201),
    "another issuer": (lambda bank: signed(bank, iss="https://bank.stoa.example/"), 401, 401),
    "an issuer without its last slash": (lambda bank: signed(bank, iss=bank.authority.issuer.rstrip("/")), 401, 401),
    "no issuer": (lambda bank: signed(bank, iss=None), 401, 401),
    "expired a second ago": (lambda bank: signed(bank, exp=bank.clock.now_ns() // NS - 1), 401, 401),
    "expired just now": (lambda bank: signed(bank, exp=bank.clock.now_ns() // NS), 401, 401),
    "good for a second": (lambda bank: signed(bank, exp=bank.clock.now_ns() // NS + 1), 200, 201),
    "an expiry that is no time": (lambda bank: signed(bank, exp="tomorrow"), 401, 401),
    "another audience": (lambda bank: signed(bank, aud=["https://grocer.stoa.example/api"]), 401, 401),
    "an audience that is alike": (lambda bank: signed(bank, aud=f"{AUDIENCE}/"), 401, 401),
    "no audience": (lambda bank: signed(bank, aud=None), 401, 401),
    "one audience of several": (lambda bank: signed(bank, aud=["https://other.example", AUDIENCE]), 200, 201),
    "wrong audience": (lambda bank: bank.token("view:balance transfer:funds", "grocer"), 401, 401),
    "an ID token": (lambda bank: bank.token("openid view:balance", part="id_token"), 401, 401),
    "no token at all": (lambda bank: "nonsense", 401, 401),
}


@pytest.mark.parametrize("kind", TOKENS)
def test_both_judge_alike(bank, kind):
    make, balance, transfer = TOKENS[kind]
    sent = {"Authorization": f"Bearer {make(bank)}"}
    assert bank.statuses(BALANCE, sent) == (balance, balance)
    assert bank.statuses(TRANSFER, sent) == (transfer, transfer)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic dGVsbGVyOng="}])
def test_both_want_a_token(bank, headers):
    for operation in (BALANCE, TRANSFER):
        assert bank.statuses(operation, headers) == (401, 401)


def test_of_another_issuer_neither_takes_one(bank):
    """Each of them as its own authority would sign it, for the bank."""
    with start_authority(bank.clock) as other:
        for issuer in (other.issuer, bank.authority.issuer):
            foreign = {"Authorization": f"Bearer {signed(bank, by=other, iss=issuer)}"}
            assert bank.statuses(BALANCE, foreign) == (401, 401)
            assert bank.statuses(TRANSFER, foreign) == (401, 401)


# What the modules leave to whoever writes the API, and RFC 9068 does not: its section 4 has `typ` verified, and its
# section 2.2 has `exp` there.
@pytest.mark.parametrize(
    "changed", [{"typ": "JWT"}, {"typ": "jwt"}, {"exp": None}, {"typ": "JWT", "exp": None}], ids=str
)
def test_the_modules_look_at_no_type_and_miss_no_expiry(bank, changed):
    sent = {"Authorization": f"Bearer {signed(bank, **changed)}"}
    assert bank.statuses(BALANCE, sent) == (200, 401)
    assert bank.statuses(TRANSFER, sent) == (201, 401)


def test_where_they_differ(bank):
    """A malformed header is RFC 6750's 400 to us. The modules keep no account of what was used: seeds/002 has the API
    "discard" a token after a transfer, and leaves how to whoever writes it."""
    for header in ("Bearer", "Bearer a b"):
        assert bank.statuses(BALANCE, {"Authorization": header}) == (401, 400)
    sent = {"Authorization": f"Bearer {bank.token('view:balance transfer:funds')}"}
    assert bank.statuses(TRANSFER, sent) == (201, 201)
    assert bank.statuses(TRANSFER, sent) == (201, 401)
    assert bank.statuses(BALANCE, sent) == (200, 401)
