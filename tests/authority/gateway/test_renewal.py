"""/gateway/otp: a second factor given anew in a session that goes on (seeds/004, 5: "force an update of the OTP")."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from host_tools.authority.core.authority import Authority
from host_tools.authority.core.records import Factor, User
from host_tools.authority.core.resource_policy import ResourceRule
from host_tools.authority.core.resource_records import SessionFactor
from host_tools.authority.store import SqliteStore
from host_tools.authority.tenant import Tenant, provision
from host_tools.authority.tenant_settings import TenantSettings, UserSettings
from host_tools.clock import NS, VirtualClock

from ..authorize.application import ORIGIN, SPA
from ..conftest import ISSUER
from ..mfa_wire import SECRET, App, Person, add_app, add_person, claims_of, code_in, code_of, give, wrong
from .api import AUDIENCE, CATS, DOGS, OPEN, api, asked, bearer, challenge, serving

EMAIL, PHONE = "zeno@stoa.example", "+15550100123"
SECOND = NS


@dataclass
class Scene:
    """Somebody with second factors, the application they use, and the API of seeds/004 behind one policy."""

    http: httpx2.Client
    app: App
    person: Person
    authority: Authority
    clock: VirtualClock

    def sign_in(self) -> str:
        """With the password and a code by e-mail: the access token."""
        return str(self.tokens()["access_token"])

    def tokens(self) -> dict[str, Any]:
        self.authority.mfa.mode = "always"
        mfa_token = self.app.mfa_token(self.person)
        (email,) = (each for each in self.app.listed(mfa_token) if each["id"].startswith("email|"))
        oob_code = self.app.challenged(mfa_token, authenticator_id=email["id"])
        granted: dict[str, Any] = self.app.oob(mfa_token, oob_code, binding_code=self.newest()).json()
        return granted

    def password_alone(self) -> str:
        self.authority.mfa.mode = "never"
        return str(self.app.sign_in(self.person).json()["access_token"])

    def newest(self) -> str:
        """The code of the newest message in the outbox."""
        return code_in(self.authority.outbox.newest()[0].text)

    def shown(self) -> str:
        """What the person's app shows."""
        (otp,) = self.authority.authenticators.of(self.person.user_id, "otp")
        return code_of(otp.secret, self.clock)

    def begin(self, token: str | None, **sent: str) -> httpx2.Response:
        return self._post("/gateway/otp", token, sent)

    def finish(self, token: str | None, code: str, **sent: str) -> httpx2.Response:
        return self._post("/gateway/otp/verify", token, {"code": code} | sent)

    def renewed(self, token: str, **sent: str) -> None:
        """The whole way by a message."""
        assert self.begin(token, **sent).status_code == 202
        assert self.finish(token, self.newest(), **sent).status_code == 200

    def cats(self, token: str) -> int:
        return asked(self.http, "/catsdogs/cats/", token).status_code

    def wait(self, seconds: int) -> None:
        self.clock.sleep_ns(seconds * NS)

    def _post(self, path: str, token: str | None, sent: dict[str, str]) -> httpx2.Response:
        reply = self.http.post(path, json=sent, headers=bearer(token) if token else {})
        assert reply.headers["cache-control"] == "no-store"
        return reply


Made = Callable[..., Any]


@pytest.fixture
def scene_of(authority: Authority, store: SqliteStore, tenant: Tenant, clock: VirtualClock) -> Made:
    @contextmanager
    def made(*factors: Factor, rules: tuple[ResourceRule, ...] = (OPEN, DOGS, CATS), **policy: Any) -> Iterator[Scene]:
        person = add_person(store)
        for factor in factors or ("email",):
            give(authority, person, factor, {"email": EMAIL, "sms": PHONE}.get(factor, ""))
            clock.sleep_ns(SECOND)  # which is older is told by the second
        with serving(authority, api(*rules, **policy)) as http:
            app = add_app(
                http,
                store,
                tenant,
                audience=AUDIENCE,
                scopes="openid offline_access",
                default_scopes="offline_access",
            )
            yield Scene(http, app, person, authority, clock)

    return made


