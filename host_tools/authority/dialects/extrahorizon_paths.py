"""Extra Horizon's addresses, and what a fault of each kind of endpoint strikes."""

from __future__ import annotations

from host_tools.authority.core.faults import Endpoint

TOKENS = "/auth/v2/oauth2/tokens"
PRESENCE = "/auth/v2/confirmPresence"
SETTING = "/auth/v2/mfa/users/{user_id}"
METHODS = f"{SETTING}/methods"
CONFIRM = f"{METHODS}/{{method_id}}/verification/confirm"
REMOVE = f"{METHODS}/{{method_id}}/remove"
ENABLE = f"{SETTING}/enable"
DISABLE = f"{SETTING}/disable"
ME = "/users/v1/me"
HEALTH = ("/auth/v2/health", "/users/v1/health")

ENDPOINTS: dict[str, Endpoint] = {
    TOKENS: "token",
    ME: "userinfo",
    **dict.fromkeys((PRESENCE, SETTING, METHODS, CONFIRM, REMOVE, ENABLE, DISABLE), "mfa"),
    **dict.fromkeys(HEALTH, "discovery"),
}
