"""What a wake is about among the servers: one quote, and whatever it takes to be given it.

The steps are modules with `run(errand)`, which gives the name of the next step, or None when there is a quote or the
last one is still today's:

    sign_in -> fetch            an access token, by rest or refresh
    sign_in -> asking -> fetch  a person is needed
    sign_in -> pushing -> ...   their phone may be asked first: fetch if they say yes there, else asking
    fetch -> sign_in, asking    the API wants another token, or fresher authentication

A step may raise Obstacle or Unanswered, and `asking` and `pushing` raise CodeToShow: they are run again when that is on
the glass.
NoRoom, which says that nothing was sent, any of them may raise that sends: the step is then taken up once more.
"""


class Errand:
    """What one step leaves for the next. Data, so that a step can be let go of when it is done (stoa.heap).

    settings       stoa.settings.Settings
    state, save    what sleep memory keeps, and a function that keeps it now
    join           a function that joins the Wi-Fi if need be, and gives its SocketPool
    pool           what it gave, or None
    patient        whether a person must not be asked before ask_at: nobody pressed the button or plugged the board in
    etag           of the quote that is known, or None
    access_token   str, for the API
    tried          what the API has asked for already, "refresh" or "human"
    refreshed      whether a refresh succeeded in this wake
    answered       whether a person answered a code in this wake
    asking         (screen, challenge) while a person is asked: "pairing" or "mfa"; acr_values and max_age of RFC 9470
    mfa_token      of the refresh that was refused, or None
    push           while a phone is asked: the push machine's state, and the event it is to be given next; or None
    is_new         whether that code, or push, came in this wake
    asked          whether a person has been, and it was counted: a push and the code after it are one asking
    shown_ms       when that code was on the glass (hardware.awake_ms), or None
    made_room      whether the step found no room, and all was let go of for it
    new_quote      (quote, entity tag or None), or None
    tls            the SSLContext, or None as long as there is none
    """

    def __init__(self, settings, state, save, join, patient, etag):
        self.settings = settings
        self.state = state
        self.save = save
        self.join = join
        self.patient = patient
        self.etag = etag
        self.tried = []
        self.refreshed = self.answered = self.is_new = self.asked = self.made_room = False
        self.access_token = self.asking = self.mfa_token = self.push = self.shown_ms = self.new_quote = None
        self.pool = self.tls = None


def forget_asking(state):
    """Nobody is needed: the backoff towards people begins anew."""
    for key in ("asked", "ask_at", "forgiven", "grant", "push"):
        state.pop(key, None)
