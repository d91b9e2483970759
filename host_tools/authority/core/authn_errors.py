"""What Okta's sign-in API refuses. Codes and sentences are the vendor's, and the dialect's."""

from __future__ import annotations


class AuthnRefused(Exception):
    """A refusal that a client of the API reads. causes: what is wrong with what it sent, a sentence each."""

    def __init__(self, *causes: str) -> None:
        super().__init__(" ".join(causes) or type(self).__name__)
        self.causes = causes


class NotWellFormed(AuthnRefused):
    """The body is no JSON object, or a member of it has another type than it takes."""


class BodyTooLong(NotWellFormed):
    """The body is larger than is read."""


class MediaTypeRefused(AuthnRefused):
    """The body is not said to be JSON."""


class InvalidMember(AuthnRefused):
    """A member, or a parameter, is missing or does not fit. `name`: which."""

    def __init__(self, name: str, *causes: str) -> None:
        super().__init__(*causes)
        self.name = name


class WrongParameterType(AuthnRefused):
    """A parameter of the address is no true and no false."""


class InvalidPhoneNumber(AuthnRefused):
    """The phone number to send codes to is none."""


class AuthenticationFailed(AuthnRefused):
    """Unknown user, wrong password, a user who is locked out: told alike, so that nobody learns who has an account."""


class LockedOut(AuthenticationFailed):
    """Too many wrong passwords. The tenant says whether that is told."""


class InvalidStateToken(AuthnRefused):
    """Never issued, expired, cancelled, or done with."""


class StateNotAllowed(AuthnRefused):
    """What is asked is not the sign-in's turn."""


class UnknownFactor(AuthnRefused):
    """The user has no factor of this id. `factor_id`: what was asked for."""

    def __init__(self, factor_id: str) -> None:
        super().__init__()
        self.factor_id = factor_id


class UnknownAddress(AuthnRefused):
    """There is nothing at this address any more."""


class InvalidPasscode(AuthnRefused):
    """Wrong, too old, or for nothing that was sent."""


class PasscodeReplayed(AuthnRefused):
    """It was right, and used before (RFC 6238 5.2)."""


class UserLocked(AuthnRefused):
    """Too many wrong passcodes."""


class SmsTooSoon(AuthnRefused):
    """The last text message was sent less than half a minute ago."""


class EmailTooSoon(AuthnRefused):
    """The last e-mail was sent less than five seconds ago."""


class TooManySms(AuthnRefused):
    """Each text message is a try, so that nobody's phone is flooded."""


class TooManyChallenges(AuthnRefused):
    """Too many pushes, or e-mails."""


class UnlockNotAllowed(AuthnRefused):
    """The tenant lets nobody unlock their own account."""


class WrongMethod(AuthnRefused):
    """Another method than the address is used with."""
