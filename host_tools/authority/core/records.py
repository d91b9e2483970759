"""What the authority keeps, one plain record a kind.

Times (`_at`) are nanoseconds since 1970 UTC; lists of words (scopes, methods) are one string with single spaces, as
on the wire; hashes are SHA-256 in hex.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

# What an authenticator proves its owner by. All but `otp` and `recovery-code` are out of band (RFC 8176 `mca`).
Factor = Literal["otp", "sms", "email", "push", "recovery-code"]


def fingerprint(secret: str) -> str:
    """SHA-256, unsalted: what is kept of a secret that is looked up, or compared, by it.

    Tokens, device codes, oob_codes and sessions have 256 random bits or more, a recovery code 124: no table has them,
    and a salt would add nothing. A client's secret, and a recovery code of the tenant file, are as good as whoever
    wrote them there, in the clear. The six digits of a message's code are found again from this in a second, salted or
    not. That is accepted: they are good for five minutes and only with their oob_code and mfa_token, whose hashes tell
    nothing, and whoever can read the database reads the message itself in it, and the secrets of one-time codes.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class User:
    user_id: str
    username: str  # an e-mail address in lower case
    password_hash: str  # argon2id, encoded with its parameters


@dataclass(frozen=True)
class Authenticator:
    """One second factor of one user. Enrolled but not confirmed yet, it is not active and proves nothing."""

    authenticator_id: str
    user_id: str
    factor: str  # Factor
    name: str  # phone number, e-mail address or the phone's name; empty for otp and recovery-code
    secret: str  # otp: base32; recovery-code: its hash; else empty
    last_totp_step: int  # RFC 6238 5.2: this step and all before it are spent
    active: bool
    twin_id: str | None  # a phone enrolled for push brings an otp authenticator along, and they leave together
    created_at: int


@dataclass(frozen=True)
class Client:
    client_id: str
    name: str
    secret_hash: str  # empty for a public client
    grants: str  # the grant types it may use, by their short names: see token_endpoint.Grant
    scopes: str  # what it may ask for
    default_scopes: str  # what it gets when it asks for none (RFC 6749 3.3)
    audience: str  # the API it may ask for, and gets when it names none
    metadata: str  # JSON object of strings, Auth0's clientMetadata: {"device_type": "display"}
    refresh_rotates: bool
    refresh_lifetime_s: int | None  # absolute: rotation does not extend it (Auth0); None never ends
    refresh_idle_s: int | None  # how long a family may go unused; None for ever
    refresh_leeway_s: int  # how long the previous token of a family is still taken after rotation; Auth0's default is 0
    redirect_uris: str = ""  # where /authorize may send a browser back to
    logout_uris: str = ""  # where one may be sent once nobody is signed in: Auth0's "Allowed Logout URLs"
    web_origins: str = ""  # whose scripts may ask the token endpoint (CORS), and be posted an answer (web_message)
    skips_consent: bool = False  # Auth0's first-party application, whose API lets it skip the question


@dataclass(frozen=True)
class DeviceGrant:
    device_code_hash: str
    user_code: str  # normalised: letters or digits alone
    client_id: str
    scope: str
    audience: str
    status: str  # pending, approved, denied, spent
    interval_s: int  # at the beginning: pacing.py has what became of it
    created_at: int
    expires_at: int
    expiry_told_at: int | None
    user_id: str | None  # who answered, and how they had signed in
    auth_time_at: int | None
    amr: str
    claims: str = ""  # what scripts add to the tokens: claims.Claims
    denial: str = ""  # why a script said no; empty where a person did


@dataclass(frozen=True)
class AuthorizationRequest:
    """What a browser application asked for at /authorize, until it is answered."""

    request_id: str
    client_id: str
    redirect_uri: str
    response_type: str  # its words in alphabetical order
    response_mode: str
    scope: str
    audience: str
    state: str
    nonce: str
    code_challenge: str  # S256; empty without
    prompt: str
    max_age_s: int | None
    login_hint: str
    answered_at: int | None
    created_at: int
    expires_at: int


