"""No secret is left in a line, however it is written there; what people need is."""

from __future__ import annotations

import json
import string
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.device.console.masking import MASK, mask
from stoa import log

BASE64URL = string.ascii_letters + string.digits + "-_"
NAMES = (
    "refresh_token",
    "access_token",
    "id_token",
    "mfa_token",
    "device_code",
    "password",
    "client_secret",
    "STOA_WIFI_PASSWORD",
    "accessToken",
    "oob_code",
    "recovery_code",
)
# Six characters, so that no other part of a line has them by chance.
passwords = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F), min_size=6, max_size=24).filter(
    lambda text: text == text.strip() and text not in "refresh_token password client_secret" and MASK not in text
)
unspaced = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=6, max_size=24).filter(
    # An "&" and a name begin another value, and what is around a value looks like this at its end.
    lambda text: "&" not in text and text[-1] not in "\"'\\])},;" and text[0] not in "\"'\\" and MASK not in text
)
opaque = st.text(BASE64URL, min_size=40, max_size=120).filter(lambda run: run != run.lower())
jwts = st.builds(
    lambda parts: "eyJ" + ".".join(parts), st.lists(st.text(BASE64URL, min_size=8), min_size=3, max_size=3)
)
auth0 = st.builds(lambda run: "v1." + run, st.text(BASE64URL, min_size=20, max_size=64))
tokens = st.one_of(opaque, jwts, auth0)
names = st.sampled_from(NAMES)
# What stands before a token in a line; no character of a token.
noise = st.text(st.sampled_from(" \t.:=/{}[]()\"'<>äß€"), max_size=6)
WRITTEN = {
    "json": lambda name, secret: json.dumps({"a": 1, name: secret, "b": [2]}),
    "compact json": lambda name, secret: json.dumps({"a": 1, name: secret, "b": 2}, separators=(",", ":")),
    "json as it is": lambda name, secret: json.dumps({name: secret, "b": 2}, ensure_ascii=False),
    "json in a log line": lambda name, secret: log.line("obstacle", {"detail": json.dumps({name: secret, "b": 2})}),
    "log line": lambda name, secret: log.line("refresh", {name: secret, "outcome": "rotated"}),
    "dictionary": lambda name, secret: f"ValueError: { ({name: secret, 'b': 2})!r}",
    "bytes": lambda name, secret: repr({name: secret.encode()}),
    "toml": lambda name, secret: f"{name} = {json.dumps(secret)}  # mine",
    "form": lambda name, secret: urlencode({"grant_type": "refresh_token", name: secret, "client_id": "display"}),
    "form, quoted": lambda name, secret: quote(json.dumps({name: secret})),
}


@given(names, passwords, st.sampled_from(sorted(WRITTEN)))
def test_the_value_of_a_secret_s_name(name, secret, written):
    line = WRITTEN[written](name, secret)
    shown = mask(line)
    assert MASK in shown
    # As it is, and as that way of writing writes it.
    for form in (secret, json.dumps(secret)[1:-1], quote(secret), repr(secret)[1:-1]):
        assert form not in shown, line


@given(names, unspaced, st.sampled_from(["{}={}", "{}: {}", "--{}={} --verbose", "{}={}&client_id=display"]))
def test_a_value_without_quotes(name, secret, form):
    line = form.format(name, secret)
    assert secret not in mask(line), line


@given(noise, tokens, noise)
def test_a_token_without_a_name(before, token, after):
    line = f"{before}{token}{after}"
    assert token not in mask(line)
    # Nor most of it.
    assert token[4:] not in mask(line)


@pytest.mark.parametrize(
    "token",
    [
        "AbcdefgHij-KlmnopqRst_UvwxyzAbcd-EfghijKl",
        "123e4567-e89b-12d3-a456-426614174000-123e4567",
        "0123456789abcdef0123456789abcdef01234567",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop",
    ],
)
def test_a_token_that_is_not_quite_a_name(token):
    assert mask(f"got {token}.") == f"got {MASK}."


@given(
    st.sampled_from(
        ["Authorization: Bearer {}", "authorization=Bearer {}", "bearer {}", "{{'Authorization': 'Bearer {}'}}"]
    ),
    unspaced,
)
def test_a_bearer_token(form, token):
    token += "xx"
    assert token not in mask(form.format(token))


@given(
    st.lists(st.sampled_from([*NAMES, "Bearer", "v1.", "eyJ", *"=:\"' &,\\{}%", "aB3" * 15, "x", "%3D"]), max_size=20)
)
def test_what_is_masked_stays_so(parts):
    once = mask("".join(parts))
    assert mask(once) == once


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"refresh_token":"v1.abc","expires_in":60}', '{"refresh_token":"***","expires_in":60}'),
        ("refresh_token=abc&client_id=display", "refresh_token=***&client_id=display"),
        ("refresh_token=a&b&client_id=display", "refresh_token=***&client_id=display"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent Bearer abcdefgh.ijk, refused", "sent Bearer ***, refused"),
        ('STOA_WIFI_PASSWORD = "correct horse"', 'STOA_WIFI_PASSWORD = "***"'),
        ("{'password': 'it\\'s', 'user': 'me'}", "{'password': '***', 'user': 'me'}"),
        ("('refresh', b'eyJhbGciOiJI.eyJzdWIiOiI.c2ln')", "('refresh', b'***')"),
        ("password=", "password="),
        ('"password": "begun and never end', '"password": "***'),
    ],
)
def test_how_it_looks(line, shown):
    assert mask(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "stoa screen name=pairing refreshed=yes user_code=CHCX-KCVQ verification_uri=http://127.0.0.1:35303/activate",
        'stoa screen verification_uri_complete="http://127.0.0.1:35303/activate?user_code=CHCX-KCVQ"',
        f'stoa screen verification_uri_complete="https://id.example/d?u={"aB3" * 20}"',
        "stoa refresh error=none outcome=rotated",
        "stoa vault held_by=file+nvm",
        "stoa sleep reason=daily until=1772517760",
        "Board ID:adafruit_feather_esp32s3_4mbflash_2mbpsram",
        "UID:C7FD1A2B3C4D",
        "Adafruit CircuitPython 10.3.1 on 2026-08-20; Adafruit MagTag with ESP32S2",
        'KeyError: "token_endpoint"',
        "https://id.example/oauth/token answers 403",
        '{"token_type":"Bearer","expires_in":86400,"scope":"openid offline_access"}',
        'WWW-Authenticate: Bearer realm="quotes", error="insufficient_user_authentication"',
        '  File "stoa/tokens.py", line 41, in keep',
        "v1.2.3",
    ],
)
def test_what_people_need_stays(line):
    assert mask(line) == line


def test_a_token_in_a_verification_uri_does_not_stay():
    line = "verification_uri_complete=https://id.example/?access_token=abcdefgh&x=" + "v1." + "aB3" * 20
    assert mask(line) == "verification_uri_complete=https://id.example/?access_token=***&x=***"
