"""What a wake is about among the servers: one quote, and whatever it takes to be given it.

The steps are modules with `run(errand)`, which gives the name of the next step, or None when there is a quote or the
last one is still today's:

    sign_in -> fetch            an access token, by rest or refresh
    sign_in -> asking -> fetch  a person is needed
    fetch -> sign_in, asking    the API wants another token, or fresher authentication

A step may raise Obstacle or Unanswered, and `asking` raises CodeToShow: it is run again when the code is on the glass.
NoRoom, which says that nothing was sent, any of them may raise that sends: the step is then taken up once more.
"""


class Errand:
    """What one step leaves for the next. Data, so that a step can be let go of when it is done (stoa.heap).

    settings       stoa.settings.Settings
    state, save    what sleep memory keeps, and a function that keeps it now
    join           a function that joins the Wi-Fi if need be, and gives its SocketPool
    patient        whether a person must not be asked before ask_at: nobody pressed the button or plugged the board in
    etag           of the quote that is known, or None
    access_token   str, for the API
    tried          what the API has asked for already, "refresh" or "human"
    refreshed      whether a refresh succeeded in this wake
    answered       whether a person answered a code in this wake
    asking         (screen, challenge) while a person is asked: "pairing" or "mfa"; acr_values and max_age of RFC 9470
    is_new         whether that code came in this wake
    shown_ms       when that code was on the glass (hardware.awake_ms), or None
    made_room      whether a step found no room in this wake, and all was let go of for it
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
        self.refreshed = self.answered = self.is_new = self.made_room = False
        self.access_token = self.asking = self.shown_ms = self.new_quote = self.tls = None


def forget_asking(state):
    """Nobody is needed: the backoff towards people begins anew."""
    for key in ("asked", "ask_at", "forgiven", "grant"):
        state.pop(key, None)
