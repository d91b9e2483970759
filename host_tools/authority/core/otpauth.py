"""The URI that an enrolment's QR code carries, for an authenticator app to read: `otpauth://totp/...`."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from host_tools.authority.core.records import Authenticator


def enrolment_uri(issuer: str, username: str, authenticator: Authenticator) -> str:
    """For otp the secret and all that an app needs to show its codes; for push Auth0's name of the enrolment."""
    tenant = quote(urlsplit(issuer).hostname or "stoa")
    push = authenticator.factor == "push"
    carried = f"enrollment_tx_id={authenticator.authenticator_id}" if push else f"secret={authenticator.secret}"
    label = f"{tenant}:{quote(username)}"
    return f"otpauth://totp/{label}?{carried}&issuer={tenant}&algorithm=SHA1&digits=6&period=30"
