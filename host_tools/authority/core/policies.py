"""When the tenant asks for a second factor, as a table.

The policies are Auth0's: `never`, `always`, `adaptive` (only where a login looks risky). By the seed (000) a policy
exempts the refresh grant; nextjs-auth0's documentation of 2026 says that it does not, so `strict` challenges it too.
`rule` is the first rule of seeds/000: `context.multifactor = {provider: 'any', allowRememberBrowser: false}` without a
condition, so all is challenged, refreshes too, and no browser is remembered. It needs no engine; what a tenant's own
scripts say comes as a `Directive`, and takes precedence over all of these ("Rules directives take precedence over a
policy", seeds/000; wire-facts 1.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal, get_args

from host_tools.authority.core.records import Factor, LoginSession

MfaMode = Literal["never", "always", "adaptive", "rule"]
# The names are Auth0's `context.protocol` (wire-facts 1.8).
Protocol = Literal[
    "oauth2-device-code",
    "oauth2-refresh-token",
    "oauth2-password",
    "oidc-basic-profile",
    "oidc-implicit-profile",
]
Confidence = Literal["low", "high"]
Step = Literal["code", "login", "second factor", "consent", "answer"]

MFA_MODES: tuple[str, ...] = get_args(MfaMode)
CONFIDENCES: tuple[str, ...] = get_args(Confidence)

# Whether what is asked is challenged: never, always, or where confidence in the person is low.
_YES, _RISKY, _NO = "yes", "risky", "no"
_LOGINS: dict[MfaMode, str] = {"never": _NO, "always": _YES, "adaptive": _RISKY, "rule": _YES}
_REFRESHES: dict[tuple[MfaMode, bool], str] = {  # with and without `strict`
    ("never", False): _NO,
    ("never", True): _NO,
    ("always", False): _NO,
    ("always", True): _YES,
    ("adaptive", False): _NO,
    ("adaptive", True): _RISKY,
    ("rule", False): _YES,
    ("rule", True): _YES,
}
_REMEMBERS_BROWSER: dict[MfaMode, bool] = {"never": True, "always": True, "adaptive": True, "rule": False}


@dataclass(frozen=True)
class Directive:
    """What a script says of a second factor.

    remembers: a browser that has given one is not asked again while its session lasts (`allowRememberBrowser`), where
    any factor counts. factors: those that count; empty for any.
    """

    challenges: bool
    remembers: bool = True
    factors: tuple[Factor, ...] = ()


@dataclass
class MfaSwitch:
    """The tenant's setting; an administrator turns it while the authority runs.

    strict: a policy challenges the refresh grant as well.
    factors: how many an MFA grant wants before it gives tokens; with two it answers the first with mfa_required again.
    tell_requirements: mfa_required says which factors would do (`mfa_requirements`, in Auth0's early access).
    untrusted: addresses that adaptive MFA has no confidence in.
    confidence: what adaptive MFA finds, whatever there is to find; None has it judge.
    """

    mode: MfaMode = "never"
    strict: bool = False
    factors: int = 1
    tell_requirements: bool = False
    untrusted: tuple[IPv4Network | IPv6Network, ...] = ()
    confidence: Confidence | None = None

    def challenges(
        self, protocol: Protocol, address: str, known_browser: bool = True, directive: Directive | None = None
    ) -> bool:
        """Whether this request is challenged that comes from `address`, in a browser the user is known in or not."""
        if directive is not None:
            return directive.challenges
        refresh = protocol == "oauth2-refresh-token"
        asks = _REFRESHES[self.mode, self.strict] if refresh else _LOGINS[self.mode]
        return asks == _YES or (asks == _RISKY and self._confidence(address, known_browser) == "low")

    def challenges_login(
        self, session: LoginSession, address: str, known_browser: bool, directive: Directive | None = None
    ) -> bool:
        """Whether this session still owes a second factor for the device it answers for."""
        if not self.challenges("oauth2-device-code", address, known_browser, directive):
            return False
        if _REMEMBERS_BROWSER[self.mode] if directive is None else directive.remembers and not directive.factors:
            return "mfa" not in session.amr.split()
        return session.otp_at is None

    def _confidence(self, address: str, known_browser: bool) -> Confidence:
        """Two of Auth0's assessors, NewDevice and UntrustedIP; ImpossibleTravel needs places, which there are none."""
        if self.confidence is not None:
            return self.confidence
        return "high" if known_browser and not self._is_untrusted(address) else "low"

    def _is_untrusted(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:  # no network address: a test in process
            return False
        return any(found in network for network in self.untrusted)
