"""What a token endpoint answered, read strictly and without trust.

`read` is shared by the device grant and the refresh. It decides by the body alone: Auth0 answers 403 and 429 where
RFC 6749 section 5.2 has 400, and others answer an error with 200.
"""

# nginx and Apache take header lines of 8 KB by default; a longer access token could not be presented anyway.
ACCESS_TOKEN_MAX = 8000
# What the vault can hold.
REFRESH_TOKEN_MAX = 4096

# The client itself is refused, at whichever grant: only an edit of settings.toml or of the tenant will help.
CLIENT_ERRORS = {
    # RFC 6749 5.2: client authentication failed: the client is unknown, or its way of authenticating is not supported.
    "invalid_client": "misconfigured",
    # 5.2: the client is not authorized to use this grant type.
    "unauthorized_client": "misconfigured",
    # 5.2: the scope is invalid, unknown, malformed, or more than was granted.
    "invalid_scope": "misconfigured",
    # 5.2: the server does not support the grant type.
    "unsupported_grant_type": "misconfigured",
    # 5.2: a parameter is missing, not supported, or there twice.
    "invalid_request": "misconfigured",
    # RFC 8707 2: the audience or resource is unknown.
    "invalid_target": "misconfigured",
}


def text(body, key, limit):
    """The string at `key` if it is 1 to `limit` characters of printable ASCII (RFC 6749 appendix A), else None."""
    value = body.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        return None
    for c in value:
        if not " " <= c <= "~":
            return None
    return value


def seconds(body, key, default, limit):
    """A duration as a whole number of seconds, 1 to `limit`; `default` where there is none to be had.

    A string is taken as well: "some IdP returns string" (msal-python, oauth2cli/oauth2.py).
    """
    value = body.get(key)
    if value is True or value is False:
        return default
    try:
        value = int(value)
    except (TypeError, ValueError, OverflowError):
        return default
    if value < 1:
        return default
    return value if value < limit else limit


def read(body):
    """(kind, value) of a reply's body, a dict or None where the reply was no JSON object.

    ("tokens", dict)     access_token, expires_in (s; 0 when unknown), refresh_token (None when absent)
    ("error", code)      RFC 6749 section 5.2; the code is safe to log and to show
    ("unfit", words)     an answer of the endpoint that asking again will not mend
    ("unusable", None)   not the endpoint's answer: a portal's page, a proxy's apology
    """
    if not isinstance(body, dict):
        return "unusable", None
    if body.get("error") is not None:
        code = text(body, "error", 64)
        return ("unusable", None) if code is None else ("error", code)
    if body.get("access_token") is None:
        return "unusable", None
    access_token = text(body, "access_token", ACCESS_TOKEN_MAX)
    if access_token is None:
        return "unfit", "bad access_token"
    # RFC 6749 section 7.1: the client MUST NOT use an access token if it does not understand the token type.
    # Section 5.1: the value is case insensitive.
    token_type = text(body, "token_type", 16)
    if token_type is None or token_type.lower() != "bearer":
        return "unfit", "bad token_type"
    refresh_token = None
    if body.get("refresh_token") is not None:
        refresh_token = text(body, "refresh_token", REFRESH_TOKEN_MAX)
        if refresh_token is None:
            return "unfit", "bad refresh_token"
    return "tokens", {
        "access_token": access_token,
        # RECOMMENDED only (section 5.1): an unknown lifetime is good for this wake and no longer.
        "expires_in": seconds(body, "expires_in", 0, 31 * 86400),
        "refresh_token": refresh_token,
    }
