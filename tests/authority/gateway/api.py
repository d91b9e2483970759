"""APIs behind policies, and who calls them: tokens of any claims, and what a refusal says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from host_tools.authority.app import create_app
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import SigningKey
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule
from host_tools.authority.dialects import DialectName
from host_tools.authority.tenant_settings import QUOTES_API, ApiSettings, Served
from host_tools.clock import NS

from ..conftest import ISSUER, START_NS, quote_of_day

MFA = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
AUDIENCE = "https://catsdogs.example"
START_S = START_NS // NS
MINUTE_NS = 60 * NS
OPEN = ResourceRule("GET", "/", "none")
DOGS = ResourceRule("GET", "/dogs/")
CATS = ResourceRule("GET", "/cats/", "mfa", max_age_s=60, factors=("email",))


def api(
    *rules: ResourceRule, serves: Served | None = "catsdogs", prefix: str = "/catsdogs", **changed: Any
) -> ApiSettings:
    """An API with these rules; without any, the one of seeds/004."""
    told = {"audience": AUDIENCE, "realm": "catsdogs"} | changed
    return ApiSettings(ResourcePolicy(prefix=prefix, rules=rules or (OPEN, DOGS, CATS), **told), serves)


@contextmanager
def serving(authority: Authority, *apis: ApiSettings, dialect: DialectName = "auth0") -> Iterator[TestClient]:
    """A client of an authority that has these APIs, and the quotes' where none of them is that."""
    named = apis if any(each.serves == "quotes" for each in apis) else (QUOTES_API, *apis)
    app = create_app(authority, quote_of_day, dialect=dialect, apis=named)
    with TestClient(app, base_url=ISSUER, follow_redirects=False) as client:
        yield client


class Mint:
    """Signs whatever it is told to with the authority's own key."""

    def __init__(self, record: SigningKey) -> None:
        self.key = RSAKey.import_key(json.loads(record.private_jwk))

    def __call__(self, typ: str | None = "at+jwt", **changed: Any) -> str:
        """A token that is good for `AUDIENCE` but for what is changed; a claim of None is left out."""
        claims = {
            "iss": ISSUER,
            "sub": "auth0|zeno",
            "aud": [AUDIENCE],
            "client_id": "app",
            "azp": "app",
            "iat": START_S,
            "exp": START_S + 3600,
            "jti": "a jti",
            "scope": "",
            "auth_time": START_S,
            "amr": ["pwd"],
            "sid": "a session",
        } | changed
        header = {"alg": "RS256", "kid": self.key.kid} | ({"typ": typ} if typ else {})
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, kept, self.key, algorithms=["RS256"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def asked(http: httpx2.Client, path: str, token: str | None = None) -> httpx2.Response:
    return http.get(path, headers=bearer(token) if token else {})


def challenge(reply: httpx2.Response) -> str:
    told: str = reply.headers["www-authenticate"]
    return told
