"""The bank of seeds/002: a balance to be read, a transfer that takes a scope of its own; and its page.

Each user has an account of 1,000 euros to begin with, and everybody's transfers go to the same nobody. Amounts are in
cents: no float is near money.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.authorization_requests import origin_of
from host_tools.authority.core.errors import InvalidRequest
from host_tools.authority.core.records import Client
from host_tools.authority.core.resource_policy import ResourcePolicy
from host_tools.authority.core.resource_records import BankAccount
from host_tools.authority.core.storage import Store
from host_tools.authority.gateway.guarded import Act, Claims, Served, Undone

_AT_FIRST_CENTS = 100_000
_CURRENCY = "EUR"
_LONGEST_NAME = 100
_LARGEST_CENTS = 10**12
_NO_STORE = {"Cache-Control": "no-store"}
_APPLICATION = Path(__file__).parent / "bank_application"
_templates = Environment(loader=FileSystemLoader(_APPLICATION), autoescape=True, undefined=StrictUndefined)


def bank(authority: Authority, policy: ResourcePolicy) -> tuple[Served, ...]:
    """GET /balance and POST /transfer; and a browser application that uses both, at /."""
    store = authority.store

    def balance(request: Request, body: bytes) -> Act:
        return lambda claims: _balance(_account(store, claims))

    def transfer(request: Request, body: bytes) -> Act:
        recipient, cents = _order(body)

        def act(claims: Claims) -> Response:
            account = _account(store, claims)
            if cents > account.cents:
                raise Undone(_too_little())
            left = BankAccount(account.user_id, account.cents - cents)
            store.put(left)
            done = {"to": recipient, "amount": cents, "currency": _CURRENCY, "balance": left.cents}
            return JSONResponse(done, 201, _NO_STORE)

        return act

    def page(request: Request, body: bytes) -> Act:
        return lambda claims: _page(authority, policy)

    return (
        Served("GET", "/balance", balance),
        Served("POST", "/transfer", transfer),
        Served("GET", "/", page),
        Served("GET", "/bank.js", _asset("bank.js", "text/javascript")),
        Served("GET", "/bank.css", _asset("bank.css", "text/css")),
    )


def _account(store: Store, claims: Claims) -> BankAccount:
    """Anonymous customers share one: a policy may let them in."""
    user_id = str(claims.get("sub", ""))
    return store.get(BankAccount, user_id) or BankAccount(user_id, _AT_FIRST_CENTS)


def _balance(account: BankAccount) -> Response:
    return JSONResponse({"balance": account.cents, "currency": _CURRENCY}, headers=_NO_STORE)


def _too_little() -> Response:
    body = {"error": "insufficient_funds", "error_description": "There is less in the account than that."}
    return JSONResponse(body, 409, _NO_STORE)


def _order(body: bytes) -> tuple[str, int]:
    """Raises InvalidRequest."""
    try:
        sent: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequest("The body is not JSON.") from None
    if not isinstance(sent, dict):
        raise InvalidRequest("The body must be a JSON object of to and amount.")
    recipient, cents = sent.get("to"), sent.get("amount")
    if not isinstance(recipient, str) or not recipient.strip() or not recipient.isprintable():
        raise InvalidRequest("to must be a name: a line of text.")
    if len(recipient) > _LONGEST_NAME:
        raise InvalidRequest(f"to must have {_LONGEST_NAME} characters at most.")
    if not isinstance(cents, int) or isinstance(cents, bool) or not 0 < cents <= _LARGEST_CENTS:
        raise InvalidRequest(f"amount must be a whole number of cents, from 1 to {_LARGEST_CENTS}.")
    return recipient, cents


def _page(authority: Authority, policy: ResourcePolicy) -> Response:
    """The application, told whom it belongs to. It runs its own script alone, and asks its API and the issuer."""
    issuer = authority.issuer
    client, address = _application_of(authority.store, policy)
    page = _templates.get_template("index.html").render(
        issuer=issuer, audience=policy.audience, client_id=client, address=address
    )
    content_policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {origin_of(issuer)}; "
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "Content-Security-Policy": content_policy,
        "Referrer-Policy": "no-referrer",  # the address has the code, once
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(page, headers=_NO_STORE | headers)


def _application_of(store: Store, policy: ResourcePolicy) -> tuple[str, str]:
    """The client that has this page among its addresses, and that address; both empty where none has."""
    for client in store.find(Client, audience=policy.audience):
        for address in client.redirect_uris.split():
            if urlsplit(address).path == f"{policy.prefix}/":
                return client.client_id, address
    return "", ""


def _asset(name: str, media_type: str) -> Callable[[Request, bytes], Act]:
    content = (_APPLICATION / name).read_bytes()
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return lambda request, body: lambda claims: Response(content, media_type=media_type, headers=headers)
