"""What a wake does about its refresh: the mark of one in flight, and what may delete a token. On the desk."""

from __future__ import annotations

import sys

import pytest

from stoa import heap, sleep_state, vault
from stoa.obstacle import NoRoom
from tests.campaigns.test_wakes import DOCUMENT, SETTINGS
from tests.desk import NOON, Desk, Reset, desk_firmware


@pytest.fixture(scope="module", autouse=True)
def firmware():
    with desk_firmware():
        yield


def paired(answer, issuer=SETTINGS["STOA_ISSUER"], **more):
    """A desk whose vault holds a token, whose refreshes `answer` answers."""
    posts = []

    def everything(method, url, fields):
        if method == "GET":
            return (200, {**DOCUMENT, "issuer": issuer, **endpoints}, {}) if "openid" in url else (500, None, {})
        if fields["grant_type"] == "refresh_token":
            posts.append(fields["refresh_token"])
        return answer() if callable(answer) else answer

    endpoints = {"token_endpoint": issuer + "token", "device_authorization_endpoint": issuer + "code"}
    desk = Desk(everything, {**SETTINGS, "STOA_ISSUER": issuer, **more})
    desk.clock_ahead_s = 0
    desk.woken_by = "alarm"
    sleep_state.save(desk.memory, {"clock_set_at": NOON, "ask_at": NOON + 86400})
    owner = vault.owner(issuer, SETTINGS["STOA_CLIENT_ID"])
    assert vault.Vault(desk.nvm, desk.open_file, owner).store("refresh-token") == ("file", "nvm")
    return desk, posts


def test_reset_in_its_refresh_again_and_again_it_sends_the_token_twice_and_no_more():
    desk, posts = paired((200, {"access_token": "a", "token_type": "Bearer", "expires_in": 60}, {}))
    for turn in range(3):
        desk.woken_by = "boot" if turn else "alarm"
        # Discovery at the first turn alone; the reset comes when the answer is there and has not been read.
        desk.steps_left, desk.ends_by = 3 if turn == 0 else 1, Reset
        assert desk.wake() == ("reset" if turn < 2 else "slept"), turn
    assert posts == ["refresh-token"] * 2
    assert desk.vault_token() == "refresh-token"


def test_reset_between_its_refresh_and_the_quote_it_fetches_that_by_the_token_it_has():
    tokens = {"access_token": "a", "refresh_token": "next", "token_type": "Bearer", "expires_in": 3600}
    desk, posts = paired((200, tokens, {}))
    # Discovery 2, refresh 2, and the API is not reached.
    desk.steps_left, desk.ends_by = 4, Reset
    assert desk.wake() == "reset"
    assert desk.vault_token() == "next"
    desk.woken_by = "boot"
    assert desk.wake() == "slept"
    assert posts == ["refresh-token"], "a refresh more is a rotation more that may be lost"
    assert "reason=unavailable" in told(desk, "sleep")[0], "the API's 500"


@pytest.mark.parametrize(
    ("issuer", "deletes"),
    [("https://id.example/", True), ("http://127.0.0.1:8400/", True), ("http://10.0.0.5/", False)],
)
def test_invalid_grant_deletes_a_token_only_where_nobody_on_the_way_can_have_said_it(issuer, deletes):
    desk, posts = paired((400, {"error": "invalid_grant"}, {}), issuer, STOA_ALLOW_HTTP="1")
    assert desk.wake() == "slept"
    assert posts == ["refresh-token"]
    assert desk.vault_token() == (None if deletes else "refresh-token")


def told(desk, event):
    return [line for line in desk.log if line.startswith(f"stoa {event} ")]


@pytest.mark.parametrize("was_reset", [False, True])
def test_without_room_for_an_answer_nothing_is_sent_and_the_mark_is_as_it_was(was_reset):
    desk, posts = paired(NoRoom())
    if was_reset:
        desk.steps_left, desk.ends_by = 3, Reset
        assert desk.wake() == "reset"
        assert sleep_state.load(desk.memory)["refresh"] == {"is": "asking"}
    posts.clear()
    assert desk.wake() == "slept"
    assert "cause=memory" in told(desk, "obstacle")[0]
    assert "reason=memory" in told(desk, "sleep")[0]
    assert sleep_state.load(desk.memory)["refresh"] == ({"is": "asking"} if was_reset else {})
    # Once more with everything let go of, and then the wait is the backoff's.
    assert len(posts) == 2
    assert desk.slept_until - desk.now() >= 3000


