"""What Rules and Actions both see of who signs in."""

from __future__ import annotations

from typing import Any

from host_tools.authority.core.post_login import Attempt
from host_tools.clock import NS, utc_text


def profile_of(attempt: Attempt) -> dict[str, Any]:
    """Auth0's user profile, as far as there is one here."""
    user = attempt.user
    return {
        "user_id": user.user_id,
        "email": user.username,
        "email_verified": True,
        "name": user.username,
        "nickname": user.username.partition("@")[0],
        "identities": [
            {
                "connection": "Username-Password-Authentication",
                "provider": "auth0",
                "user_id": user.user_id.partition("|")[2],
                "isSocial": False,
            }
        ],
        "multifactor": ["guardian"] if any(each.factor != "recovery-code" for each in attempt.authenticators) else [],
        "app_metadata": {},
        "user_metadata": {},
    }


def methods_of(attempt: Attempt) -> list[dict[str, Any]]:
    """How the person has signed in so far, as `context.authentication.methods` has it: pwd and mfa, with their time.

    The time is the last one's, for both: the seconds between are not kept.
    """
    words = attempt.amr.split()
    return [{"name": name, "timestamp": attempt.auth_time_at * 1000 // NS} for name in ("pwd", "mfa") if name in words]


def moment(moment_ns: int | None) -> str | None:
    return None if moment_ns is None else utc_text(moment_ns // NS)
