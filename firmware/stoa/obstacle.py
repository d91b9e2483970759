"""What can keep a wake from today's quote; stoa.trouble has the words."""

AGAIN = "It tries again by itself."


class Obstacle(Exception):
    """This wake cannot go on.

    cause: a key of stoa.auth.backoff.CAUSES; title and detail: for the log; asked: seconds the server asked to be left
    alone, or None; screen and content: what the glass is to show.
    """

    def __init__(self, cause, title, detail, fix=AGAIN, asked=None):
        super().__init__("%s: %s" % (title, detail))
        self.cause = cause
        self.title = title
        self.detail = detail
        self.asked = asked
        self.screen = "error"
        self.content = {"title": title, "detail": detail, "fix": fix}


class Unanswered(Exception):
    """A person is needed, and it is not the time to ask, or nobody answered, or they said no.

    reached: whether a server was spoken to in this wake.
    """

    def __init__(self, reached=True):
        super().__init__()
        self.reached = reached


class CodeToShow(Exception):
    """A person is to be asked: this must be on the glass before the errand goes on (stoa.wake)."""

    def __init__(self, screen, content):
        super().__init__()
        self.screen = screen
        self.content = content


class NoRoom(MemoryError):
    """A step has not begun, or has sent nothing, for want of room: it may be taken up once more."""