@pytest.fixture
def scene(scene_of: Made) -> Iterator[Scene]:
    with scene_of() as made:
        yield made


def error(reply: httpx2.Response) -> tuple[int, str, str]:
    body = reply.json()
    assert body.keys() == {"error", "error_description"}, body
    return reply.status_code, body["error"], body["error_description"]


WRONG_CODE = (403, "invalid_grant", "The code is not right.")
WRONG_OTP = (403, "invalid_grant", "The code is not right, or was used before.")
NOTHING_SENT = (400, "invalid_grant", "No code was sent that is still to be used. Ask for one.")
TOO_OLD = (400, "expired_token", "The code is too old. Ask for another.")


# seeds/004, section 5, in both ways of asking how old the factor is (wire-facts 5).


@pytest.mark.parametrize(("freshness", "opens_again"), [("session", 200), ("auth_time", 401)])
def test_section_5(scene_of, freshness, opens_again):
    # "GET /catsdogs/ should require no authentication"
    with scene_of(freshness=freshness) as scene:
        assert asked(scene.http, "/catsdogs/").status_code == 200
        # "GET /catsdogs/dogs/ should require the OAuth token in the previous step"
        token = scene.sign_in()
        assert asked(scene.http, "/catsdogs/dogs/").status_code == 401
        assert asked(scene.http, "/catsdogs/dogs/", token).status_code == 200
        # "GET /catsdogs/cats/ will work until the MFA timeout in the policy expires."
        assert scene.cats(token) == 200
        scene.wait(60)
        assert scene.cats(token) == 200
        scene.wait(1)
        assert scene.cats(token) == 401
        assert asked(scene.http, "/catsdogs/dogs/", token).status_code == 200
        # "... or using our API force an update of the OTP."
        scene.renewed(token)
        assert scene.cats(token) == opens_again
        scene.wait(61)
        assert scene.cats(token) == 401
        # "Then you'll need to either invalidate your session with Cloudentity and log in again"
        again = scene.sign_in()
        assert scene.cats(again) == 200
        assert scene.cats(token) == 401


def test_a_person_who_had_given_none_gives_their_first(scene):
    token = scene.password_alone()
    assert scene.cats(token) == 401
    scene.renewed(token)
    assert scene.cats(token) == 200


def test_it_is_the_session_that_is_renewed_and_no_other(scene):
    """Of the same person, by the same application."""
    here, there = scene.password_alone(), scene.password_alone()
    scene.renewed(here)
    assert (scene.cats(here), scene.cats(there)) == (200, 401)


def test_a_token_that_was_refreshed_is_of_the_session_too(scene):
    tokens = scene.tokens()
    refreshed = scene.app.refresh(tokens["refresh_token"]).json()["access_token"]
    scene.wait(61)
    assert (scene.cats(tokens["access_token"]), scene.cats(refreshed)) == (401, 401)
    scene.renewed(refreshed)
    assert (scene.cats(tokens["access_token"]), scene.cats(refreshed)) == (200, 200)


def test_a_refresh_is_no_second_factor(scene):
    tokens = scene.tokens()
    scene.wait(61)
    assert scene.cats(scene.app.refresh(tokens["refresh_token"]).json()["access_token"]) == 401


def test_the_token_itself_says_what_it_said(scene):
    """RFC 9068 2.2.1: auth_time and amr are of the login."""
    tokens = scene.tokens()
    said = claims_of(tokens["access_token"])
    scene.wait(100)
    scene.renewed(tokens["access_token"])
    refreshed = claims_of(scene.app.refresh(tokens["refresh_token"]).json()["access_token"])
    for name in ("auth_time", "amr", "acr", "sid"):
        assert refreshed[name] == said[name]


def test_it_may_be_renewed_again_and_again(scene):
    token = scene.password_alone()
    for _ in range(4):
        scene.renewed(token)
        assert scene.cats(token) == 200
        scene.wait(61)
        assert scene.cats(token) == 401


