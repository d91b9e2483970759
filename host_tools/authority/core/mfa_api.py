"""Auth0's MFA API, without its HTTP: what a client may do for a user with an mfa_token, or with an access token for it.

An mfa_token lists authenticators, challenges them and enrols the first one. An access token for the audience
`{issuer}mfa/` does what its scopes say, and alone may enrol another or remove one (wire-facts 1.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from host_tools.authority.core.access_tokens import TokenVerifier
from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.challenges import Challenges, Sent
from host_tools.authority.core.errors import InsufficientScope, InvalidRequest, InvalidToken
from host_tools.authority.core.mfa_errors import (
    AlreadyEnrolled,
    AssociationRequired,
    UnknownAuthenticator,
    UnsupportedChallengeType,
)
from host_tools.authority.core.mfa_transactions import MfaTransactions
from host_tools.authority.core.recipients import email_address, phone_number
from host_tools.authority.core.records import Authenticator, Factor, MfaTransaction
from host_tools.authority.core.token_endpoint import Credentials, TokenEndpoint
from host_tools.authority.core.users import Users

OUT_OF_BAND: tuple[Factor, ...] = ("push", "sms", "email")  # in the order in which one is chosen for the client


@dataclass(frozen=True)
class Enrolment:
    """An authenticator that its first use will confirm."""

    authenticator: Authenticator
    username: str
    recovery_code: str | None  # with the user's first
    sent: Sent | None  # for those out of band


@dataclass(frozen=True)
class AuthenticatorName:
    """What a client calls an authenticator. Both must be right: they are one name to it."""

    factor: str
    authenticator_id: str

    def is_of(self, authenticator: Authenticator) -> bool:
        return (authenticator.factor, authenticator.authenticator_id) == (self.factor, self.authenticator_id)


class MfaApi:
    def __init__(
        self,
        users: Users,
        tokens: TokenEndpoint,
        verifier: TokenVerifier,
        transactions: MfaTransactions,
        authenticators: Authenticators,
        challenges: Challenges,
    ) -> None:
        self._users = users
        self._tokens = tokens
        self._verifier = verifier
        self._transactions = transactions
        self._authenticators = authenticators
        self._challenges = challenges

    def authenticators(self, bearer: str) -> list[Authenticator]:
        """All of the user's, those to be confirmed included."""
        held = self._held(bearer)
        user_id = held.user_id if held is not None else str(self._claims(bearer, "read:authenticators")["sub"])
        return self._authenticators.of(user_id, active=None)

    def associate(self, bearer: str, factor: Factor, name: str | None) -> Enrolment:
        """Enrol an authenticator. name: the phone number for sms, the address for email (default: the user's own).

        Raises AlreadyEnrolled for an mfa_token of a user who has one, InvalidRequest for a recipient that is none,
        LimitReached.
        """
        held = self._held(bearer)
        if held is None:
            held = self._transactions.enrolling(bearer, self._claims(bearer, "enroll"))
        elif self._authenticators.has_any(held.user_id):
            raise AlreadyEnrolled
        if not self._transactions.allows(held, factor):
            raise UnsupportedChallengeType(
                f"This login takes {' or '.join(held.factors_allowed.split())}, not {factor}."
            )
        user = self._users.get(held.user_id)
        if user is None:
            raise InvalidToken
        enrolled = self._authenticators.enrol(user.user_id, factor, recipient(factor, name, user.username))
        sent = self._challenges.send(held, enrolled.authenticator) if factor in OUT_OF_BAND else None
        return Enrolment(enrolled.authenticator, user.username, enrolled.recovery_code, sent)

    def challenge(
        self, sent: Credentials, mfa_token: str, types: Sequence[str], named: AuthenticatorName | None
    ) -> Sent | None:
        """Challenge one authenticator of the types `otp` and `oob`: the one named, else a push before a message.

        None for otp: its code is there already. Raises AssociationRequired, UnsupportedChallengeType,
        UnknownAuthenticator.
        """
        client = self._tokens.client(sent, "mfa")
        held = self._transactions.find(mfa_token, client.client_id)
        unknown = [each for each in types if each not in ("otp", "oob")]
        if unknown or not types:
            raise UnsupportedChallengeType(f"Unsupported challenge_type: {', '.join(unknown) or 'none'}.")
        having = [each for each in self._transactions.open_factors(held) if each.factor != "recovery-code"]
        if not having:
            raise AssociationRequired
        if named is not None:
            having = [each for each in having if named.is_of(each)]
            if not having:
                raise UnknownAuthenticator
        chosen = _chosen(having, types)
        return None if chosen.factor == "otp" else self._challenges.send(held, chosen)

    def remove(self, bearer: str, named: AuthenticatorName) -> None:
        """Raises UnknownAuthenticator; InvalidToken for an mfa_token, which is not enough."""
        if self._held(bearer) is not None:
            raise InvalidToken("An mfa_token is not enough; send an access token with scope remove:authenticators.")
        user_id = str(self._claims(bearer, "remove:authenticators")["sub"])
        having = [each for each in self._authenticators.of(user_id, active=None) if named.is_of(each)]
        if not having or not self._authenticators.remove(user_id, having[0].authenticator_id):
            raise UnknownAuthenticator

    def _held(self, bearer: str) -> MfaTransaction | None:
        """The request that is held, where the bearer token is an mfa_token."""
        return self._transactions.find(bearer) if bearer.startswith("Fe26.") else None

    def _claims(self, bearer: str, scope: str) -> Mapping[str, Any]:
        """Those of an access token for this API with that scope. Raises InvalidToken, InsufficientScope."""
        claims = self._verifier.claims(bearer)
        if scope not in str(claims.get("scope", "")).split():
            raise InsufficientScope(scope)
        return claims


def _chosen(having: list[Authenticator], types: Sequence[str]) -> Authenticator:
    """By the client's order of types, and within `oob` by ours."""
    for asked in types:
        wanted = ("otp",) if asked == "otp" else OUT_OF_BAND
        for factor in wanted:
            for each in having:
                if each.factor == factor:
                    return each
    supported = " ".join(dict.fromkeys("otp" if each.factor == "otp" else "oob" for each in having))
    raise UnsupportedChallengeType(
        f"The user does not support the requested challenge type ({' '.join(types)}). Supported type: {supported}."
    )


def recipient(factor: Factor, name: str | None, username: str) -> str:
    """What an authenticator is called: the phone number or address to which its codes go. Raises InvalidRequest."""
    if factor == "email":
        address = email_address(name or username)
        if address is None:
            raise InvalidRequest("email is not an address.")
        return address
    if factor == "sms":
        number = phone_number(name or "")
        if number is None:
            raise InvalidRequest("phone_number is missing or is not in E.164: + and 6 to 15 digits.")
        return number
    return name or "Phone" if factor == "push" else ""
