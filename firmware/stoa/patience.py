"""The steps around asking a person: whether it is time, and for how long they are left alone afterwards.

They keep two keys of the state: asked (how often a person was, and more where they answered in vain) and ask_at (not
before). A push (stoa.pushing) and the code that follows it are one asking, at whose end the push's mark goes; in
between there is no ask_at.
"""

from stoa import hardware, inputs, schedule, sleep_state
from stoa.auth import backoff
from stoa.errand import forget_asking
from stoa.obstacle import Unanswered

# A wake that has lasted so long does not show a second code: hardware.AWAKE_LIMIT_MS ends it.
SECOND_CODE_MS = 5 * 60 * 1000


def may_ask(errand):
    """Raise Unanswered where nobody woke the display, and it is too soon to ask again, or quiet hours.

    A code from before a reset that can still be answered has been asked already.
    """
    state = errand.state
    now = hardware.now()
    if errand.answered and hardware.awake_ms() > SECOND_CODE_MS:
        # What is left of the wake may be less than a code's life.
        state.setdefault("ask_at", now + backoff.HOUR)
        raise Unanswered()
    # Not good enough, if there is one.
    state.pop("access", None)
    if errand.patient and not sleep_state.has_code(state):
        ask_at = _out_of_quiet(errand.settings, max(now, state.get("ask_at", 0)))
        if now < ask_at:
            state["ask_at"] = ask_at
            # Whoever has nothing to refresh has spoken to no server in this wake.
            raise Unanswered(reached=errand.asking[0] != "pairing")
    if _phone_may_be_asked(errand, now):
        return "pushing"
    # Up to 4 KB, in the way of the code.
    errand.mfa_token = None
    return "asking"


def _phone_may_be_asked(errand, now):
    """Whether there is a way to ask it, and it is allowed: not once a code is on the glass, and once a wake."""
    settings, state = errand.settings, errand.state
    if errand.mfa_token is None or errand.answered or not settings.push or sleep_state.has_code(state):
        return False
    if schedule.quiet_end(now, settings.quiet, settings.zone) != now:
        # A code waits in silence for whoever plugged it in or pressed the button; a phone rings where others sleep.
        return False
    if errand.patient and state.get("no_push"):
        return False
    return state.get("endpoints", {}).get("mfa") is not None


def shown(errand):
    """The code, or that the phone is asked, is on the glass."""
    if errand.is_new and not errand.asked:
        errand.asked = True
        errand.state["asked"] = errand.state.get("asked", 0) + 1
    if errand.push is None:
        _leave_alone(errand)
        return "asking"
    # The code that follows belongs to it, be it in the wake after a reset, which may not be long.
    errand.state.pop("ask_at", None)
    return "pushing"


def answered(errand):
    """A person has said yes."""
    state = errand.state
    if errand.asking[0] == "pairing" and state.get("asked") == 1:
        # The first code of all, and it was answered: nobody has been kept waiting.
        forget_asking(state)
    else:
        if errand.asking[0] == "mfa":
            state["asked"] = state.get("asked", 1) + backoff.ANSWERED_IN_VAIN
        _leave_alone(errand)
    errand.asking = None
    errand.asked = False
    state.pop("push", None)
    errand.save()
    return "fetch"


def unanswered(errand):
    """Nobody answered, or a person said no. An hour from the end of the code's life, not from its beginning."""
    errand.state.pop("push", None)
    _leave_alone(errand)
    errand.save()
    raise Unanswered()


def _leave_alone(errand):
    # Not there only if power went between showing and counting.
    asked = errand.state.setdefault("asked", 1)
    moment = hardware.now() + backoff.delay("needs_human", asked)
    errand.state["ask_at"] = _out_of_quiet(errand.settings, moment)


def _out_of_quiet(settings, moment):
    end = schedule.quiet_end(moment, settings.quiet, settings.zone)
    if end != moment:
        # On the morning after MFA came for everybody, a fleet must not ask in one second.
        later = end + schedule.own_number(inputs.uid()) % schedule.JITTER_S
        if schedule.quiet_end(later, settings.quiet, settings.zone) == later:
            return later
    return end
