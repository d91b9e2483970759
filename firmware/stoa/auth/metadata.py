"""An authorization server's discovery document (OpenID Connect Discovery 1.0, RFC 8414), as a display reads it."""

from stoa import url


class MetadataError(Exception):
    """The document cannot be used; `detail` says why in a few words fit for a screen."""

    def __init__(self, detail):
        super().__init__(detail)
        self.detail = detail


def discovery_url(issuer):
    """Where the document is: OpenID Connect Discovery 4.1 removes a terminating "/" from the issuer first."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def endpoints(document, issuer):
    """(token_endpoint, device_authorization_endpoint, what the MFA API's endpoints begin with, or None) of a document
    fetched for `issuer`.

    `document` is the JSON object as a dict, or None where there was none. Raises MetadataError.
    """
    if not isinstance(document, dict):
        raise MetadataError("no discovery document")
    # RFC 8414 3.3: the issuer returned MUST be identical to the one asked for, or the metadata MUST NOT be used.
    # Auth0's ends in "/" and people leave that out, which makes no other server of it.
    named = document.get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != issuer.rstrip("/"):
        raise MetadataError("another issuer answers")
    secure = issuer.startswith("https://")
    return (
        _endpoint(document, "token_endpoint", secure),
        # RFC 8628 4: the member by which a server says that it knows this grant.
        _endpoint(document, "device_authorization_endpoint", secure),
        _mfa_api(document, secure),
    )


def _endpoint(document, key, secure):
    value = document.get(key)
    if value is None:
        raise MetadataError("no " + key)
    try:
        scheme, _, _, _ = url.split(value)
    except ValueError as error:
        raise MetadataError(key + " " + str(error))
    # A secure issuer's metadata must not talk the device into sending its token in the clear. A plain one is allowed
    # by the settings, for loopback or a laboratory; there it is as good as its issuer.
    if secure and scheme != "https":
        raise MetadataError(key + " is not https")
    return value


def _mfa_api(document, secure):
    """Auth0's, where there is one that can be used; nothing depends on it. The document names where challenges go; by
    Auth0's documentation authenticators are listed beside that."""
    try:
        value = _endpoint(document, "mfa_challenge_endpoint", secure)
    except MetadataError:
        return None
    path = url.split(value)[3]
    return value[: -len("challenge")] if path.endswith("/mfa/challenge") and "?" not in path else None
