"""No secret is left in a line, however it is written there; what people need is."""

from __future__ import annotations

import base64
import json
import re
import string
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.device.console.masking import MASK, Masker, mask
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
    "X-Api-Key",
    "Device-Code",
    "private-key",
    "tokens",
    "token_value",
    "accessTokenValue",
    "pwd",
    "wifi_pass",
    "credential",
    "credentials",
    "password2",
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
# 40 characters and more; of a picture's bytes, say, whole lines are "/" or small letters.
standard = st.binary(min_size=28, max_size=90).map(lambda data: base64.b64encode(data).decode())
standard = standard.filter(lambda run: run != run.lower())
tokens = st.one_of(opaque, standard, jwts, auth0)
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
    "form items": lambda name, secret: repr(
        [("grant_type", "refresh_token"), (name, secret), ("client_id", "display")]
    ),
    "form items in bytes": lambda name, secret: repr([(name.encode(), secret.encode())]),
    "headers": lambda name, secret: json.dumps([[name, secret], ["Accept", "*/*"]]),
    "json in json": lambda name, secret: json.dumps({name: {"expires": [1], "value": secret}, "b": 2}),
    "json in json in a log line": lambda name, secret: log.line("x", {"detail": json.dumps({name: {"value": secret}})}),
    "query": lambda name, secret: f"{ ({name: [secret], 'b': ['2']})!r}",
    "item": lambda name, secret: f"state[{name!r}] = {secret!r}",
}


@given(names, passwords, st.sampled_from(sorted(WRITTEN)))
def test_the_value_of_a_secret_s_name(name, secret, written):
    line = WRITTEN[written](name, secret)
    shown = mask(line)
    assert MASK in shown
    # As it is, and as that way of writing writes it.
    for form in (secret, json.dumps(secret)[1:-1], quote(secret), repr(secret)[1:-1]):
        assert form not in shown, line


UNQUOTED = ("{}={}", "{}: {}", "--{}={} -v", "{}={}&client_id=display", "{} == {}", "{} != {}", "{} -> {}", "{}->{}")


@given(names, unspaced, st.sampled_from(UNQUOTED))
def test_a_value_without_quotes(name, secret, form):
    line = form.format(name, secret)
    assert secret not in mask(line).replace(name, ""), line


WITH_AN_UNDERSCORE = [name for name in NAMES if "_" in name]
SPOKEN = (
    "{} {}",
    "{} is {}",
    "Setting {} to {}",
    "{} was set to: {}",
    "{} - {}",
    "{}, {}",
    "{} '{}'",
    "('{}', '{}')",
    "('{} =', '{}')",
    "('Setting {} to', '{}')",
    "(1, '{} =', '{}')",
    "['{}:', '{}']",
    "{} {{'value': '{}'}}",
    "{} [b'{}', 1]",
)


@given(
    st.sampled_from(WITH_AN_UNDERSCORE),
    st.text(string.ascii_letters + string.digits + "!#$%*+-./:=?@^_~", min_size=8, max_size=24),
    st.sampled_from(SPOKEN),
)
def test_the_next_word_after_a_name_with_an_underscore(name, secret, form):
    secret = "x" + secret
    line = form.format(name, secret)
    assert secret not in mask(line), line


