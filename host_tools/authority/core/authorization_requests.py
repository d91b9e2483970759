"""What a browser application asks for at /authorize: RFC 6749 4.1.1 and 4.2.1, OpenID Connect Core 3.1.2.1 and 3.2.2.1.

Who asks is judged first, and where the answer goes (RFC 6749 4.1.2.1): while either is in doubt, nobody is redirected.
Anything else that is wrong goes back to the application.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from host_tools.authority.core.errors import InvalidRequest, Refusal
from host_tools.authority.core.login_demands import acr_values_of, max_age_of
from host_tools.authority.core.policies import Protocol
from host_tools.authority.core.records import AuthorizationRequest, Client, fingerprint
from host_tools.authority.core.scopes import granted
from host_tools.authority.core.storage import Store
from host_tools.authority.core.token_endpoint import OPENID
from host_tools.clock import NS, Clock

LIFETIME_S = 3600  # a login session's
_LONGEST = 2000  # of any value; a redirect is an address, which browsers cut at about that
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 4.2
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
OKTA_POST_MESSAGE = "okta_post_message"  # Okta's name of the next, and what is posted is the answer itself
WEB_MESSAGE = "web_message"  # draft-sakimura-oauth-wmrm: posted to the window that has opened the page, or frames it


@dataclass(frozen=True)
class _Form:
    """How one response_type is asked for and answered. modes: the response modes it may have, the usual one first."""

    grant: str
    protocol: Protocol
    modes: tuple[str, ...]
    needs_nonce: bool = False


_WITHOUT_A_QUERY = ("fragment", "form_post", WEB_MESSAGE)
# OAuth 2.0 Multiple Response Type Encoding Practices 5: tokens never go into a query.
RESPONSE_FORMS: Mapping[frozenset[str], _Form] = {
    frozenset({"code"}): _Form("authorization_code", "oidc-basic-profile", ("query", *_WITHOUT_A_QUERY)),
    frozenset({"token"}): _Form("implicit", "oidc-implicit-profile", _WITHOUT_A_QUERY),
    frozenset({"id_token"}): _Form("implicit", "oidc-implicit-profile", _WITHOUT_A_QUERY, True),
    frozenset({"id_token", "token"}): _Form("implicit", "oidc-implicit-profile", _WITHOUT_A_QUERY, True),
}
RESPONSE_MODES = tuple(dict.fromkeys(mode for form in RESPONSE_FORMS.values() for mode in form.modes))
_PROMPTS = ("none", "login", "consent", "select_account")


class Undirected(Refusal):
    """A request that is answered on a page: where else to send its answer is not known for sure."""


class AuthorizationRefused(Exception):
    """A request that is answered by sending the browser back with an error (RFC 6749 4.1.2.1, OIDC Core 3.1.2.6)."""

    def __init__(self, request: AuthorizationRequest, error: str, description: str) -> None:
        super().__init__(description)
        self.request = request
        self.error = error
        self.description = description


class AuthorizationRequests:
    """message_mode: what the dialect calls the response mode whose answer is posted to a window."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.message_mode = WEB_MESSAGE

    def begin(self, sent: Mapping[str, str]) -> AuthorizationRequest:
        """Keep a request. Raises Undirected, AuthorizationRefused."""
        client, redirect_uri = self._whereto(sent)
        words = frozenset((sent.get("response_type") or "").split())
        form = RESPONSE_FORMS.get(words)
        usual = form or RESPONSE_FORMS[frozenset({"code" if not words or "code" in words else "token"})]
        modes = tuple(self.message_mode if each == WEB_MESSAGE else each for each in usual.modes)
        mode = sent.get("response_mode") or modes[0]
        # Auth0's "Allowed Web Origins" are those for web messages too.
        receives = mode != self.message_mode or origin_of(redirect_uri) in client.web_origins.split()
        now = self._clock.now_ns()
        request = AuthorizationRequest(
            request_id=fingerprint(secrets.token_urlsafe(32)),
            client_id=client.client_id,
            redirect_uri=redirect_uri,
            response_type=" ".join(sorted(words)),
            response_mode=mode if mode in modes and receives else modes[0],
            scope=granted(client, sent.get("scope")),
            audience=sent.get("audience") or sent.get("resource") or client.audience,
            state=sent.get("state") or "",
            nonce=sent.get("nonce") or "",
            code_challenge=sent.get("code_challenge") or "",
            prompt=sent.get("prompt") or "",
            max_age_s=None,
            acr_values=sent.get("acr_values") or "",
            login_hint=sent.get("login_hint") or "",
            answered_at=None,
            created_at=now,
            expires_at=now + LIFETIME_S * NS,
        )
        if mode not in modes:
            raise AuthorizationRefused(request, "invalid_request", f"response_mode is one of {', '.join(modes)}.")
        if not receives:  # Auth0's words
            sentence = f"The specified redirect_uri '{redirect_uri}' does not have a registered origin."
            raise AuthorizationRefused(request, "invalid_request", sentence)
        self._check(request, sent, client, form)
        request = replace(request, max_age_s=max_age_of(sent.get))
        with self._store.transaction(durable=False):
            self._store.prune(AuthorizationRequest, "expires_at", now)
            self._store.put(request)
        return request

    def find(self, request_id: str) -> AuthorizationRequest | None:
        found = self._store.get(AuthorizationRequest, request_id)
        return found if found and self._clock.now_ns() < found.expires_at else None

    def _whereto(self, sent: Mapping[str, str]) -> tuple[Client, str]:
        """Raises Undirected."""
        client_id, redirect_uri = sent.get("client_id"), sent.get("redirect_uri")
        client = self._store.get(Client, client_id) if client_id else None
        if client is None:
            raise Undirected("The application that sent you here is not known.")
        allowed = client.redirect_uris.split()
        if not allowed:
            raise Undirected(f"{client.name} has no address to send you back to.")
        if redirect_uri is None:
            raise Undirected("The application that sent you here did not say where to send you back to.")
        if redirect_uri not in allowed:  # RFC 9700 2.1: by exact comparison
            raise Undirected("The application that sent you here named an address that is not one of its own.")
        return client, redirect_uri

    def _check(
        self, request: AuthorizationRequest, sent: Mapping[str, str], client: Client, form: _Form | None
    ) -> None:
        """Raises AuthorizationRefused for the first thing that is wrong."""

        def refuse(error: str, description: str) -> None:
            raise AuthorizationRefused(request, error, description)

        if not request.response_type:
            refuse("invalid_request", "Missing required parameter: response_type")
        if form is None:
            known = ", ".join(" ".join(sorted(each)) for each in RESPONSE_FORMS)
            refuse("unsupported_response_type", f"response_type is one of: {known}.")
        elif form.grant not in client.grants.split():
            refuse("unauthorized_client", f"The client may not use response_type {request.response_type}.")
        for name in ("request", "request_uri", "registration"):
            if name in sent:  # OIDC Core 3.1.2.6; wire-facts 1.6: request_parameter_supported is false
                refuse(f"{name}_not_supported", f"The parameter {name} is not supported.")
        if any(len(value) > _LONGEST for value in sent.values()):
            refuse("invalid_request", f"A parameter is longer than {_LONGEST} characters.")
        if request.audience != client.audience:
            refuse("access_denied", f"Service not found: {request.audience}")  # Auth0's words
        prompts = request.prompt.split()
        if any(each not in _PROMPTS for each in prompts) or ("none" in prompts and len(prompts) > 1):
            refuse("invalid_request", f"prompt is none, or of {', '.join(_PROMPTS[1:])}.")
        try:
            max_age_of(sent.get)
            acr_values_of(sent.get)
        except InvalidRequest as unfit:
            refuse("invalid_request", unfit.description)
        if form is not None and form.needs_nonce and not request.nonce:
            refuse("invalid_request", "nonce is required for an ID token.")  # OIDC Core 3.2.2.1
        if "id_token" in request.response_type.split() and OPENID not in request.scope.split():
            refuse("invalid_scope", "An ID token takes scope openid.")
        wrong = _wrong_challenge(request, sent.get("code_challenge_method"), client)
        if wrong is not None:
            refuse("invalid_request", wrong)


def _wrong_challenge(request: AuthorizationRequest, method: str | None, client: Client) -> str | None:
    """RFC 7636 4.3 and 4.4.1; RFC 9700 2.1.1: a public client has to, and `plain` protects from nothing."""
    if request.response_type != "code":
        return None
    if not request.code_challenge:
        return None if client.secret_hash else "code_challenge is required."
    if method != "S256":
        return "code_challenge_method must be S256."
    if not _CHALLENGE.fullmatch(request.code_challenge):
        return "code_challenge is 43 to 128 characters of base64url."
    return None


def origin_of(address: str) -> str | None:
    """RFC 6454 6.2, as a browser tells an address's origin; None for one that has none on the web.

    Nothing but scheme, host and port is in it, so that it may stand in a header.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    if usual is None or not _HOST.fullmatch(host):
        return None
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


def is_silent(request: AuthorizationRequest) -> bool:
    """Whether the application wants no page shown (OpenID Connect Core 3.1.2.1)."""
    return "none" in request.prompt.split()


def protocol_of(request: AuthorizationRequest) -> Protocol:
    return RESPONSE_FORMS[frozenset(request.response_type.split())].protocol
