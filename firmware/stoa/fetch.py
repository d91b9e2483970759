"""The step that asks the API for today's quote, with the errand's access token."""

from stoa import quotes
from stoa.errand import forget_asking
from stoa.net import exchanger
from stoa.net.usocket import HttpError

SERVER = "The quote server"


def run(errand):
    """None when the errand is done, or the step that the API wants taken first. Raises Obstacle.

    A token that the API does not accept is refreshed once; a person is asked once.
    """
    verdict = _get(errand)
    kind = verdict[0]
    if kind == "refresh" or kind == "human":
        if kind in errand.tried:
            raise _trouble("refused", "a new token is not good enough", "Check STOA_AUDIENCE and STOA_API.")
        errand.tried.append(kind)
        # Not good enough, and not to be taken for that again.
        errand.state.pop("access", None)
        if kind == "refresh":
            return "sign_in"
        errand.asking = "mfa", verdict[1]
        return "patience.may_ask"
    if kind == "misconfigured":
        raise _trouble("refused", verdict[1], "Check STOA_SCOPE and STOA_AUDIENCE.")
    if errand.refreshed and not errand.answered:
        # A refresh and no person: it proves that nobody is needed, and the asking starts anew. Not sooner: a tenant
        # that challenges every refresh, or an API that wants fresher authentication than a refresh gives, must not nag
        # anew each time.
        forget_asking(errand.state)
    if kind == "new":
        errand.new_quote = verdict[1], verdict[2]
    return None


def _get(errand):
    """quotes.judge's verdict, but for "later"."""
    etag = errand.etag
    headers = {"Authorization": "Bearer " + errand.access_token}
    if etag:
        headers["If-None-Match"] = etag
    try:
        status, body, answered = exchanger.get(errand, errand.settings.api, headers)
    except HttpError as error:
        raise _trouble("no_reply", error)
    verdict = quotes.judge(status, answered, body)
    if verdict[0] == "later":
        raise _trouble("odd_reply", verdict[1], exchanger.asked_to_wait(status, answered))
    if verdict[0] == "same" and not etag:
        raise _trouble("odd_reply", "status 304 out of turn")
    return verdict


def _trouble(kind, *arguments):
    """stoa.trouble's Obstacle of that name, which most errands never load."""
    from stoa import trouble

    return getattr(trouble, kind)(SERVER, *arguments)
