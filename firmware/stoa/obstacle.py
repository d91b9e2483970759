"""What can stand between a wake and today's quote, in the words the glass shows."""

AGAIN = "It tries again by itself."


class Obstacle(Exception):
    """This wake cannot go on.

    cause: a key of stoa.auth.backoff.CAUSES; title, detail, fix: lines for the error screen; asked: seconds the server
    asked to be left alone, or None.
    """

    def __init__(self, cause, title, detail, fix=AGAIN, asked=None):
        super().__init__("%s: %s" % (title, detail))
        self.cause = cause
        self.title = title
        self.detail = detail
        self.fix = fix
        self.asked = asked


class Unanswered(Exception):
    """A person is needed, and it is not the time to ask, or nobody answered, or they said no."""


def no_wifi(detail):
    return Obstacle("wifi", "No Wi-Fi", detail + ".")


def no_time(server):
    return Obstacle("clock", "The time is not known", "No answer from " + server + ".")


def no_reply(what, error):
    """`error` is an HttpError; its detail names the host and what happened, and nothing of what was said."""
    return Obstacle("unavailable", what + " cannot be reached", error.detail[:1].upper() + error.detail[1:] + ".")


def odd_reply(what, detail, asked=None):
    return Obstacle("unavailable", what + " gives no useful answer", detail[:1].upper() + detail[1:] + ".", AGAIN, asked)


def refused(what, code, fix):
    """Only an edit of settings.toml or of the tenant will help; `code` is the server's."""
    return Obstacle("misconfigured", what + " refuses this display", "It says " + code + ".", fix)
