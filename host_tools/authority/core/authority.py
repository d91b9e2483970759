"""The authority as a whole: one store, one clock, one issuer, and the services that share them."""

from __future__ import annotations

from host_tools.authority.core.access_tokens import AccessTokens, TokenVerifier, signing_key
from host_tools.authority.core.attempts import AttemptLimits
from host_tools.authority.core.authenticators import Authenticators
from host_tools.authority.core.authn_enrolment import AuthnEnrolment
from host_tools.authority.core.authn_factors import AuthnFactors
from host_tools.authority.core.authn_sign_in import AuthnSignIn
from host_tools.authority.core.authn_transactions import AuthnTransactions
from host_tools.authority.core.authorization_answers import AuthorizationAnswers
from host_tools.authority.core.authorization_codes import AuthorizationCodes
from host_tools.authority.core.authorization_requests import AuthorizationRequests
from host_tools.authority.core.challenges import Challenges
from host_tools.authority.core.consents import Consents
from host_tools.authority.core.device_choices import DeviceChoices
from host_tools.authority.core.device_grants import DeviceGrants
from host_tools.authority.core.events import EventLog
from host_tools.authority.core.factor_due import FactorDue
from host_tools.authority.core.faults import Faults
from host_tools.authority.core.issued_tokens import IssuedTokens
from host_tools.authority.core.known_browsers import KnownBrowsers
from host_tools.authority.core.login_enrolment import LoginEnrolment
from host_tools.authority.core.login_factors import LoginFactors
from host_tools.authority.core.login_rate import LoginRate
from host_tools.authority.core.login_verdicts import LoginVerdicts
from host_tools.authority.core.logouts import Logouts
from host_tools.authority.core.mfa_api import MfaApi
from host_tools.authority.core.mfa_grants import MfaGrants
from host_tools.authority.core.mfa_transactions import MfaTransactions
from host_tools.authority.core.outbox import Outbox
from host_tools.authority.core.pacing import Paces
from host_tools.authority.core.password_grant import PasswordGrant
from host_tools.authority.core.policies import MfaMode, MfaSwitch
from host_tools.authority.core.post_login import PostLogin
from host_tools.authority.core.presence_tokens import PresenceTokens
from host_tools.authority.core.refresh_tokens import RefreshTokens
from host_tools.authority.core.session_factors import SessionFactors
from host_tools.authority.core.session_renewal import SessionRenewal
from host_tools.authority.core.session_tokens import SessionTokens
from host_tools.authority.core.sessions import LoginSessions
from host_tools.authority.core.spent_tokens import SpentTokens
from host_tools.authority.core.storage import Store
from host_tools.authority.core.tally import Tally
from host_tools.authority.core.token_endpoint import TokenEndpoint
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.core.user_mfa import UserMfaMethods
from host_tools.authority.core.user_mfa_grants import UserMfaGrants
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
        mfa: MfaMode = "never",
        access_token_ttl: int = 86400,
        person_clock: Clock | None = None,
        user_codes: UserCodes | None = None,
    ) -> None:
        limits = AttemptLimits(store, clock)
        self.issuer = issuer
        self.store = store
        self.clock = clock
        self.mfa = MfaSwitch(mfa)
        self.user_codes = user_codes or UserCodes()
        self.faults = Faults()
        self.tally = Tally()
        self.paces = Paces()
        self.events = EventLog(store, clock)
        self.outbox = Outbox(store, clock)
        self.users = Users(store, limits, self.events)
        self.authenticators = Authenticators(store, person_clock or clock, limits, self.events)
        self.device_grants = DeviceGrants(store, clock, self.user_codes, self.faults, self.tally, self.paces)
        self.access_tokens = AccessTokens(signing_key(store, clock), issuer, clock, access_token_ttl)
        self.refresh_tokens = RefreshTokens(store, clock, self.tally, self.events)
        self.challenges = Challenges(store, clock, limits, self.outbox, self.events, self.paces)
        transactions = MfaTransactions(store, clock, self.authenticators, self.mfa, self.events)
        self.post_login = PostLogin(clock, self.authenticators, self.events)
        self.session_factors = SessionFactors(store, clock)
        self.spent_tokens = SpentTokens(store, clock)
        self.known_browsers = KnownBrowsers(store, clock)
        self.tokens = TokenEndpoint(
            store,
            clock,
            issuer,
            self.users,
            self.device_grants,
            self.access_tokens,
            self.refresh_tokens,
            self.mfa,
            transactions,
            self.tally,
            self.events,
            self.post_login,
        )
        self.requests = AuthorizationRequests(store, clock)
        self.codes = AuthorizationCodes(store, clock, self.tokens, self.events)
        self.consents = Consents(store)
        self.password_grant = PasswordGrant(
            store, clock, self.tokens, self.users, self.mfa, transactions, self.post_login, self.events
        )
        self.mfa_grants = MfaGrants(
            store,
            clock,
            self.tokens,
            self.refresh_tokens,
            transactions,
            self.authenticators,
            self.challenges,
            self.session_factors,
            self.events,
        )
        self.user_mfa = UserMfaMethods(store, clock, self.authenticators, self.events)
        self.presence_tokens = PresenceTokens(store, clock)
        self.login_rate = LoginRate(store, clock, self.users, self.events)
        self.user_mfa_grants = UserMfaGrants(
            store,
            clock,
            self.users,
            self.tokens,
            self.password_grant,
            self.mfa_grants,
            transactions,
            self.mfa,
            self.user_mfa,
            self.presence_tokens,
            self.login_rate,
            self.events,
        )
        keys = self.access_tokens.public_keys()
        verifier = TokenVerifier(keys, issuer, None, clock)
        self.issued_tokens = IssuedTokens(self.tokens, self.users, self.refresh_tokens, verifier, self.spent_tokens)
        self.mfa_api = MfaApi(
            self.users,
            self.tokens,
            TokenVerifier(keys, issuer, self.tokens.mfa_audience, clock),
            transactions,
            self.authenticators,
            self.challenges,
        )
        self.device_choices = DeviceChoices(store, clock, self.events)
        factor_due = FactorDue(self.mfa, self.device_choices)
        self.sessions = LoginSessions(
            store,
            clock,
            self.user_codes,
            self.device_grants,
            self.requests,
            self.consents,
            limits,
            factor_due,
            self.known_browsers,
            self.session_factors,
            self.events,
        )
        self.session_renewal = SessionRenewal(
            store,
            clock,
            self.issued_tokens,
            transactions,
            self.authenticators,
            self.challenges,
            self.session_factors,
            self.events,
        )
        self.answers = AuthorizationAnswers(
            store, clock, issuer, self.requests, self.codes, self.consents, self.sessions, self.events
        )
        self.logouts = Logouts(store, verifier, self.sessions, self.events)
        self.login_verdicts = LoginVerdicts(store, self.users, self.sessions, self.post_login)
        self.login_factors = LoginFactors(
            store, clock, self.sessions, transactions, self.authenticators, self.challenges, self.events
        )
        self.login_enrolment = LoginEnrolment(
            store, self.users, self.login_factors, transactions, self.authenticators, self.challenges
        )
        self.session_tokens = SessionTokens(store, clock, self.sessions)
        states = AuthnTransactions(store, clock, self.events)
        self.authn = AuthnSignIn(
            store,
            self.users,
            states,
            self.authenticators,
            self.challenges,
            factor_due,
            self.device_choices,
            self.known_browsers,
            self.session_tokens,
            self.events,
        )
        self.authn_factors = AuthnFactors(
            store,
            clock,
            self.authn,
            states,
            transactions,
            self.login_factors,
            self.authenticators,
            self.challenges,
            self.device_choices,
        )
        self.authn_enrolment = AuthnEnrolment(store, self.authn, states, self.authn_factors, self.authenticators)