@dataclass(frozen=True)
class AuthorizationCode:
    """RFC 6749 4.1.2: good once, for one client and one address, within its time."""

    code_hash: str
    client_id: str
    redirect_uri: str
    code_challenge: str
    nonce: str
    user_id: str
    scope: str
    audience: str
    auth_time_at: int
    amr: str
    factor_given: bool  # for this very request: then alone the ID token has `amr` (wire-facts 1.8)
    claims: str
    expires_at: int
    request_id: str  # one code at a time for each
    spent_at: int | None
    family_id: str | None  # of the refresh token that came of it


@dataclass(frozen=True)
class Consent:
    """What a user has allowed an application to have, so that it is not asked again."""

    key: str  # hash of user, client and audience
    user_id: str
    client_id: str
    scope: str


@dataclass(frozen=True)
class TokenFamily:
    """The line of refresh tokens that began with one approval: RFC 9700's grant, ended as one."""

    family_id: str
    client_id: str
    user_id: str
    scope: str
    audience: str
    auth_time_at: int
    amr: str
    generation: int  # of the newest token
    rotated_at: int  # when that generation began
    used_at: int  # the last refresh, or the approval
    rotates: bool  # by the setting its newest token was issued under: the client's may have been changed since
    expires_at: int | None
    revoked_at: int | None


@dataclass(frozen=True)
class RefreshToken:
    token_hash: str
    family_id: str
    generation: int


@dataclass(frozen=True)
class LoginSession:
    """A browser at the pages, signed in or not, and the device it is answering for."""

    session_hash: str
    created_at: int
    expires_at: int
    user_id: str | None
    auth_time_at: int | None  # last active authentication (RFC 9068 auth_time)
    amr: str  # RFC 8176: "pwd" or "pwd otp mfa"
    user_code: str | None  # the device being answered for
    otp_at: int | None  # the one-time code given for this very device
    outcome: str | None  # allowed, denied: what the last answer was
    request_id: str | None = None  # the application being answered for, where it is no device
    verdict: str | None = None  # what scripts said of this user at this device: login_verdicts.py; None: not asked
    signed_in_for: str | None = None  # the application's request that the password was given for


@dataclass(frozen=True)
class KnownBrowser:
    """A browser in which a user has been let in: what adaptive MFA calls a known device."""

    key: str  # hash of the browser's cookie and the user, see sessions.py
    seen_at: int


@dataclass(frozen=True)
class MfaTransaction:
    """What an mfa_token stands for: a token request that waits for a second factor."""

    token_hash: str
    client_id: str
    user_id: str
    protocol: str  # policies.Protocol: what was asked
    scope: str
    audience: str
    amr: str  # the methods so far
    family_id: str | None  # of the refresh that was challenged, and the generation of the token it brought
    generation: int | None
    factors_left: int  # how many are still to be given, this one included
    factors_given: str
    factors_allowed: str  # those that a script lets count; empty for any
    claims: str  # what scripts add to the tokens: claims.Claims
    created_at: int
    expires_at: int
    spent_at: int | None
    enrolling: str = ""  # the ids of the authenticators begun at its pages, which no other login may confirm


@dataclass(frozen=True)
class OobChallenge:
    """A challenge sent another way: a push to be approved, or a code to be typed (`binding_code`)."""

    oob_code_hash: str
    challenge_id: str  # its public name, on the phone's page
    token_hash: str  # the transaction it belongs to
    user_id: str
    client_id: str
    authenticator_id: str
    factor: str  # push, sms, email
    binding_code_hash: str | None  # None: nothing is typed, the phone answers
    status: str  # pending, approved, rejected, spent
    interval_s: int
    created_at: int
    expires_at: int


@dataclass(frozen=True)
class Message:
    """A text message or e-mail that nobody sends: the outbox shows it."""

    message_id: str
    user_id: str
    channel: str  # sms, email
    recipient: str
    text: str
    sent_at: int


@dataclass(frozen=True)
class Event:
    number: int
    happened_at: int
    kind: str  # events.EventKind
    client_id: str | None
    user_id: str | None
    detail: str


@dataclass(frozen=True)
class Attempts:
    bucket: str  # kind and subject
    full_at: int  # when the bucket will have refilled entirely


@dataclass(frozen=True)
class SigningKey:
    kid: str
    private_jwk: str  # JSON
    created_at: int
