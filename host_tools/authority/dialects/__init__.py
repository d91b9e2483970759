"""Each vendor's paths, bodies and statuses over the same core. A dialect only translates."""

from __future__ import annotations

from typing import Literal, get_args

from host_tools.authority.dialects import auth0, extrahorizon, okta, rfc
from host_tools.authority.dialects.dialect import Dialect

DialectName = Literal["auth0", "okta", "rfc", "extrahorizon"]
DIALECT_NAMES: tuple[str, ...] = get_args(DialectName)
DIALECTS: dict[str, Dialect] = {
    "auth0": auth0.DIALECT,
    "okta": okta.DIALECT,
    "rfc": rfc.DIALECT,
    "extrahorizon": extrahorizon.DIALECT,
}