@given(
    st.sampled_from(["password", "Password", "passphrase", "token", "secret", "accessToken", "X-Api-Key"]),
    st.text(string.ascii_letters, min_size=3, max_size=12),
    st.sampled_from(["{}7", "7{}", "x{}X", "XX{}x", "{}!x", "{}$x"]),
    st.sampled_from(SPOKEN),
)
def test_the_next_word_after_a_plain_name_if_it_looks_like_no_word(name, letters, look, form):
    secret = look.format(letters)
    assert secret not in mask(form.format(name, secret))


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
    st.lists(
        st.sampled_from(
            [
                *NAMES,
                "Bearer",
                "v1.",
                "eyJ",
                *"=:\"' &,\\{}%/+",
                "aB3" * 15,
                "aB3/" * 10,
                "x",
                "%3D",
                " is ",
                " to ",
                "no",
            ]
        ),
        max_size=20,
    )
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
        ("password hunter2x", "password ***"),
        ("refresh_token AbC9xYz012", "refresh_token ***"),
        ("STOA_WIFI_PASSWORD correcthorse", "STOA_WIFI_PASSWORD ***"),
        ("password is: hunter", "password is: ***"),
        ("The password is now set to: hunter", "The password is now set to: ***"),
        ("The password is hunter2x, he said", "The password is ***, he said"),
        ("Setting STOA_WIFI_PASSWORD to correcthorse", "Setting STOA_WIFI_PASSWORD to ***"),
        ("('STOA_WIFI_PASSWORD =', 'AbC9xYz012')", "('STOA_WIFI_PASSWORD =', '***')"),
        ("(1, 'password =', 'correct horse')", "(1, 'password =', '***')"),
        ('"device_code" :"a b","expires_in" :900', '"device_code" :"***","expires_in" :900'),
        ("('otp =', 123456)", "('otp =', ***)"),
        ("cannot use password 'hunter two': too short", "cannot use password '***': too short"),
        ("access_token refresh_token AbC9xYz012", "access_token *** ***"),
        ("refresh_token,AbC9xYz012,60", "refresh_token,***,60"),
        ("token 'a b', password 'c d'", "token '***', password '***'"),
        ("device_code AbC9 user_code CHCX-KCVQ", "device_code *** user_code CHCX-KCVQ"),
        (
            '{"grant_type": "refresh_token", "refresh_token": "a b"}',
            '{"grant_type": "refresh_token", "refresh_token": "***"}',
        ),
        ("token a1,password='correct horse'", "token ***'"),
        ("Authorization Basic dXNlcjpwYXNz", "Authorization Basic ***"),
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
        "stoa refresh error=invalid_token outcome=needs_human",
        "stoa pairing detail=expired_token outcome=expired",
        'stoa pairing detail="bad refresh_token" outcome=unavailable',
        'stoa obstacle cause=misconfigured detail="bad access_token." title="The sign-in server is no use like this"',
        'stoa obstacle cause=wifi detail="Authentication failure." title="The Wi-Fi refuses the password"',
        'stoa obstacle cause=misconfigured detail="is missing; add it to settings.toml" title=STOA_WIFI_PASSWORD',
        "SettingError: STOA_WIFI_PASSWORD is missing: add it to settings.toml",
        "SettingError: STOA_WIFI_PASSWORD is not 8 to 64 characters long: copy the network's password",
        "Check STOA_WIFI_PASSWORD in settings.toml",
        "NameError: name 'refresh_token' is not defined",
        "AttributeError: 'Settings' object has no attribute 'wifi_password'",
        "no refresh_token in the answer, the token expired, token 2 of 3",
        'its token says "missing"',
        "The password has odd characters, the tokens/secrets don't",
        "the pairing token user_code=CHCX-KCVQ verification_uri=https://tenant.example/activate",
        "the token https://tenant2.example/oauth/token",
        "the device_authorization endpoint answers 403",
        "POST /oauth/token HTTP/1.1",
        '{"error": "bad token", "error_uri": "x9"}',
        "  device_code ...",
        '  File "/program-a/stoa/auth/refresh.py", line 41, in refresh_token',
        '  File "/home/Me/Projects/CircuitPython/2026/program-a/stoa/auth/refresh.py", line 41, in <module>',
        "/program-a/stoa/authorization/some_long_directory_name/v2/refresh",
        "https://tenant.example/activate",
        "https://id.example/123E4567-e89b-12d3-a456-426614174000/oauth2/v2/devicecode",
        "verification_uri=https://id.example/123E4567-e89b-12d3-a456-426614174000/oauth2/v2/devicecode",
        "verification_uri_complete=id.example/device/activate/the/display/with/CHCX-KCVQ",
        "=" * 60,
        f"+{'-' * 30}+{'-' * 30}+",
    ],
)
def test_what_people_need_stays(line):
    assert mask(line) == line


def test_base64_is_masked_with_all_that_belongs_to_it():
    # Base64url ends at a "/" or "+", and what is left of it on either side is the token's too.
    run = "aB3-" * 11
    assert mask(f"got q7X/{run}+y9Z== x") == f"got {MASK} x"
    assert mask(f"x=/{'aB3/' * 9}aB=, x") == f"x={MASK}, x"


def test_a_token_in_a_verification_uri_does_not_stay():
    line = "verification_uri_complete=https://id.example/?access_token=abcdefgh&x=" + "v1." + "aB3" * 20
    assert mask(line) == "verification_uri_complete=https://id.example/?access_token=***&x=***"


