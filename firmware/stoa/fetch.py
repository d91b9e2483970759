"""Getting today's quote from the API with the token that sign_in brings."""

from stoa import hardware
from stoa.net.usocket import HttpError
from stoa.obstacle import no_reply, odd_reply, refused

SERVER = "The quote server"


def todays_quote(api, etag, exchanger, sign_in):
    """quotes.judge's ("new", quote, etag) or ("same",). Raises Obstacle or Unanswered.

    `etag`: of the quote that is known, or None. A token the API does not accept is refreshed once; a person is asked
    once.
    """
    access_token = sign_in.access_token()
    tried = []
    while True:
        verdict = _get(api, etag, exchanger, access_token)
        kind = verdict[0]
        if kind in tried or kind not in ("refresh", "human"):
            break
        tried.append(kind)
        access_token = sign_in.new_access_token() if kind == "refresh" else sign_in.ask_person("mfa", verdict[1])
    if kind == "misconfigured":
        raise refused(SERVER, verdict[1], "Check STOA_SCOPE and STOA_AUDIENCE.")
    if kind in tried:
        raise refused(SERVER, "a new token is not good enough", "Check STOA_AUDIENCE and STOA_API.")
    sign_in.settled()
    return verdict


def _get(api, etag, exchanger, access_token):
    from stoa import quotes

    headers = {"Authorization": "Bearer " + access_token}
    if etag:
        headers["If-None-Match"] = etag
    try:
        status, body, answered = exchanger.get(api, headers)
    except HttpError as error:
        raise no_reply(SERVER, error)
    verdict = quotes.judge(status, answered, body)
    if verdict[0] == "later":
        from stoa.auth import retry_after

        raise odd_reply(SERVER, verdict[1], retry_after.seconds(answered, hardware.now(), status))
    if verdict[0] == "same" and not etag:
        raise odd_reply(SERVER, "status 304 out of turn")
    return verdict
