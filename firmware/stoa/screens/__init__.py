"""What each state looks like. Every screen is one file with `draw(canvas, content)`, loaded only when it is shown.

The last quote keeps its place on every screen that has room for it; what the display needs from a person stands
beneath or beside it, in calm words. Content holds nothing secret: user codes and verification URIs are there to be
shown.
"""

NAMES = ("pairing", "mfa", "push", "quote", "waiting", "error", "setting")


def draw(canvas, name, content):
    """Draw the screen called `name` (one of NAMES) on the canvas.

    `content` by screen, all strings; "quote" is {"text", "author", "work", "locus"} and may be missing or None except
    on the quote screen:

    quote    quote
    pairing  user_code, verification_uri, verification_uri_complete (or None)
    mfa      as pairing, and quote
    push     quote
    waiting  until (as "Tue 09:15"), quote
    error    title, detail, fix, quote
    setting  key, problem, fix
    """
    if name not in NAMES:
        raise ValueError("no such screen: " + name)
    canvas.clear()
    __import__("stoa.screens." + name, None, None, ("draw",)).draw(canvas, content)