def test_each_one_time_code_renews_it(scene_of):
    with scene_of("otp", rules=(ResourceRule("GET", "/cats/", "mfa", max_age_s=60),)) as scene:
        token = scene.password_alone()
        for _ in range(3):
            assert scene.finish(token, scene.shown()).status_code == 200
            assert scene.cats(token) == 200
            scene.wait(61)
            assert scene.cats(token) == 401


@pytest.mark.parametrize(("first", "then"), [("email", "otp"), ("otp", "email"), ("sms", "otp"), ("email", "sms")])
def test_one_way_may_follow_another(scene_of, first, then):
    with scene_of("email", "sms", "otp", rules=(ResourceRule("GET", "/cats/", "mfa", max_age_s=60),)) as scene:
        token = scene.password_alone()
        for factor in (first, then):
            if factor != "otp":
                assert scene.begin(token, factor=factor).status_code == 202
            code = scene.shown() if factor == "otp" else scene.newest()
            assert scene.finish(token, code, factor=factor).status_code == 200
            assert scene.cats(token) == 200
            scene.wait(61)


# What is sent, and where.


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        ("email", {"factor": "email", "sent_to": "zen***@stoa.example", "expires_in": 300}),
        ("sms", {"factor": "sms", "sent_to": "+1555XXXXXXX", "expires_in": 300}),
    ],
)
def test_a_code_is_sent_to_an_address_that_is_told_in_part(scene_of, factor, told):
    with scene_of(factor) as scene:
        token = scene.password_alone()
        reply = scene.begin(token)
        assert (reply.status_code, reply.json()) == (202, told)
        (message,) = scene.authority.outbox.newest()
        assert (message.channel, message.recipient) == (factor, {"email": EMAIL, "sms": PHONE}[factor])
        assert EMAIL not in reply.text and PHONE not in reply.text
        assert scene.newest() not in reply.text
        done = scene.finish(token, scene.newest())
        assert (done.status_code, done.json()) == (200, {"given_at": "2026-11-22T00:00:01Z"})


def test_an_app_shows_its_code_and_nothing_is_sent(scene_of):
    with scene_of("otp") as scene:
        token = scene.password_alone()
        reply = scene.begin(token)
        assert (reply.status_code, reply.json()) == (200, {"factor": "otp"})
        assert scene.authority.outbox.newest() == []
        assert scene.finish(token, scene.shown()).status_code == 200


@pytest.mark.parametrize(
    ("having", "chosen"),
    [(("otp", "sms", "email"), "email"), (("otp", "sms"), "sms"), (("push",), "otp"), (("push", "sms"), "sms")],
)
def test_the_first_there_is_is_taken_where_none_is_named(scene_of, having, chosen):
    with scene_of(*having) as scene:
        assert scene.begin(scene.password_alone()).json()["factor"] == chosen


@pytest.mark.parametrize("sent", [{"factor": "sms"}, {"factor": "otp"}, {"factor": "email"}])
def test_or_the_one_that_is_named(scene_of, sent):
    with scene_of("otp", "sms", "email") as scene:
        assert scene.begin(scene.password_alone(), **sent).json()["factor"] == sent["factor"]


def test_a_code_that_was_sent_by_the_way_that_was_named_renews_without_naming_it_again(scene_of):
    """Or the code that has just arrived would be wrong, for being no e-mail's."""
    with scene_of("email", "sms", rules=(ResourceRule("GET", "/cats/", "mfa"),)) as scene:
        token = scene.password_alone()
        scene.begin(token, factor="sms")
        assert scene.finish(token, scene.newest()).status_code == 200


@pytest.mark.parametrize("factor", ["push", "recovery-code", "EMAIL", "mca", "x" * 100, "email sms"])
@pytest.mark.parametrize("path", ["begin", "finish"])
def test_another_word_is_no_factor(scene, factor, path):
    token = scene.password_alone()
    code = {"code": "123456"} if path == "finish" else {}
    assert error(getattr(scene, path)(token, factor=factor, **code)) == (
        400,
        "invalid_request",
        "factor is one of email, sms, otp.",
    )


