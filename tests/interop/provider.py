"""npm's oidc-provider, unmodified, on the test's own time: a certified server that nobody here wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import TracebackType

from tests.interop.mirrored_clock import MirroredClock
from tests.interop.node_process import NodeProcess
from tests.interop.person import Person

CLIENT_ID, OTHER_CLIENT_ID, FIXED_CLIENT_ID = "stoa-display", "another-display", "fixed-display"
CONFIDENTIAL_CLIENT_ID, CLIENT_SECRET = "confidential-display", "the secret of a display"
RESOURCE = "https://stoa.example/quotes"  # an identifier (RFC 8707); nothing is fetched from it
SCOPE = "read:quotes offline_access"
ACCESS_TOKEN_TTL_S = 3600
DEVICE_CODE_TTL_S = 900
REFRESH_TOKEN_IDLE_S = 1_209_600  # the package's default: fourteen days

# The login page of the package takes any name and password; the only button with a name is the one that aborts.
PERSON = Person({"login": lambda: "marcus", "password": lambda: "any"}, yes=("", ""), no=("abort", "yes"))


@dataclass
class OidcProvider:
    """Running. `process` is its Node."""

    issuer: str
    process: NodeProcess

    def __enter__(self) -> OidcProvider:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()


def start_oidc_provider(clock: MirroredClock) -> OidcProvider:
    settings = {
        "clients": {
            CLIENT_ID: "Stoa display",
            OTHER_CLIENT_ID: "Another display",
            FIXED_CLIENT_ID: "Fixed display",
            CONFIDENTIAL_CLIENT_ID: "Confidential display",
        },
        "secrets": {CONFIDENTIAL_CLIENT_ID: CLIENT_SECRET},
        "fixed": FIXED_CLIENT_ID,
        "resource": RESOURCE,
        "scope": SCOPE,
        "accessTokenTtl": ACCESS_TOKEN_TTL_S,
        "deviceCodeTtl": DEVICE_CODE_TTL_S,
        "refreshTokenIdle": REFRESH_TOKEN_IDLE_S,
    }
    process = NodeProcess("oidc_provider.mjs", json.dumps(settings), clock_file=clock.file)
    try:
        return OidcProvider(process.hear()["issuer"], process)
    except BaseException:
        process.close()
        raise
