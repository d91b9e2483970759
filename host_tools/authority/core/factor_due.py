"""Whether somebody who signs in owes a second factor: by the tenant's switch, and by what it remembers of devices."""

from __future__ import annotations

from host_tools.authority.core.device_choices import DeviceChoices
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.post_login import verdict_of
from host_tools.authority.core.records import LoginSession


class FactorDue:
    def __init__(self, mfa: MfaSwitch, devices: DeviceChoices) -> None:
        self._mfa = mfa
        self._devices = devices

    def at_sign_in(self, user_id: str, address: str, known_device: bool, device: str) -> bool:
        """Of a sign-in that answers for nothing yet."""
        challenged = self._mfa.challenges("oauth2-password", address, known_device)
        return challenged and not self._devices.remembers(user_id, device)

    def by(self, session: LoginSession, address: str, known_browser: bool, browser: str) -> bool:
        """Of this session, for what it answers for.

        Under a sign-on policy a browser is remembered by its user's choice alone, and not while its session lasts. What
        a script says takes precedence over both.
        """
        directive = verdict_of(session.verdict).mfa
        if directive is not None or not self._devices.in_force:
            return self._mfa.challenges_login(session, address, known_browser, directive)
        # An application that renews its tokens in silence (prompt=none) has no page for a factor given in this session.
        if session.request_id is not None and not self._mfa.challenges_login(session, address, known_browser):
            return False
        if session.otp_at is not None or not self._mfa.challenges("oauth2-device-code", address, known_browser):
            return False
        return not self._devices.remembers(session.user_id or "", browser)