@pytest.mark.parametrize("factor", ["sms", "otp"])
@pytest.mark.parametrize("path", ["begin", "finish"])
def test_one_that_the_person_has_not_is_refused(scene, factor, path):
    code = {"code": "123456"} if path == "finish" else {}
    status, name, _ = error(getattr(scene, path)(scene.password_alone(), factor=factor, **code))
    assert (status, name) == (400, "unsupported_challenge_type")
    assert scene.authority.outbox.newest() == []


def test_who_has_no_second_factor_at_all_is_told(scene, store):
    nobody = add_person(store, "nobody")
    token = scene.app.sign_in(nobody).json()["access_token"]
    for reply in (scene.begin(token), scene.finish(token, "123456")):
        assert error(reply)[:2] == (400, "unsupported_challenge_type")


def test_one_that_was_never_confirmed_is_none(scene, store, authority: Authority):
    nobody = add_person(store, "nobody")
    authority.authenticators.enrol(nobody.user_id, "email", "nobody@stoa.example")
    token = scene.app.sign_in(nobody).json()["access_token"]
    assert error(scene.begin(token))[:2] == (400, "unsupported_challenge_type")


# Which code.


def test_a_wrong_code_renews_nothing_and_the_right_one_still_does(scene):
    token = scene.password_alone()
    scene.begin(token)
    for code in (wrong(scene.newest()), "x", "1" * 1000, "００００００", f"{scene.newest()}0"):
        assert error(scene.finish(token, code)) == WRONG_CODE
        assert scene.cats(token) == 401
    code = scene.newest()
    assert scene.finish(token, f" {code[:3]} {code[3:]} ").status_code == 200
    assert scene.cats(token) == 200


def test_a_wrong_one_time_code_renews_nothing(scene_of):
    with scene_of("otp", rules=(ResourceRule("GET", "/cats/", "mfa"),)) as scene:
        token = scene.password_alone()
        assert error(scene.finish(token, wrong(scene.shown()))) == WRONG_OTP
        assert scene.cats(token) == 401
        assert scene.finish(token, scene.shown()).status_code == 200


def test_before_anything_was_sent_no_code_is_right(scene):
    assert error(scene.finish(scene.password_alone(), "123456")) == NOTHING_SENT


def test_the_newest_code_alone_is_right(scene):
    token = scene.password_alone()
    scene.begin(token)
    old = scene.newest()
    scene.begin(token)
    newer = scene.newest()
    if old != newer:
        assert error(scene.finish(token, old)) == WRONG_CODE
    assert scene.finish(token, newer).status_code == 200


def test_a_code_is_good_once_and_none_before_it_is_good_any_more(scene):
    token = scene.password_alone()
    scene.begin(token)
    old = scene.newest()
    scene.begin(token)
    newer = scene.newest()
    assert scene.finish(token, newer).status_code == 200
    scene.wait(61)
    for code in (newer, old):
        assert error(scene.finish(token, code)) == NOTHING_SENT
    scene.begin(token)
    for code in {newer, old} - {scene.newest()}:
        assert error(scene.finish(token, code)) == WRONG_CODE
    assert scene.cats(token) == 401


def test_of_many_at_once_one_renews(scene):
    token = scene.password_alone()
    scene.begin(token)
    code, together = scene.newest(), threading.Barrier(4)

    def sent(_: int) -> int:
        together.wait()
        return scene.finish(token, code).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(sent, range(4))) == [200, 400, 400, 400]


def test_a_one_time_code_is_good_once(scene_of):
    with scene_of("otp", rules=(ResourceRule("GET", "/cats/", "mfa"),)) as scene:
        here, there = scene.password_alone(), scene.password_alone()
        code = scene.shown()
        assert scene.finish(here, code).status_code == 200
        for token in (here, there):
            assert error(scene.finish(token, code)) == WRONG_OTP
        assert scene.cats(there) == 401


def test_a_code_is_of_the_session_that_it_was_sent_for(scene):
    here, there = scene.password_alone(), scene.password_alone()
    scene.begin(here)
    code = scene.newest()
    assert error(scene.finish(there, code)) == NOTHING_SENT
    scene.begin(there)
    if code != scene.newest():
        assert error(scene.finish(there, code)) == WRONG_CODE
    assert scene.cats(there) == 401
    assert scene.finish(here, code).status_code == 200
    assert scene.cats(there) == 401


