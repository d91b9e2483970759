"""The outbox's subscribers, with a whole authority around them."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from host_tools.authority import InvalidSetting, start_authority
from host_tools.rehearsal.person import approve

from .conftest import over_the_wire, quote_of_day


def test_a_code_reaches_the_subscriber_and_brings_tokens(receive, clock):
    receiver = receive()
    with (
        start_authority(clock, quote_of_day=quote_of_day, webhooks=[receiver.url]) as running,
        over_the_wire(running) as display,
    ):
        running.control.enrol(running.tenant.demo_user, "sms", "+15551234567")
        refresh_token, mfa_token = paired_and_challenged(running, display)
        challenge = {"client_id": running.tenant.client_id, "mfa_token": mfa_token, "challenge_type": "oob"}
        sent = display.http.post("/mfa/challenge", json=challenge).json()
        body = json.loads(receiver.next().body)
        assert (body["channel"], body["recipient"]) == ("sms", "+15551234567")
        code = re.match(r"(\d{6}) is your verification code for Stoa display\.$", body["text"]).group(1)
        granted = display.http.post(
            "/oauth/token",
            data={
                "grant_type": "http://auth0.com/oauth/grant-type/mfa-oob",
                "client_id": running.tenant.client_id,
                "mfa_token": mfa_token,
                "oob_code": sent["oob_code"],
                "binding_code": code,
            },
        )
        assert granted.status_code == 200, granted.text
        assert granted.json()["refresh_token"] != refresh_token
        assert [each for each in running.control.events() if each.kind == "delivery_failed"] == []


def paired_and_challenged(running, display) -> tuple[str, str]:
    """A refresh token, and the mfa_token with which its refresh was refused."""
    tenant = running.tenant
    begun = display.ask().json()
    approve(begun["verification_uri"], begun["user_code"], tenant.demo_user, tenant.demo_password, lambda: "")
    refresh_token = display.poll(begun["device_code"]).json()["refresh_token"]
    running.set_mfa("rule")
    return refresh_token, display.refresh(refresh_token).json()["mfa_token"]


def test_a_failure_is_in_the_log_without_any_secret(receive, clock):
    receiver = receive(404)
    url = f"http://user:pass-word@{receiver.host}/path-secret?token=query-secret"
    with start_authority(clock, quote_of_day=quote_of_day, webhooks=[url]) as running:
        outbox = running._authority.outbox
        sent = outbox.send("auth0|1", "sms", "+15551234567", "123456 is your verification code for Stoa display.")
        post = receiver.next()
        assert post.path == "/path-secret?token=query-secret"
        assert base64.b64decode(post.headers["Authorization"].removeprefix("Basic ")) == b"user:pass-word"
        failed = next(each for each in until(lambda: running.control.events()) if each.kind == "delivery_failed")
        assert (failed.user_id, failed.detail) == ("auth0|1", f"{receiver.host} answered 404")
        told = repr(running.control.events())
        for secret in ("user:", "pass-word", "path-secret", "query-secret", "123456", sent.recipient, sent.text):
            assert secret not in told


def until(events: Callable[[], list[Any]]) -> list[Any]:
    """The events once there are any: the receiver knows of its answer before the log does."""
    while not (found := events()):
        threading.Event().wait(0.005)
    return found


def test_what_waits_when_the_server_ends_is_in_the_log(receive, clock, tmp_path):
    receiver = receive()
    receiver.free.clear()
    database = tmp_path / "authority.sqlite"
    with start_authority(clock, database=database, quote_of_day=quote_of_day, webhooks=[receiver.url]) as running:
        running._authority.outbox.send("auth0|1", "sms", "+15551234567", "123456")
        receiver.next()
    with start_authority(clock, database=database, quote_of_day=quote_of_day) as again:
        failed = [each for each in again.control.events() if each.kind == "delivery_failed"]
    assert [each.detail for each in failed] == [f"{receiver.host} had not taken it when the authority ended"]


def test_a_wrong_address_stops_the_start(clock):
    with pytest.raises(InvalidSetting, match="at place 1"):
        start_authority(clock, quote_of_day=quote_of_day, webhooks=["hooks.example"])


STARTED = """
import sys
from host_tools.authority import start_authority
from host_tools.clock import VirtualClock
with start_authority(VirtualClock(0)) as running:
    running._authority.outbox.send("auth0|1", "sms", "+15551234567", "123456")
print("httpx2" in sys.modules)
"""


def test_who_has_no_subscriber_does_not_wait_for_an_http_client():
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
