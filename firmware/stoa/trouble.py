"""Each trouble a wake can meet, as an Obstacle in the words the glass shows."""

from stoa.obstacle import Obstacle


def wrong_setting(key, problem, fix):
    obstacle = Obstacle("misconfigured", key, problem + "; " + fix)
    obstacle.screen = "setting"
    obstacle.content = {"key": key, "problem": problem, "fix": fix}
    return obstacle


def no_wifi(detail, refused):
    if refused:
        return Obstacle("wifi", "The Wi-Fi refuses the password", _sentence(detail), "Check STOA_WIFI_PASSWORD.")
    return Obstacle("wifi", "No Wi-Fi", _sentence(detail))


def no_panel():
    return Obstacle("panel", "The panel does not answer", "BUSY never fell.")


def no_memory():
    return Obstacle("memory", "The memory is full", "No room for what came.")


def no_time(server):
    return Obstacle("clock", "The time is not known", "No answer from " + server + ".")


def no_reply(who, error):
    """`error` is an HttpError, its detail the host and what happened and nothing of what was said; or a MemoryError."""
    if isinstance(error, MemoryError):
        return no_memory()
    if error.kind in ("too_big", "redirect", "protocol"):
        return odd_reply(who, ("too big an answer: " if error.kind == "too_big" else "") + error.detail)
    return Obstacle("unavailable", who + " cannot be reached", _sentence(error.detail))


def odd_reply(who, detail, asked=None):
    return Obstacle("unavailable", who + " gives no useful answer", _sentence(detail), asked=asked)


def refused(who, code, fix):
    """Only an edit of settings.toml or of the tenant will help; `code`: the server's, or a few words of ours."""
    return Obstacle("misconfigured", who + " is no use like this", _sentence(code), fix)


def _sentence(words):
    # An error code is a name and keeps its letters.
    return (words if "_" in words else words[:1].upper() + words[1:]) + "."
