"""What of the scopes that are asked for is granted, at first and by a refresh."""

from __future__ import annotations

from host_tools.authority.core.records import Client, TokenFamily


def granted(client: Client, scope: str | None) -> str:
    """Scopes the client may not have are left out, as Auth0 does; asked for none, it gets a default (RFC 6749 3.3)."""
    asked = scope.split() if scope else client.default_scopes.split()
    return " ".join(word for word in client.scopes.split() if word in asked)


def fits(family: TokenFamily, scope: str | None) -> bool:
    """Whether no more is asked for than was granted (RFC 6749 6)."""
    return not scope or set(scope.split()) <= set(family.scope.split())


def narrowed(family: TokenFamily, scope: str | None) -> str:
    """RFC 6749 6: what was granted, or less where less is asked for."""
    return " ".join(scope.split()) if scope else family.scope