def once(trouble, answer):
    """An answer that is `trouble` at the first asking and `answer` ever after."""
    answers = [trouble]
    return lambda: answers.pop() if answers else answer


def test_a_refresh_without_room_is_taken_up_again_with_everything_let_go_of(monkeypatch):
    rooms = []
    monkeypatch.setattr(heap, "make_room", lambda kept=None: rooms.append(kept))
    granted = 200, {"access_token": "a", "refresh_token": "next", "token_type": "Bearer", "expires_in": 60}, {}
    desk, posts = paired(once(NoRoom(), granted))
    assert desk.wake() == "slept"
    assert desk.vault_token() == "next"
    assert posts == ["refresh-token"] * 2
    steps = rooms[rooms.index("stoa.net") :]
    assert steps[:3] == ["stoa.net", None, "stoa.net"]
    assert len(told(desk, "memory")) == 1


def test_room_that_is_missing_anywhere_else_ends_the_wake_and_the_token_is_not_sent_again():
    desk, posts = paired(MemoryError())
    assert desk.wake() == "slept"
    assert posts == ["refresh-token"]
    assert "cause=memory" in told(desk, "obstacle")[0]
    # Nobody knows whether it was sent: the next wake may send it once more, and not twice.
    assert sleep_state.load(desk.memory)["refresh"] == {"is": "asking"}


def test_words_that_find_no_room_leave_the_wait_as_it_is(monkeypatch):
    desk, _ = paired((500, None, {}))

    def show(*arguments):
        raise MemoryError

    monkeypatch.setattr(desk, "show", show)
    desk.woken_by = "button"
    assert desk.wake() == "slept"
    assert told(desk, "memory")
    assert "reason=unavailable" in told(desk, "sleep")[0]
    assert not told(desk, "defect")


def new_display(poll, lives_s=900):
    """A desk without a token, whose polls `poll` answers; and how often it has got a code, which lives so long."""
    codes = []

    def answer(method, url, fields):
        if method == "GET":
            return (200, DOCUMENT, {}) if "openid" in url else (500, None, {})
        if url == DOCUMENT["token_endpoint"]:
            return poll() if callable(poll) else poll
        codes.append(url)
        code = {"device_code": "d", "user_code": "QTZL-MCBW", "verification_uri": "https://id.example/activate"}
        return 200, {**code, "expires_in": lives_s, "interval": 5}, {}

    desk = Desk(answer, dict(SETTINGS))
    desk.clock_ahead_s = 0
    return desk, codes


@pytest.mark.parametrize("error", [NoRoom, MemoryError])
def test_a_poll_without_room_is_told_and_the_code_stays_good(error):
    desk, codes = new_display(error())
    assert desk.wake() == "slept"
    assert len(told(desk, "memory")) > 1
    assert "cause=memory" in told(desk, "obstacle")[0]
    assert "reason=memory" in told(desk, "sleep")[0]
    assert len(codes) == 1


def test_a_poll_without_room_is_taken_up_again_by_the_same_code(monkeypatch):
    granted = 200, {"access_token": "a", "refresh_token": "first", "token_type": "Bearer", "expires_in": 60}, {}
    rooms = []
    monkeypatch.setattr(heap, "make_room", lambda kept=None: rooms.append(kept))
    desk, codes = new_display(once(NoRoom(), granted))
    assert desk.wake() == "slept"
    assert desk.vault_token() == "first"
    assert len(codes) == 1 and [name for name, *_ in desk.shows].count("pairing") == 1
    # may_ask, asking, the code, shown, asking, and once more.
    assert "stoa.net,None,stoa.net" in ",".join(map(str, rooms[rooms.index("stoa.net") :]))
    assert len(told(desk, "memory")) == 1


