"""What the owner of a tenant may choose, with its defaults: the demo tenant is these as they are.

docs/tenant-file.md tells the same to who writes the file. Secrets are kept out of every repr.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from host_tools.authority.core.device_grants import LIFETIME_S
from host_tools.authority.core.pacing import INTERVAL_S
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.resource_policy import ResourcePolicy, ResourceRule
from host_tools.authority.core.sign_on_policy import SignOnPolicy
from host_tools.authority.core.token_endpoint import OPENID, Grant
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.errors import AuthorityError
from host_tools.authority.scripts.script import Script

DISPLAY_NAME = "Stoa display"
AUDIENCE = "https://stoa.example/quotes"  # an identifier, as Auth0 wants it; nothing is ever fetched from it
QUOTES_SCOPE = "read:quotes"
SCOPE = f"{QUOTES_SCOPE} offline_access"
DEMO_USER = "demo@stoa.example"
ACCESS_TOKEN_LIFETIME_S = 86_400  # Auth0's default
LONGEST_ACCESS_TOKEN_LIFETIME_S = 2_678_400  # 31 days
REFRESH_LIFETIME_S = 2_592_000  # Auth0's default, thirty days
LONGEST_LEEWAY_S = 86_400
MOST_FACTORS = 3
LONGEST_REFRESH_LIFETIME_S = 31_557_600  # Auth0's longest, a year: the demo display is to stay connected


class TenantFileError(AuthorityError):
    """A tenant file that cannot be used, or a policy file that it names.

    problems: each as `tenant.toml:12: clients[0].name: what, and the remedy`.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" | ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class AuthenticatorSettings:
    """A second factor that counts at once: otp, sms, email, push. A push brings one-time codes along."""

    factor: str
    name: str = ""  # phone number, e-mail address, or the phone's name
    totp_secret: str | None = field(default=None, repr=False)  # base32; None: made, and kept with the database


@dataclass(frozen=True)
class UserSettings:
    """password: None has one made at each start. authenticators: all that the user has; None leaves them alone.

    mfa_enabled: the user's own switch, where the dialect has one; None leaves it as it is.
    """

    username: str
    password: str | None = field(default=None, repr=False)
    recovery_code: str | None = field(default=None, repr=False)
    authenticators: tuple[AuthenticatorSettings, ...] | None = None
    mfa_enabled: bool | None = None


@dataclass(frozen=True)
class ClientSettings:
    """client_id: None has one made, and kept with the database under the client's name.

    refresh_lifetime_s, refresh_idle_s: None for no end. redirect_uris, logout_uris, web_origins, skips_consent: of a
    browser application, see records.Client.
    """

    name: str = DISPLAY_NAME
    client_id: str | None = None
    secret: str | None = field(default=None, repr=False)
    grants: tuple[Grant, ...] = ("device_code", "refresh_token", "mfa")
    scopes: tuple[str, ...] = (*SCOPE.split(), OPENID)
    default_scopes: tuple[str, ...] = tuple(SCOPE.split())
    audience: str = AUDIENCE
    metadata: Mapping[str, str] = field(default_factory=lambda: {"device_type": "display"})
    refresh_rotates: bool = True
    refresh_lifetime_s: int | None = REFRESH_LIFETIME_S
    refresh_idle_s: int | None = None
    refresh_leeway_s: int = 0
    redirect_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    web_origins: tuple[str, ...] = ()
    skips_consent: bool = False


@dataclass(frozen=True)
class ApiSettings:
    """A protected API. serves: what the gateway answers there itself, of `SERVED`; None where another server does, and
    asks the gateway."""

    policy: ResourcePolicy
    serves: Served | None = None


Served = Literal["quotes", "bank", "catsdogs"]
SERVED: tuple[str, ...] = get_args(Served)
# What each answers, below its policy's prefix. gateway/ has how; a test compares.
SERVES: dict[str, tuple[tuple[str, str], ...]] = {
    "quotes": (("GET", "/today"),),
    "bank": (("GET", "/balance"), ("POST", "/transfer"), ("GET", "/"), ("GET", "/bank.js"), ("GET", "/bank.css")),
    "catsdogs": (("GET", "/"), ("GET", "/dogs/"), ("GET", "/cats/")),
}
QUOTES_API = ApiSettings(
    ResourcePolicy(AUDIENCE, "/api/quotes", (ResourceRule("GET", "/today", scope=QUOTES_SCOPE),)), "quotes"
)
DEMO_USERS = (UserSettings(DEMO_USER, authenticators=(AuthenticatorSettings("otp"),)),)
DEMO_CLIENTS = (ClientSettings(refresh_lifetime_s=LONGEST_REFRESH_LIFETIME_S),)


@dataclass(frozen=True)
class TenantSettings:
    """webhooks: addresses that every text message and e-mail of the outbox is told to."""

    name: str = "Stoa demo"
    access_token_lifetime_s: int = ACCESS_TOKEN_LIFETIME_S
    revocation_deletes_grant: bool = False
    user_codes: UserCodes = field(default_factory=UserCodes)
    device_code_lifetime_s: int = LIFETIME_S
    polling_interval_s: int = INTERVAL_S
    mfa: MfaSwitch = field(default_factory=MfaSwitch)
    sign_on_policy: SignOnPolicy = field(default_factory=SignOnPolicy)
    users: tuple[UserSettings, ...] = DEMO_USERS
    clients: tuple[ClientSettings, ...] = DEMO_CLIENTS
    webhooks: tuple[str, ...] = ()
    scripts: tuple[Script, ...] = ()
    apis: tuple[ApiSettings, ...] = (QUOTES_API,)


def demo_settings(refresh_leeway_s: int = 0) -> TenantSettings:
    """The demo tenant, its display with this leeway."""
    return TenantSettings(clients=tuple(replace(each, refresh_leeway_s=refresh_leeway_s) for each in DEMO_CLIENTS))