def test_a_code_for_a_login_is_none_for_a_session(scene):
    token = scene.password_alone()
    scene.authority.mfa.mode = "always"
    mfa_token = scene.app.mfa_token(scene.person)
    oob_code = scene.app.challenged(mfa_token)
    assert error(scene.finish(token, scene.newest())) == NOTHING_SENT
    # Nor the other way round.
    login = scene.newest()
    scene.begin(token)
    if login != scene.newest():
        assert scene.app.oob(mfa_token, oob_code, binding_code=scene.newest()).status_code == 403
    assert scene.app.oob(mfa_token, oob_code, binding_code=login).status_code == 200


@pytest.mark.parametrize(("after_s", "outcome"), [(299, 200), (300, 400), (301, 400)])
def test_a_code_lives_five_minutes(scene, after_s, outcome):
    token = scene.password_alone()
    scene.begin(token)
    scene.wait(after_s)
    reply = scene.finish(token, scene.newest())
    assert reply.status_code == outcome
    if outcome != 200:
        assert error(reply) == TOO_OLD
        assert scene.cats(token) == 401


def test_an_authenticator_that_was_removed_meanwhile_renews_nothing(scene):
    token = scene.password_alone()
    scene.begin(token)
    code = scene.newest()
    (email,) = scene.authority.authenticators.of(scene.person.user_id, "email")
    scene.authority.authenticators.remove(scene.person.user_id, email.authenticator_id)
    assert scene.finish(token, code).status_code == 400
    assert scene.cats(token) == 401


# How often.


def test_ten_wrong_codes_are_the_most(scene):
    token = scene.password_alone()
    scene.begin(token)
    code = scene.newest()
    for _ in range(10):
        assert error(scene.finish(token, wrong(code))) == WRONG_CODE
    for typed in (wrong(code), code):
        reply = scene.finish(token, typed)
        assert error(reply) == (429, "too_many_attempts", "Too many attempts. Wait and try again.")
        assert reply.headers["retry-after"] == "360"
    assert scene.cats(token) == 401
    scene.wait(299)  # a code's last second; one more try takes 360
    assert scene.finish(token, code).headers["retry-after"] == "61"
    scene.wait(61)
    scene.renewed(token)
    assert scene.cats(token) == 200


def test_another_session_gives_no_more_tries(scene):
    here, there = scene.password_alone(), scene.password_alone()
    for token in (here, there):
        scene.begin(token)
        code = scene.newest()
        for _ in range(5):
            assert scene.finish(token, wrong(code)).status_code == 403
    assert scene.finish(here, "123456").status_code == 429


def test_ten_wrong_one_time_codes_are_the_most(scene_of):
    with scene_of("otp") as scene:
        token = scene.password_alone()
        for _ in range(10):
            assert scene.finish(token, wrong(scene.shown())).status_code == 403
        reply = scene.finish(token, scene.shown())
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "360")


def test_ten_messages_are_the_most(scene):
    token = scene.password_alone()
    for _ in range(10):
        assert scene.begin(token).status_code == 202
    reply = scene.begin(token)
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "3600")
    assert len(scene.authority.outbox.newest()) == 10
    # The last that was sent is still good.
    assert scene.finish(token, scene.newest()).status_code == 200


# A session's tries and a login's, of which neither uses up the other's.


def codes_of(scene: Scene, by: str) -> Callable[[str], int]:
    """What is answered to a code that is brought, by a login or by a session that goes on."""
    if by == "login":
        scene.authority.mfa.mode = "always"
        mfa_token = scene.app.mfa_token(scene.person)
        if scene.authority.authenticators.of(scene.person.user_id, "otp"):
            return lambda code: scene.app.otp(mfa_token, code).status_code
        oob_code = scene.app.challenged(mfa_token)
        return lambda code: scene.app.oob(mfa_token, oob_code, binding_code=code).status_code
    token = scene.password_alone()
    scene.begin(token)
    return lambda code: scene.finish(token, code).status_code


