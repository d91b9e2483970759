"""Where the authorization server takes requests: remembered from an earlier wake, or found by discovery.

And what is said of that server when it is no use. The words are loaded when they are needed.
"""

from stoa.net import exchanger
from stoa.net.usocket import HttpError

SERVER = "The sign-in server"


def endpoints(errand):
    """The auth core's names of the endpoints -> URLs, and "mfa" -> what those of the MFA API begin with, or None.

    Raises Obstacle.
    """
    known = errand.state.get("endpoints")
    # An older program left them in sleep memory without.
    if known and "mfa" in known:
        return known
    from stoa.auth import metadata

    issuer = errand.settings.issuer
    try:
        status, document, headers = exchanger.get(errand, metadata.discovery_url(issuer))
    except HttpError as error:
        raise no_reply(error)
    if status != 200 or document is None:
        raise odd_answer(errand, "no discovery document, status %d" % status, exchanger.asked_to_wait(status, headers))
    try:
        token, device, mfa = metadata.endpoints(document, issuer)
    except metadata.MetadataError as error:
        raise refused(error.detail, "Check STOA_ISSUER.")
    known = {"token": token, "device_authorization": device, "mfa": mfa}
    errand.state["endpoints"] = known
    return known


def odd_answer(errand, detail, wait):
    """The Obstacle of an answer that is of no use. The endpoints may have moved: the next wake looks anew."""
    from stoa import trouble

    errand.state.pop("endpoints", None)
    return trouble.odd_reply(SERVER, detail, wait)


def no_reply(error):
    """The Obstacle of an HttpError or MemoryError."""
    from stoa import trouble

    return trouble.no_reply(SERVER, error)


def refused(code, fix):
    """The Obstacle that only an edit of settings.toml or of the tenant will end."""
    from stoa import trouble

    return trouble.refused(SERVER, code, fix)
