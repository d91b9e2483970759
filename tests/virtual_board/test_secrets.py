"""Tokens, device codes, passwords and mfa_token reach neither console, story nor pictures."""

import io
import json

import pytest
import zxingcpp
from PIL import Image

from host_tools.boards import load_board
from host_tools.rehearsal.demo_household import DemoHousehold
from host_tools.rehearsal.household import WIFI, unpack_board
from host_tools.rehearsal.story import Story
from host_tools.virtual_board.peripherals.radio import Radio
from host_tools.virtual_board.state import BoardState
from tests.home import MAGTAG

SECRET_MEMBERS = ("access_token", "refresh_token", "device_code", "mfa_token", "oob_code", "id_token")


@pytest.fixture
def overheard(monkeypatch):
    """Every secret that crossed the air: what the server answered under SECRET_MEMBERS."""
    replies, secrets = {}, set()
    receive = Radio._receive

    def listen(radio, handle, size):
        data = receive(radio, handle, size)
        whole = replies[handle, id(radio)] = replies.get((handle, id(radio)), b"") + data
        try:
            body = json.loads(whole.partition(b"\r\n\r\n")[2])
        except ValueError:
            return data
        secrets.update(body[name] for name in SECRET_MEMBERS if name in body)
        return data

    monkeypatch.setattr(Radio, "_receive", listen)
    return secrets


def test_a_whole_story_gives_no_secret_away(home, authority, overheard):
    home.wake_now()
    home.wake()
    assert home.onlooker.last("refresh")["outcome"] == "rotated"
    authority.set_mfa("rule")
    home.wake()
    home.settle(api="http://127.0.0.1:9/?token=x")
    home.press_button()
    assert home.names() == ["error"]
    assert len([secret for secret in overheard if len(secret) > 20]) >= 6, "pairing twice and a refused refresh"
    tenant = authority.tenant
    said = "\n".join(home.console)
    assert "stoa screen name=mfa" in said
    for secret in overheard | {tenant.demo_password, tenant.totp_secret, WIFI.password}:
        assert secret not in said
    told = json.dumps([(e.method, e.path, e.status) for e in home.board.exchanges])
    assert not any(secret in told for secret in overheard)
    assert "?" not in told
    for screen in ("device_code", "access_token"):
        assert screen not in said


def test_the_telling_of_the_story_gives_no_secret_away(authority, clock, overheard):
    board = load_board(MAGTAG)
    tenant = authority.tenant
    household = DemoHousehold(authority, clock, approves=True)
    story = Story(clock, household, lambda step, glass: None)
    virtual = unpack_board(board, BoardState.new(board), clock, household.account(), onlooker=story.onlooker)
    steps = story.play(virtual)
    told = json.dumps([step.telling() for step in steps])
    for step in steps:
        read = zxingcpp.read_barcodes(Image.open(io.BytesIO(step.png)))
        told += "".join(code.text for code in read)
    assert tenant.issuer + "activate?user_code=" in told
    for secret in overheard | {tenant.demo_password, tenant.totp_secret}:
        assert secret not in told


def test_a_push_gives_no_secret_away(home, authority, overheard):
    home.wake_now()
    authority.set_mfa("rule")
    home.enrol_a_phone()
    home.on_the_phone = False
    overheard.clear()
    home.wake()
    assert home.names() == ["push", "mfa", "quote"]
    assert len(overheard) == 5, "an mfa_token, an oob_code, a device code, two tokens"
    said = "\n".join(home.console)
    state = home.board.state
    kept = bytes(state.sleep_memory), bytes(state.nvm), bytes(state.flash.content)
    for secret in overheard:
        assert secret not in said
        # The access token is in sleep memory, the refresh token in nvm and on the drive.
        assert sum(secret.encode() in medium for medium in kept) <= 2
    assert sum(any(secret.encode() in medium for medium in kept) for secret in overheard) == 2


def test_the_refresh_token_is_in_flash_and_nowhere_in_sleep_memory(home, overheard):
    home.wake_now()
    held = [secret for secret in overheard if secret.encode() in bytes(home.board.state.nvm)]
    assert len(held) == 1
    assert held[0].encode() in bytes(home.board.state.flash.content)
    assert held[0].encode() not in bytes(home.board.state.sleep_memory)