@pytest.mark.parametrize(("used_up", "other"), [("session", "login"), ("login", "session")])
@pytest.mark.parametrize("factor", ["email", "sms", "otp"])
def test_wrong_codes_of_the_one_leave_the_other_its_tries(scene_of, factor, used_up, other):
    with scene_of(factor) as scene:

        def right() -> str:
            return scene.shown() if factor == "otp" else scene.newest()

        brings = codes_of(scene, used_up)
        assert [brings(wrong(right())) for _ in range(11)] == [403] * 10 + [429]
        brings = codes_of(scene, other)
        assert [brings(wrong(right())) for _ in range(9)] == [403] * 9
        assert brings(right()) == 200


@pytest.mark.parametrize("factor", ["email", "sms", "otp"])
def test_the_right_one_takes_no_try(scene_of, factor):
    with scene_of(factor) as scene:
        token = scene.password_alone()

        def begun() -> str:
            scene.begin(token)
            return scene.shown() if factor == "otp" else scene.newest()

        code = begun()
        assert [scene.finish(token, wrong(code)).status_code for _ in range(9)] == [403] * 9
        assert scene.finish(token, code).status_code == 200
        code = begun()
        assert [scene.finish(token, wrong(code)).status_code for _ in range(2)] == [403, 429]


@pytest.mark.parametrize("used_up", ["session", "login"])
@pytest.mark.parametrize("factor", ["email", "sms"])
def test_messages_of_the_one_leave_the_other_its_own(scene_of, factor, used_up):
    with scene_of(factor) as scene:
        token = scene.password_alone()
        scene.authority.mfa.mode = "always"

        def sent(by: str) -> int:
            if by == "session":
                return scene.begin(token).status_code
            return scene.app.challenge(scene.app.mfa_token(scene.person)).status_code

        sending = {"session": 202, "login": 200}
        assert [sent(used_up) for _ in range(11)] == [sending.pop(used_up)] * 10 + [429]
        ((other, status),) = sending.items()
        assert [sent(other) for _ in range(11)] == [status] * 10 + [429]


def test_right_codes_cost_nothing(scene):
    token = scene.password_alone()
    for _ in range(12):
        scene.renewed(token)
        scene.wait(3600)


# Whose token.


def test_without_a_token_there_is_a_challenge_and_no_error(scene):
    for reply in (scene.begin(None), scene.finish(None, "123456")):
        assert (reply.status_code, reply.json()) == (401, {"message": "Unauthorized"})
        assert challenge(reply) == 'Bearer realm="gateway"'


@pytest.mark.parametrize(
    "changed",
    [{"typ": "JWT"}, {"typ": None}, {"exp": 0}, {"iss": "https://other.example/"}, {"sid": None}, {"sid": ""}],
    ids=str,
)
def test_a_token_that_is_not_good_is_refused(scene, mint, changed):
    for reply in (scene.begin(mint(**changed)), scene.finish(mint(**changed), "123456")):
        assert error(reply)[:2] == (401, "invalid_token")
        assert challenge(reply) == 'Bearer realm="gateway", error="invalid_token"'


def test_why_a_token_without_a_session_does_not_do(scene, mint):
    assert error(scene.begin(mint(sid=None)))[2] == "The access token is of no login session."


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "A" * 20_000])
def test_what_is_no_token_is_refused(scene, token):
    assert error(scene.begin(token))[:2] == (401, "invalid_token")


def test_a_malformed_header_is_an_invalid_request(scene):
    for headers in ([("Authorization", "Bearer a b")], [("Authorization", "Bearer a"), ("Authorization", "Bearer a")]):
        reply = scene.http.post("/gateway/otp", headers=headers)
        assert error(reply)[:2] == (400, "invalid_request")


def test_an_id_token_of_the_same_login_is_refused(scene):
    scene.authority.mfa.mode = "never"
    id_token = scene.app.sign_in(scene.person, scope="openid").json()["id_token"]
    assert error(scene.begin(id_token))[:2] == (401, "invalid_token")


def test_a_token_for_another_api_of_the_same_issuer_does(scene, mint):
    """One session, whichever API sent its application here."""
    token = mint(aud=["https://other.example"], sub=scene.person.user_id)
    scene.renewed(token)
    assert scene.cats(mint(sub=scene.person.user_id)) == 200


