"""The authority as a whole: one store, one clock, one issuer, and the services that share them."""

from __future__ import annotations

from host_tools.authority.core.access_tokens import AccessTokens, signing_key
from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.device_grants import DeviceGrants
from host_tools.authority.core.faults import Faults
from host_tools.authority.core.policies import MfaMode, MfaSwitch
from host_tools.authority.core.records import Store
from host_tools.authority.core.refresh_tokens import RefreshTokens
from host_tools.authority.core.sessions import LoginSessions
from host_tools.authority.core.tally import Tally
from host_tools.authority.core.token_endpoint import TokenEndpoint
from host_tools.authority.core.users import Users
from host_tools.clock import Clock


class Authority:
    """Everything a dialect or a page may ask. `issuer` ends in a slash, as Auth0's does.

    person_clock: the time by which people's authenticators run, where it is not the authority's own.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        issuer: str,
        mfa: MfaMode = "off",
        access_token_ttl: int = 86400,
        person_clock: Clock | None = None,
    ) -> None:
        limits = AttemptLimits(store, clock)
        self.issuer = issuer
        self.store = store
        self.clock = clock
        self.mfa = MfaSwitch(mfa)
        self.faults = Faults()
        self.tally = Tally()
        self.device_grants = DeviceGrants(store, clock, self.faults, self.tally)
        self.access_tokens = AccessTokens(signing_key(store, clock), issuer, clock, access_token_ttl)
        self.refresh_tokens = RefreshTokens(store, clock, self.tally)
        self.tokens = TokenEndpoint(
            store, self.device_grants, self.access_tokens, self.refresh_tokens, self.mfa, self.tally
        )
        self.users = Users(store, person_clock or clock, limits)
        self.sessions = LoginSessions(store, clock, self.device_grants, limits)
