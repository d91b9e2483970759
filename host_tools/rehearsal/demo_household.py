"""The demo's people: an administrator with a switch for MFA, and a person with a browser and an authenticator."""

from __future__ import annotations

import pyotp

from host_tools.authority import RunningAuthority
from host_tools.clock import Clock, now_s
from host_tools.rehearsal.household import Account
from host_tools.rehearsal.person import approve


class DemoHousehold:
    """approves: whether the person here approves; if not, somebody at a real browser will. clock: the person's own."""

    def __init__(self, authority: RunningAuthority, clock: Clock, approves: bool) -> None:
        self._authority = authority
        self._clock = clock
        self._approves = approves

    def account(self) -> Account:
        """What the display's owner writes into settings.toml."""
        tenant = self._authority.tenant
        return Account(tenant.issuer, tenant.client_id, tenant.quotes_url, tenant.audience, tenant.scope)

    def turn_on_mfa(self) -> None:
        self._authority.set_mfa("rule")

    def one_time_code(self) -> str:
        """What the demo user's authenticator shows now."""
        return pyotp.TOTP(self._authority.tenant.totp_secret).at(now_s(self._clock))

    def approve(self, shown: dict[str, str]) -> None:
        if self._approves:
            tenant = self._authority.tenant
            user, password = tenant.demo_user, tenant.demo_password
            approve(
                shown["verification_uri"],
                shown["user_code"],
                user,
                password,
                self.one_time_code,
                ca_file=self._authority.ca_file,
            )