def test_a_token_that_expires_between_the_two_is_refused(scene):
    scene.authority.access_tokens.ttl_s = 100
    token = scene.password_alone()
    scene.begin(token)
    scene.wait(100)
    assert error(scene.finish(token, scene.newest()))[:2] == (401, "invalid_token")


def test_the_next_token_of_the_session_goes_on_where_the_last_has_expired(scene):
    scene.authority.access_tokens.ttl_s = 100
    scene.authority.mfa.mode = "never"
    tokens = scene.app.sign_in(scene.person).json()
    scene.begin(tokens["access_token"])
    scene.wait(100)
    following = scene.app.refresh(tokens["refresh_token"]).json()["access_token"]
    assert scene.finish(following, scene.newest()).status_code == 200
    assert scene.cats(following) == 200


def ends(scene: Scene, store: SqliteStore, refresh_token: str, how: str) -> None:
    """The grant that a token was issued with, or its user."""
    if how == "the grant is revoked":
        sent = {"client_id": scene.app.client_id, "client_secret": SECRET, "token": refresh_token}
        assert scene.http.post("/oauth/revoke", data=sent).status_code == 200
    else:
        staying = TenantSettings(users=(UserSettings("other@stoa.example", password="another's"),))
        provision(store, ISSUER, staying, only=True)
        assert store.get(User, scene.person.user_id) is None


@pytest.mark.parametrize("how", ["the grant is revoked", "the user is removed"])
def test_a_token_that_outlives_what_it_came_of_renews_nothing(scene, store, how):
    """It is good for its API until it expires, which asks nobody (RFC 9068 4): the authority knows better."""
    scene.authority.mfa.mode = "never"
    tokens = scene.app.sign_in(scene.person).json()
    token = tokens["access_token"]
    assert scene.begin(token).status_code == 202
    code, sent = scene.newest(), scene.authority.outbox.newest()
    ends(scene, store, tokens["refresh_token"], how)
    for reply in (scene.begin(token), scene.finish(token, code)):
        assert error(reply)[:2] == (401, "invalid_token")
        assert challenge(reply) == 'Bearer realm="gateway", error="invalid_token"'
    assert set(scene.authority.outbox.newest()) <= set(sent)
    assert store.find(SessionFactor) == []
    assert asked(scene.http, "/catsdogs/dogs/", token).status_code == 200


def test_so_does_one_without_a_grant_whose_user_is_removed(scene, store):
    scene.authority.mfa.mode = "never"
    tokens = scene.app.sign_in(scene.person, scope="openid").json()
    assert "refresh_token" not in tokens
    token = tokens["access_token"]
    assert scene.begin(token).status_code == 202
    code = scene.newest()
    ends(scene, store, "", "the user is removed")
    for reply in (scene.begin(token), scene.finish(token, code)):
        assert error(reply)[:2] == (401, "invalid_token")


# What a rule counts.


@pytest.mark.parametrize(("counted", "given"), [("email", "otp"), ("email", "sms"), ("otp", "email"), ("sms", "email")])
def test_a_factor_that_the_rule_does_not_count_does_not_open(scene_of, counted, given):
    rule = ResourceRule("GET", "/cats/", "mfa", max_age_s=60, factors=(counted,))
    with scene_of("email", "sms", "otp", rules=(rule,)) as scene:
        token = scene.password_alone()
        for factor, outcome in ((given, 401), (counted, 200)):
            if factor != "otp":
                scene.begin(token, factor=factor)
            code = scene.shown() if factor == "otp" else scene.newest()
            scene.finish(token, code, factor=factor)
            assert scene.cats(token) == outcome


# The wire.


@pytest.mark.parametrize(
    "sent",
    [{}, {"content": b""}, {"json": {}}, {"data": {}}, {"json": {"factor": "email"}}, {"data": {"factor": "email"}},
     {"json": {"factor": ""}}, {"data": {"factor": ""}}, {"json": {"other": "x"}},
     {"content": b"", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}],
    ids=str,
)  # fmt: skip
def test_form_json_or_nothing_asks_for_a_code(scene, sent):
    headers = bearer(scene.password_alone()) | sent.get("headers", {})
    assert scene.http.post("/gateway/otp", **sent | {"headers": headers}).status_code == 202