def test_a_code_that_finds_no_room_on_the_glass_is_got_ever_more_rarely(monkeypatch):
    desk, codes = new_display((403, {"error": "authorization_pending"}, {}))
    show = desk.show

    def without_room(screen, *arguments):
        if screen == "pairing":
            raise MemoryError
        return show(screen, *arguments)

    monkeypatch.setattr(desk, "show", without_room)
    waits = []
    for _ in range(4):
        assert desk.wake() == "slept"
        assert desk.shows[-1][0] == "error"
        waits.append((desk.slept_until - desk.now()) // 3000)
        desk.true_s, desk.woken_by = desk.slept_until, "alarm"
    assert waits == sorted(set(waits)), "longer each time"
    assert len(codes) == 4


def without_room_for_polls(monkeypatch, desk):
    """Once the code is on the glass the step that polls cannot be loaded."""
    asking = sys.modules["stoa.asking"]
    run = asking.run

    def no_room(errand):
        if errand.shown_ms is not None:
            raise MemoryError
        return run(errand)

    monkeypatch.setattr(asking, "run", no_room)
    return lambda: monkeypatch.setattr(asking, "run", run)


def wake_when_it_is_due(desk):
    desk.true_s, desk.woken_by = desk.slept_until, "alarm"
    desk.log.clear()
    return desk.wake()


GRANTED = 200, {"access_token": "a", "refresh_token": "first", "token_type": "Bearer", "expires_in": 60}, {}


def test_a_code_on_the_glass_as_the_room_runs_out_is_asked_after_soon_and_its_answer_fetched(monkeypatch):
    desk, codes = new_display(GRANTED)
    room_again = without_room_for_polls(monkeypatch, desk)
    assert desk.wake() == "slept"
    assert "reason=memory" in told(desk, "sleep")[0]
    assert [name for name, _ in desk.shows] == ["pairing"], "nothing is drawn over it"
    assert 60 <= desk.slept_until - desk.now() <= 150
    room_again()
    assert wake_when_it_is_due(desk) == "slept"
    assert desk.vault_token() == "first"
    assert len(codes) == 1, "whoever said yes is not asked again"
    assert "memory_soon" not in sleep_state.load(desk.memory)


def test_it_comes_soon_once_and_then_as_after_any_shortage(monkeypatch):
    desk, codes = new_display((403, {"error": "authorization_pending"}, {}))
    without_room_for_polls(monkeypatch, desk)
    desk.wake()
    # As if the next heap were no better.
    monkeypatch.setattr(sys.modules["stoa.asking"], "run", lambda errand: (_ for _ in ()).throw(MemoryError()))
    assert wake_when_it_is_due(desk) == "slept"
    assert sleep_state.code_is_good(sleep_state.load(desk.memory), desk.now())
    assert "reason=memory" in told(desk, "sleep")[0]
    assert desk.slept_until - desk.now() >= 7200 - 60
    assert len(codes) == 1


def test_the_next_code_may_have_its_own(monkeypatch):
    desk, codes = new_display(GRANTED)
    for n in (1, 2):
        room_again = without_room_for_polls(monkeypatch, desk)
        desk.woken_by = "boot"
        assert desk.wake() == "slept"
        assert desk.slept_until - desk.now() <= 150, n
        room_again()
        wake_when_it_is_due(desk)
        assert len(codes) == n
        sys.modules["stoa.vault"].Vault(desk.nvm, desk.open_file, b"").clear()
        desk.memory[:] = bytes(len(desk.memory))


@pytest.mark.parametrize(("lives_s", "soon"), [(123, False), (900, True)])
def test_a_code_that_ends_sooner_is_not_waited_for(monkeypatch, lives_s, soon):
    desk, _ = new_display(GRANTED, lives_s)
    without_room_for_polls(monkeypatch, desk)
    desk.wake()
    assert "reason=memory" in told(desk, "sleep")[0]
    assert (desk.slept_until - desk.now() <= 150) is soon


@pytest.mark.parametrize("times", [1, 2])
def test_a_picture_that_finds_no_room_is_drawn_once_more(monkeypatch, times):
    granted = 200, {"access_token": "a", "refresh_token": "first", "token_type": "Bearer", "expires_in": 60}, {}
    desk, codes = new_display(granted)
    show, tried = desk.show, []

    def first_without_room(screen, *arguments):
        tried.append(screen)
        if screen == "pairing" and tried.count("pairing") <= times:
            raise MemoryError
        return show(screen, *arguments)

    monkeypatch.setattr(desk, "show", first_without_room)
    assert desk.wake() == "slept"
    assert tried.count("pairing") == 2 and len(codes) == 1
    assert desk.vault_token() == ("first" if times == 1 else None)
    assert len(told(desk, "memory")) == 1