@pytest.mark.parametrize("name", ["Cookie", "Set-Cookie", "Authorization", "Proxy-Authorization", "cookies"])
@pytest.mark.parametrize("value", ["a=b; sid=hunter2; c=d", "Token hunter2", 'Digest user="me", response="hunter2"'])
def test_a_header_is_masked_to_the_end_of_the_line(name, value):
    assert mask(f"> {name}: {value}") == f"> {name}: {MASK}"
    assert mask(f"{{'{name}': '{value}', 'user_code': 'CHCX'}}") == f"{{'{name}': '{MASK}', 'user_code': 'CHCX'}}"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("https://display:hunter2@id.example/token", "https://display:***@id.example/token"),
        ("https://display:p@ss:word@id.example/", "https://display:***@id.example/"),
        ("https://hunter2@id.example/", "https://***@id.example/"),
        ('"wss:\\/\\/me:hunter2@id.example"', '"wss:\\/\\/me:***@id.example"'),
        ("verification_uri=https://me:hunter2@id.example/d", "verification_uri=https://me:***@id.example/d"),
        ("http://127.0.0.1:35303/activate?mail=a@b", "http://127.0.0.1:35303/activate?mail=a@b"),
    ],
)
def test_who_an_address_is_for(line, shown):
    assert mask(line) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"token":{"value":"abc"},"user_code":"CHCX-KCVQ"}', '{"token":{***},"user_code":"CHCX-KCVQ"}'),
        ('{"token": {"a": ["}", {"b": "c"}]}, "user_code": "X"}', '{"token": {***}, "user_code": "X"}'),
        ('{"token": {"value": "begun and never end', '{"token": {***'),
        ("password=(hunter),2 x=y", "password=(***) x=y"),
        ("password=(hunter2 x=y", "password=(***"),
        ("password=a)),,b)) x=y", "password=***)) x=y"),
    ],
)
def test_a_value_in_brackets(line, shown):
    assert mask(line) == shown


def shown_by_one(lines):
    masker = Masker()
    return [masker.whole(line) for line in lines]


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["refresh_token=", "abc.def x=y", "z"], ["refresh_token=", "*** x=y", "z"]),
        (["x password:", "  hunter2"], ["x password:", "  ***"]),
        (['"password": "', 'correct horse", "x"'], ['"password": "***', '***", "x"']),
        (["Authorization:", "Token abc"], ["Authorization:", "***"]),
        (["('refresh_token',", " 'abc')]"], ["('refresh_token',", " '***')]"]),
        (['"token": {', '"value": "abc"', "}"], ['"token": {***', "***", "}"]),
        (["token=", "token=", "abc"], ["token=", "***", "***"]),
    ],
)
def test_a_name_at_the_end_of_a_line_masks_what_begins_the_next(lines, shown):
    assert shown_by_one(lines) == shown


def test_after_a_name_at_the_end_of_a_line_the_firmware_s_own_lines_stay():
    lines = ["Deleting the token:", "stoa vault held_by=none", "stoa sleep reason=daily until=1772517760"]
    assert shown_by_one(lines) == lines


def test_an_unfinished_line_does_not_use_up_the_name_before_it():
    masker = Masker()
    masker.whole("password=")
    assert masker.unfinished("hun") == MASK
    assert masker.whole("hunter2 x") == f"{MASK} x"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("x", "x"),
        ("Connecting to quotes...", "Connecting to quotes..."),
        ("." * 60, "." * 60),
        ("Battery 3.71", "Battery 3.71"),
        (">>> ", ">>> "),
        ("got aB3aB3", "got …"),
        ("got abcdefghijklm", "got …"),
        ("got aB3aB3 ", "got aB3aB3 "),
        ("got aB3aB3eyJaB3aB3aB", "got …"),
        ("KeyError: v1.abc", "KeyError: …"),
        ("GET https://me:hunter", "GET …"),
        ("refresh_token=abc", "refresh_token=***"),
        ("password hunter", "password …"),
        ("password is 'no", "password is …"),
        ("refresh_token no", "refresh_token …"),
        ("token a,no", "token …"),
        ("password,hun", "…"),
        ("the password ", "the password "),
        ('"refresh_token": "abc d', '"refresh_token": "***'),
    ],
)
def test_the_last_word_of_an_unfinished_line(line, shown):
    assert Masker().unfinished(line) == shown


HALVES = ["{1}", "{0}={1}", '"{0}": "{1}"', "{0} -> {1}", "{0} {1}", "{0} is '{1}"]


@given(noise, tokens, st.integers(0, 200), names, st.sampled_from(HALVES))
def test_no_half_of_a_token_is_in_an_unfinished_line(before, token, at, name, form):
    line = before + form.format(name, token)
    begun = Masker().unfinished(line[: len(line) - len(token) + at % len(token)]).replace(name, "")
    # What is there of it is a short word, in small letters after its first, if anything.
    parts = [part for part in re.split(r"\W+", begun) if len(part) > 3 and part in token]
    assert not [part for part in parts if part[1:] != part[1:].lower()]
    assert not [at for at in range(len(token) - 13) if token[at : at + 13] in begun]


def test_a_name_after_a_line_of_noise():
    for noise in (
        *(".-_" * 1365, "aA0" * 1365, "\"':" * 1365, "{( ," * 1024, "a/+" * 1365, "***/" * 1024, "a.p" * 1365),
        *(
            "token " * 682,
            ",token" * 682,
            "token is set " * 315,
            'token \\"' * 512,
            "token ['" * 512,
            "a_token, '" * 409,
        ),
    ):
        assert mask(f"{noise}password=hunter2").endswith(MASK)
        assert "hunter2" not in mask(f"{noise} password=hunter2")