@pytest.mark.parametrize("kind", ["json", "data"])
def test_form_or_json_brings_it(scene, kind):
    token = scene.password_alone()
    scene.begin(token)
    reply = scene.http.post("/gateway/otp/verify", headers=bearer(token), **{kind: {"code": scene.newest()}})
    assert reply.status_code == 200


@pytest.mark.parametrize("path", ["/gateway/otp", "/gateway/otp/verify"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"factor=email"}, 400),
        ({"content": b"factor=email", "headers": {"Content-Type": "text/plain"}}, 400),
        ({"content": b"", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"[" * 20_000, "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b'{"factor": "email", "factor": "sms"}', "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b'{"code": "\\ud800"}', "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"\xff=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"content": b"factor=%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"json": []}, 400),
        ({"json": {"factor": 5}}, 400),
        ({"json": {"code": 123456}}, 400),
        ({"json": {"code": None}}, 400),
        ({"content": b"a" * 70_000}, 413),
        ({"data": {"a": "b" * 70_000}}, 413),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_body_that_is_neither_is_refused(scene, path, sent, status):
    headers = bearer(scene.password_alone()) | sent.get("headers", {})
    reply = scene.http.post(path, **sent | {"headers": headers})
    assert error(reply)[:2] == (status, "invalid_request")


@pytest.mark.parametrize("sent", [{}, {"json": {}}, {"json": {"code": ""}}, {"data": {"code": ""}}])
def test_a_code_has_to_be_brought(scene, sent):
    reply = scene.http.post("/gateway/otp/verify", headers=bearer(scene.password_alone()), **sent)
    assert error(reply) == (400, "invalid_request", "Missing required parameter: code")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/gateway/otp", "/gateway/otp/verify"])
def test_post_is_the_method(scene, path, method):
    reply = scene.http.request(method, path, headers=bearer(scene.password_alone()))
    assert error(reply) == (405, "invalid_request", "The method must be POST.")
    assert reply.headers["allow"] == "POST"


# A browser application's script.


@pytest.mark.parametrize("path", ["/gateway/otp", "/gateway/otp/verify"])
@pytest.mark.parametrize(
    ("origin", "may"),
    [(ORIGIN, True), ("https://evil.example", False), (f"{ORIGIN}.evil.example", False), ("null", False)],
)
def test_a_client_s_own_origin_may_ask_by_script_and_no_other(scene, store, path, origin, may):
    store.put(SPA)
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    before = scene.http.options(path, headers={"Origin": origin} | asks)
    reply = scene.http.post(path, json={"code": "x"}, headers={"Origin": origin} | bearer(scene.password_alone()))
    assert before.status_code == (200 if may else 400)
    for each in (before, reply):
        assert each.headers.get("access-control-allow-origin") == (origin if may else None)
        assert "access-control-allow-credentials" not in each.headers
    if may:
        assert "authorization" in before.headers["access-control-allow-headers"].lower()
        exposed = reply.headers["access-control-expose-headers"].lower()
        assert "www-authenticate" in exposed and "retry-after" in exposed


def test_no_script_asks_what_a_server_in_front_does(scene, store):
    store.put(SPA)
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    for reply in (scene.http.options("/gateway/check", headers=asks), scene.http.get("/gateway/check", headers=asks)):
        assert "access-control-allow-origin" not in reply.headers


def test_what_was_sent_and_typed_is_in_the_log_without_the_code(scene):
    token = scene.password_alone()
    scene.begin(token)
    code = scene.newest()
    scene.finish(token, wrong(code))
    scene.finish(token, code)
    newest = scene.authority.events.newest(2)
    assert [(each.kind, each.user_id, each.detail) for each in newest] == [
        ("mfa_succeeded", scene.person.user_id, "email"),
        ("mfa_failed", scene.person.user_id, "email"),
    ]
