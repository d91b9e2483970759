"""When the tenant asks for a second factor: one switch, three positions, as a table.

`rule` is the first rule of seeds/000: `context.multifactor = {provider: 'any', allowRememberBrowser: false}` without a
condition, so all is challenged, the refresh grant too, and no browser is remembered. `policy` is Auth0's MFA policy
"Always", which by the seed exempts the refresh grant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from host_tools.authority.core.records import LoginSession

MfaMode = Literal["off", "rule", "policy"]
Step = Literal["code", "login", "one-time code", "consent"]

MFA_MODES: tuple[str, ...] = get_args(MfaMode)

# The names are Auth0's `context.protocol` (wire-facts 1.8).
_CHALLENGED: dict[MfaMode, frozenset[str]] = {
    "off": frozenset(),
    "rule": frozenset({"oauth2-device-code", "oauth2-refresh-token"}),
    "policy": frozenset({"oauth2-device-code"}),
}
_REMEMBERS_BROWSER: dict[MfaMode, bool] = {"off": True, "rule": False, "policy": True}


@dataclass
class MfaSwitch:
    """The tenant's setting; an administrator turns it while the authority runs."""

    mode: MfaMode = "off"

    def challenges_refresh(self) -> bool:
        return "oauth2-refresh-token" in _CHALLENGED[self.mode]

    def challenges_login(self, session: LoginSession) -> bool:
        """Whether this session still owes a one-time code for the device it answers for."""
        if "oauth2-device-code" not in _CHALLENGED[self.mode]:
            return False
        if _REMEMBERS_BROWSER[self.mode]:
            return "otp" not in session.amr.split()
        return session.otp_at is None


def next_step(session: LoginSession, mfa: MfaSwitch) -> Step:
    """What a person has to do next before a device is theirs. Every page asks this; none trusts the one before."""
    if session.user_code is None:
        return "code"
    if session.user_id is None:
        return "login"
    if mfa.challenges_login(session):
        return "one-time code"
    return "consent"
