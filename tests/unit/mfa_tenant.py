"""A tenant with Auth0's MFA API before a display on the desk: what it answers, and what it was asked."""

from __future__ import annotations

from stoa import sleep_state, vault
from stoa.auth import push
from tests.campaigns.test_wakes import DOCUMENT, ISSUER, QUOTE, SETTINGS
from tests.desk import NOON, Desk
from tests.unit.phone import CHALLENGE, ENROLLED

ACCOUNT = int.from_bytes(vault.owner(ISSUER, SETTINGS["STOA_CLIENT_ID"]), "little")
CHALLENGES = ISSUER + "mfa/challenge"
WITH_PUSH = {**DOCUMENT, "mfa_challenge_endpoint": CHALLENGES}
MFA = 403, {"error": "mfa_required", "mfa_token": "Fe26.2*mfa-secret"}, {}
PENDING = 403, {"error": "authorization_pending"}, {}
REJECTED = 403, {"error": "invalid_grant", "error_description": "MFA Authorization rejected."}, {}
CODE = {"device_code": "code-secret", "user_code": "QTZL-MCBW", "verification_uri": ISSUER + "activate"}
TOKENS = {"access_token": "access-secret", "token_type": "Bearer", "expires_in": 3600}


def granted(refresh_token=None):
    return 200, {**TOKENS, **({"refresh_token": refresh_token} if refresh_token else {})}, {}


class Tenant:
    """A tenant that challenges every refresh, and what it was asked.

    Each answer is (status, body, headers), an error to be raised, or a list of them in turn, the last for ever.
    """

    def __init__(self, settings=None, **state):
        self.document = WITH_PUSH
        self.refresh = MFA
        self.listed = 200, ENROLLED, {}
        self.challenge = 200, CHALLENGE, {}
        self.oob = PENDING
        self.code = 200, {**CODE, "expires_in": 900, "interval": 5}, {}
        self.device = PENDING
        self.api = 200, QUOTE, {}
        self.asked = []
        self.desk = Desk(self.answer, {**SETTINGS, **(settings or {})})
        self.desk.clock_ahead_s = 0
        self.desk.woken_by = "alarm"
        sleep_state.save(self.desk.memory, {"clock_set_at": NOON, **state})
        owner = vault.owner(ISSUER, SETTINGS["STOA_CLIENT_ID"])
        vault.Vault(self.desk.nvm, self.desk.open_file, owner).store("refresh-secret-1")

    def answer(self, method, url, fields):
        what = self.what(method, url, fields)
        self.asked.append((what, self.desk.true_s))
        if what == "document":
            return 200, self.document, {}
        given = getattr(self, what)
        if isinstance(given, list):
            given = given.pop(0) if len(given) > 1 else given[0]
        return given

    def what(self, method, url, fields):
        if method == "GET":
            found = {SETTINGS["STOA_API"]: "api", ISSUER + "mfa/authenticators": "listed"}
            return found.get(url, "document")
        if url == CHALLENGES:
            assert fields["mfa_token"] == "Fe26.2*mfa-secret" and fields["authenticator_id"] == "push|dev_1"
            return "challenge"
        if url == DOCUMENT["device_authorization_endpoint"]:
            return "code"
        if fields["grant_type"] == push.MFA_OOB:
            assert (fields["mfa_token"], fields["oob_code"]) == ("Fe26.2*mfa-secret", CHALLENGE["oob_code"])
            return "oob"
        return "refresh" if fields["grant_type"] == "refresh_token" else "device"

    def wake(self, by=None):
        if by is not None:
            self.desk.woken_by = by
        self.asked.clear()
        self.desk.log.clear()
        ending = self.desk.wake()
        assert not self.told("defect"), self.desk.log
        return ending

    def wake_when_it_is_due(self):
        self.desk.true_s = self.desk.slept_until
        return self.wake("alarm")

    def count(self, what):
        return [asked for asked, _ in self.asked].count(what)

    def shows(self):
        return [name for name, _ in self.desk.shows]

    def told(self, event):
        return [line for line in self.desk.log if line.startswith(f"stoa {event} ")]

    @property
    def state(self):
        return sleep_state.load(self.desk.memory)
