"""Extra Horizon's /confirmPresence and /mfa/users on the wire (reference/wire-facts.md section 3).

A user sees and changes their own MFA here. Somebody else's takes global permissions, which nobody has.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.object_ids import PATTERN, object_id
from host_tools.authority.core.records import Authenticator, User
from host_tools.authority.dialects.extrahorizon_endpoint import Asked, moments, told, users_endpoint
from host_tools.authority.dialects.extrahorizon_paths import (
    CONFIRM,
    DISABLE,
    ENABLE,
    METHODS,
    PRESENCE,
    REMOVE,
    SETTING,
)
from host_tools.authority.dialects.extrahorizon_refusals import (
    METHOD_TYPES,
    IdFormat,
    NoPermission,
    described,
    refusal,
)

AFFECTED_ONE = {"affectedRecords": 1}


def routes(authority: Authority) -> list[Route]:
    endpoints = _Endpoints(authority)
    posts = {
        METHODS: endpoints.add,
        CONFIRM: endpoints.confirm,
        REMOVE: endpoints.remove,
        ENABLE: endpoints.enable,
        DISABLE: endpoints.disable,
    }
    return [
        users_endpoint(authority, PRESENCE, "POST", endpoints.presence, refusal, is_slow=True),
        users_endpoint(authority, SETTING, "GET", endpoints.setting, refusal),
        *(users_endpoint(authority, path, "POST", handler, refusal) for path, handler in posts.items()),
    ]


class _Endpoints:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._mfa = authority.user_mfa

    def presence(self, asked: Asked, user: User) -> Response:
        token, now = self._authority.user_mfa_grants.confirm_presence(user, asked.body.text("password"))
        return told({"token": token, **moments(updateTimestamp=now, creationTimestamp=now)})

    def setting(self, asked: Asked, user: User) -> Response:
        _check_owner(asked, user)
        setting = self._mfa.setting(user.user_id)
        return told(
            {
                "id": object_id(user.user_id),
                "methods": [_listed(each) for each in self._mfa.of(user.user_id)],
                "enabled": bool(setting.enabled),
                "failedAttempts": setting.failed_attempts,
                **moments(updateTimestamp=setting.updated_at, lastFailedAttemptTimestamp=setting.failed_at),
            }
        )

    def add(self, asked: Asked, user: User) -> Response:
        _check_owner(asked, user)
        kind = asked.body.choice("type", METHOD_TYPES.values())
        name, tags = asked.body.optional_text("name") or "", asked.body.words("tags")
        self._check_presence(asked, user)
        if kind == METHOD_TYPES["otp"]:
            method = self._mfa.add_totp(user.user_id, name, tags)
            return told({**_listed(method), "secret": method.secret})
        method, codes = self._mfa.add_recovery_codes(user.user_id, name, tags)
        return told({**_listed(method), "codes": codes})

    def confirm(self, asked: Asked, user: User) -> Response:
        method_id = _method_id(asked, user)
        code = asked.body.text("code")
        self._check_presence(asked, user)
        self._mfa.confirm(user.user_id, method_id, code)
        return told({"description": "The method is verified"})

    def remove(self, asked: Asked, user: User) -> Response:
        method_id = _method_id(asked, user)
        self._check_presence(asked, user)
        self._mfa.remove(user.user_id, method_id)
        return told(AFFECTED_ONE)

    def enable(self, asked: Asked, user: User) -> Response:
        _check_owner(asked, user)
        self._check_presence(asked, user)
        self._mfa.enable(user.user_id)
        return told(AFFECTED_ONE)

    def disable(self, asked: Asked, user: User) -> Response:
        _check_owner(asked, user)
        self._check_presence(asked, user)
        self._mfa.disable(user.user_id)
        return told(AFFECTED_ONE)

    def _check_presence(self, asked: Asked, user: User) -> None:
        self._authority.presence_tokens.check(asked.body.text("presenceToken"), user.user_id)


def _check_owner(asked: Asked, user: User) -> None:
    """Raises IdFormat, NoPermission."""
    if _object_id(asked.names["user_id"]) != object_id(user.user_id):
        raise NoPermission


def _method_id(asked: Asked, user: User) -> str:
    _check_owner(asked, user)
    return _object_id(asked.names["method_id"])


def _object_id(sent: str) -> str:
    """Raises IdFormat."""
    if not re.fullmatch(PATTERN, sent):
        raise IdFormat
    return sent.lower()


def _listed(method: Authenticator) -> dict[str, Any]:
    return {
        "id": object_id(method.authenticator_id),
        **described(method),
        "verified": bool(method.active),
        **moments(updateTimestamp=method.updated_at or method.created_at, creationTimestamp=method.created_at),
    }
