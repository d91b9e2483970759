"""The tenant file: what it says, and everything that can be wrong in it, told at once with line, key and remedy."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.authority import AuthorityError
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.tenant_file import LARGEST_FILE, load, parse
from host_tools.authority.tenant_settings import (
    AuthenticatorSettings,
    ClientSettings,
    TenantFileError,
    TenantSettings,
    UserSettings,
)

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tenant-file.md").read_text(encoding="utf-8")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def problems(text: str) -> list[str]:
    """What is said of this text, without the file's name."""
    with pytest.raises(TenantFileError) as told:
        parse(text, "tenant.toml")
    assert all(each.startswith("tenant.toml:") for each in told.value.problems)
    return [each.removeprefix("tenant.toml:") for each in told.value.problems]


def test_an_empty_file_is_the_demo_tenant():
    assert parse("", "tenant.toml") == TenantSettings()
    assert [user.username for user in TenantSettings().users] == ["demo@stoa.example"]


def test_every_key_is_taken():
    settings = parse(
        """
        tenant = { name = "House", access_token_lifetime_s = 60, revocation_deletes_grant = true }
        device_flow = { charset = "digits", mask = "*** *** ***", lifetime_s = 60, interval_s = 7 }
        mfa.policy = "adaptive"
        mfa.strict = true
        mfa.factors = 2
        mfa.tell_requirements = true
        mfa.untrusted = ["203.0.113.7", "2001:db8::/32"]
        mfa.confidence = "low"
        outbox.subscribers = [{ url = "https://hooks.example/a?key=b" }, { url = "http://[::1]:9000" }]
        [[users]]
        username = " Anna@Stoa.example"
        password = "p"
        recovery_code = "k6lg-lv3r sh3v"
        authenticators = [
            { factor = "otp", totp_secret = "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp" },
            { factor = "sms", name = "+1 (555) 010-0123" },
            { factor = "email" },
            { factor = "push" },
        ]
        [[users]]
        username = "ben@stoa.example"
        [[clients]]
        client_id = "hall"
        name = "Hall"
        secret = "0123456789abcdef"
        grants = ["password"]
        scopes = ["a:b", "openid", "a:b"]
        default_scopes = []
        audience = "urn:hall"
        metadata."a key" = "a value"
        [clients.refresh_token]
        rotation_type = "non-rotating"
        token_lifetime = 31_557_600
        idle_token_lifetime = 0x10
        leeway = 86400
        [[clients]]
        [clients.refresh_token]
        expiration_type = "non-expiring"
        """,
        "tenant.toml",
    )
    assert settings == TenantSettings(
        name="House",
        access_token_lifetime_s=60,
        revocation_deletes_grant=True,
        user_codes=UserCodes("digits", "*** *** ***"),
        device_code_lifetime_s=60,
        polling_interval_s=7,
        mfa=MfaSwitch("adaptive", True, 2, True, (ip_network("203.0.113.7"), ip_network("2001:db8::/32")), "low"),
        users=(
            UserSettings(
                "anna@stoa.example",
                "p",
                "K6LGLV3RSH3V",
                (
                    AuthenticatorSettings("otp", "", SECRET),
                    AuthenticatorSettings("sms", "+15550100123"),
                    AuthenticatorSettings("email", "anna@stoa.example"),
                    AuthenticatorSettings("push", "Phone"),
                ),
            ),
            UserSettings("ben@stoa.example"),
        ),
        clients=(
            ClientSettings(
                name="Hall",
                client_id="hall",
                secret="0123456789abcdef",
                grants=("password",),
                scopes=("a:b", "openid"),
                default_scopes=(),
                audience="urn:hall",
                metadata={"a key": "a value"},
                refresh_rotates=False,
                refresh_lifetime_s=31_557_600,
                refresh_idle_s=16,
                refresh_leeway_s=86400,
            ),
            ClientSettings(refresh_lifetime_s=None),
        ),
        webhooks=("https://hooks.example/a?key=b", "http://[::1]:9000"),
    )
    assert (ClientSettings().refresh_lifetime_s, ClientSettings().name) == (2_592_000, "Stoa display")


def test_a_user_whose_list_of_authenticators_is_empty_has_none_and_without_a_list_what_is_there():
    listed, unlisted = parse(f"{USER}authenticators = []\n[[users]]\nusername = 'b@stoa.example'", "").users
    assert (listed.authenticators, unlisted.authenticators) == ((), None)


def test_digits_have_a_mask_of_their_own():
    assert parse('device_flow.charset = "digits"', "").user_codes.mask == "***-***-***"


def test_secrets_are_in_no_repr():
    settings = parse(
        f'[[users]]\nusername = "a@b"\npassword = "unlikely"\nrecovery_code = "K6LGLV3RSH3V"\n'
        f'authenticators = [{{ factor = "otp", totp_secret = "{SECRET}" }}]\n'
        '[[clients]]\nsecret = "0123456789abcdef"',
        "tenant.toml",
    )
    for secret in ("unlikely", "K6LGLV3RSH3V", SECRET, "0123456789abcdef"):
        assert secret not in repr(settings)


USER = '[[users]]\nusername = "anna@stoa.example"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[tenant]\nname = 5", "2: tenant.name: must be a text of 1 to 100 characters"),
        ('tenant.name = "a\\nb"', "1: tenant.name: is 'a\\nb'; it must be a line that can be read"),
        ("tenant = 5", "1: tenant: is a number; write it as a table, under [tenant]"),
        (
            "tenant.access_token_lifetime_s = 2_678_401",
            "1: tenant.access_token_lifetime_s: is 2678401; it must be a whole number from 1 to 2678400",
        ),
        (
            "\n[tenant]\n\nrevocation_deletes_grant = 1",
            "4: tenant.revocation_deletes_grant: is 1; it must be true or false",
        ),
        ('[device_flow]\ncharset = "base"', "2: device_flow.charset: is 'base'; it must be one of base20, digits"),
        ("device_flow.mask = '***-xxx'", "1: device_flow.mask: is '***-xxx'; it is made of *, hyphens and spaces"),
        ("device_flow.mask = [1]", "1: device_flow.mask: is an array; it takes a single value"),
        (
            "[device_flow]\nlifetime_s = 900\nmask = '***-***'",
            "3: device_flow.mask: has 6 places (*); with base20 it needs 8 or more: the 25 tries that an address has in"
            " 900 s would guess it in one of 2,560,000 cases",
        ),
        (
            "device_flow.lifetime_s = 3600\ndevice_flow.mask = '*'",
            "2: device_flow.mask: has 1 places (*); with base20 it needs 8 or more: the 70 tries that an address has in"
            " 3600 s would guess it",
        ),
        ("device_flow.lifetime_s = 59", "1: device_flow.lifetime_s: is 59; it must be a whole number from 60 to 3600"),
        ("device_flow.interval_s = 0.5", "1: device_flow.interval_s: is 0.5; it must be a whole number from 1 to 60"),
        (
            "[mfa]\npolicy = 1979-05-27",
            "2: mfa.policy: is datetime.date(1979, 5, 27); it must be one of never, always, adaptive, rule",
        ),
        ("mfa.factors = 4", "1: mfa.factors: is 4; it must be a whole number from 1 to 3"),
        ("mfa.untrusted = '10.0.0.1'", "1: mfa.untrusted: is a text; write it as an array, in [ ]"),
        (
            "mfa.untrusted = [\n'10.0.0.1',\n'10.0.0.1/8']",
            "3: mfa.untrusted[1]: is '10.0.0.1/8'; write an address or a network whose bits past its length are 0, as"
            " 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32",
        ),
        (
            "mfa.confidence = 'none'",
            "1: mfa.confidence: is 'none'; it must be one of low, high, judged",
        ),
        ("users.username = 'a@b'", "1: users: is a table; write each of them under [[users]]"),
        ("users = [\n{username = 'a@b'}, 5]", "2: users[1]: is a number; write it as a table, under [[users]]"),
        ("\n[[users]]\npassword = 'x'", '2: users[0]: has no username; add username = "anna@stoa.example"'),
        (
            "[[users]]\nusername = 'anna'",
            "2: users[0].username: is 'anna'; it must be an e-mail address, as anna@stoa.example",
        ),
        (
            f"{USER}[[users]]\nusername = 'ANNA@stoa.example'",
            "4: users[1].username: is that of users[0] too; change one of them",
        ),
        (
            f"{USER}password = 1",
            "3: users[0].password: must be a text of 1 to 1024 characters; leave it out to have one made",
        ),
        (
            f"{USER}recovery_code = 'short'\nauthenticators = [{{factor = 'otp'}}]",
            "3: users[0].recovery_code: must be a text of 12 to 64 letters and digits (Auth0's have 24)",
        ),
        (
            f"{USER}recovery_code = 'K6LGLV3RSH3V'",
            "3: users[0].recovery_code: stands in for an authenticator; add a [[users.authenticators]], or take it out",
        ),
        (
            f"{USER}[users.authenticators]\nfactor = 'otp'",
            "3: users[0].authenticators: is a table; write each of them under [[users.authenticators]]",
        ),
        (
            f"{USER}[[users.authenticators]]",
            "3: users[0].authenticators[0]: has no factor; add factor, one of otp, sms, email, push",
        ),
        (
            f"{USER}[[users.authenticators]]\nfactor = 'sms'",
            '3: users[0].authenticators[0]: has no name, which is the phone number; add name = "+15550100123"',
        ),
        (
            f"{USER}authenticators = [{{factor = 'sms', name = '0123'}}]",
            "3: users[0].authenticators[0].name: is '0123'; write a phone number as +15550100123, in 6 to 15 digits",
        ),
        (
            f"{USER}authenticators = [{{factor = 'otp', name = 'x'}}]",
            "3: users[0].authenticators[0].name: is nothing that otp has; take it out",
        ),
        (
            f"{USER}authenticators = [{{factor = 'email', totp_secret = '{SECRET}'}}]",
            "3: users[0].authenticators[0].totp_secret: is nothing that email has; take it out",
        ),
        (
            f"{USER}authenticators = [{{factor = 'otp'}},\n{{factor = 'otp'}}]",
            "4: users[0].authenticators[1].factor: is that of users[0].authenticators[0] too; change one of them",
        ),
        (
            f"{USER}authenticators = [{{factor = 'otp', totp_secret = '{SECRET}'}},"
            f" {{factor = 'push', totp_secret = '{SECRET}'}}]",
            "3: users[0].authenticators[1].totp_secret: is that of users[0].authenticators[0] too; change one of them",
        ),
        (
            "[[clients]]\nclient_id = 'a b'",
            "2: clients[0].client_id: must be a text of 1 to 100 letters, digits and signs of ASCII, without spaces",
        ),
        (
            "[[clients]]\nclient_id = 'a'\n[[clients]]\nclient_id = 'a'",
            "4: clients[1].client_id: is that of clients[0] too; change one of them",
        ),
        (
            "[[clients]]\n[[clients]]\n",
            "2: clients[1].name: is that of clients[0] too; change one of them, or give it a client_id",
        ),
        (
            "[[clients]]\ngrants = ['device_code',\n'implicit']",
            "3: clients[0].grants[1]: is 'implicit'; it must be one of device_code, refresh_token, password, mfa",
        ),
        (
            "[[clients]]\ngrants = []",
            "2: clients[0].grants: is empty; name one or more of device_code, refresh_token, password, mfa",
        ),
        (
            "[[clients]]\nscopes = ['a b']",
            "2: clients[0].scopes[0]: is 'a b'; a scope is a word of ASCII, as read:quotes",
        ),
        (
            "[[clients]]\nscopes = ['read:quotes']\ndefault_scopes = [\n'read:quotes',\n'openid']",
            "5: clients[0].default_scopes[1]: is 'openid', which is not in scopes; add it there",
        ),
        (
            "[[clients]]\naudience = 'two words'",
            "2: clients[0].audience: is 'two words'; write it without spaces, as https://api.example/quotes",
        ),
        (
            "[[clients]]\n[clients.metadata]\n'a\\u00e9 b' = 5",
            '3: clients[0].metadata."a\\\\u00e9 b": must be a text of 1 to 255 characters',
        ),
        (
            "[[clients]]\nmetadata = 'x'",
            "2: clients[0].metadata: is a text; write it as a table, under [clients.metadata]",
        ),
        (
            "[[clients]]\nrefresh_token.rotation_type = 'rotates'",
            "2: clients[0].refresh_token.rotation_type: is 'rotates'; it must be one of rotating, non-rotating",
        ),
        (
            "[[clients]]\n[clients.refresh_token]\nexpiration_type = 'non-expiring'\nidle_token_lifetime = 60",
            '4: clients[0].refresh_token.idle_token_lifetime: contradicts expiration_type = "non-expiring"; take out'
            " one of the two",
        ),
        (
            "[[clients]]\n[clients.refresh_token]\nidle_token_lifetime = 61\ntoken_lifetime = 60",
            "3: clients[0].refresh_token.idle_token_lifetime: is 61; the whole token_lifetime is 60, so it has to be"
            " that or less",
        ),
        (
            "[[clients]]\n\n[clients.refresh_token]\nleeway = -1",
            "4: clients[0].refresh_token.leeway: is -1; it must be a whole number from 0 to 86400",
        ),
        (
            "outbox.subscribers = [{}]",
            '1: outbox.subscribers[0]: has no url; add url = "http://127.0.0.1:9000/messages"',
        ),
        (
            "[[outbox.subscribers]]\nurl = 'http://a/'\n[[outbox.subscribers]]\nurl = 'http://a/'",
            "4: outbox.subscribers[1].url: is that of outbox.subscribers[0] too; change one of them",
        ),
        # What is not known, and what may be meant.
        (
            "[tenant]\nnam = 'x'",
            "2: tenant.nam: is not known; is it name? known here are name, access_token_lifetime_s,"
            " revocation_deletes_grant",
        ),
        ("[outbox]\nx = 1", "2: outbox.x: is not known; known here are subscribers"),
        (
            "\n[[user]]",
            "2: user: is not known; is it users? known here are tenant, device_flow, mfa, users, clients, outbox",
        ),
        ("'a\\nb' = 1", '1: "a\\\\nb": is not known; known here are tenant, device_flow, mfa, users, clients, outbox'),
        # What is no TOML.
        ("a = 1\nb = = 2", "2: is no TOML (Invalid value); correct it there"),
        ("[tenant]\nname = [1,\n", "2: is no TOML (Invalid value); correct it there"),
        ("[tenant]\nname = 'a'\nname = 'b'", "3: tenant.name: is set in line 2 already; take one of the two out"),
        ("[tenant]\n[mfa]\n[tenant]", "3: tenant: is set in line 1 already; take one of the two out"),
        ("[mfa]\npolicy = {a = 1, a = 2}", "2: mfa.policy.a: is set in line 2 already; take one of the two out"),
        ("a.b = 1\na = 2", "2: is no TOML (Cannot overwrite a value); correct it there"),
        (
            "a = 1\nb = " + "9" * 5000,
            "2: has a number of more than 64 bits, which TOML has not; write a smaller one",
        ),
        (
            "mfa.factors = 0x" + "F" * 5000,
            "1: mfa.factors: is a number of more than 64 bits, which TOML has not; write a smaller one",
        ),
        (
            "a = " + "[" * 5000 + "]" * 5000,
            "1: is no tenant file: it nests too deep; write tables and arrays of a few levels",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_line_key_and_remedy(text, told):
    assert problems(text) == [told]


@pytest.mark.parametrize(
    "url", [5, "", "x", "ftp://a/", "http://", "http:///a", "http://a:99999/", "http://a:0/", "http://[::1",
            "http://a/ b", "http://a/#b", "http://ä/", "http://a/" + "b" * 2000]
)  # fmt: skip
def test_a_subscriber_is_an_address_that_can_be_posted_to(url):
    assert problems(f"outbox.subscribers = [{{ url = {url!r} }}]") == [
        "1: outbox.subscribers[0].url: must be an http or https address of ASCII without #, as"
        " http://127.0.0.1:9000/messages"
    ]


@pytest.mark.parametrize(
    ("secret", "fits"), [(SECRET[:22], False), (SECRET[:23], True), (SECRET * 4, True), (SECRET * 4 + "A" * 8, False),
                         ("1" * 32, False), (SECRET[:24] + "========", True), ("ß" * 32, False), ("", False)]
)  # fmt: skip
def test_a_secret_for_one_time_codes_is_as_long_as_pyotp_wants_it(secret, fits):
    text = f"{USER}[[users.authenticators]]\nfactor = 'otp'\ntotp_secret = '{secret}'"
    if fits:
        (authenticator,) = parse(text, "").users[0].authenticators or ()
        assert authenticator.totp_secret == secret.rstrip("=")
        return
    (told,) = problems(text)
    assert told.startswith(
        "5: users[0].authenticators[0].totp_secret: must be base32 of 112 bits or more: 23 to 128 of"
    )
    assert not secret or secret not in told


@pytest.mark.parametrize("secret", ["15 characters !", "x" * 256, "ä" * 16, 5])
def test_a_client_secret_can_be_sent_and_is_not_told(secret):
    (told,) = problems(f"[[clients]]\nsecret = {secret!r}")
    assert told.startswith("2: clients[0].secret: must be a text of 16 to 255 signs of ASCII;")
    assert str(secret) not in told.replace("255", "")


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file():
    text = """[[clients]]
refresh_token.leeway = -1
nme = "x"
[mfa]
strict = "yes"
untrusted = ["x", "10.0.0.1", "y"]
[[users]]
username = "anna"
[[users]]
[tenant]
name = ""
"""
    assert [re.match(r"\d+: \S+", each).group() for each in problems(text)] == [
        "2: clients[0].refresh_token.leeway:",
        "3: clients[0].nme:",
        "5: mfa.strict:",
        "6: mfa.untrusted[0]:",
        "6: mfa.untrusted[2]:",
        "8: users[0].username:",
        "9: users[1]:",
        "11: tenant.name:",
    ]


def test_a_hundred_users_are_the_most():
    users = "".join(f"[[users]]\nusername = 'u{number}@stoa.example'\n" for number in range(101))
    assert problems(users) == ["1: users: are 101; a tenant has 100 at most"]


def test_a_file_is_read_with_or_without_a_mark_and_by_either_line_end(tmp_path):
    file = tmp_path / "tenant.toml"
    file.write_bytes('\ufeff[tenant]\r\nname = """ä\r\nb"""\r\nx = 1\r\n'.encode())
    with pytest.raises(TenantFileError) as told:
        load(file)
    assert [each.partition(": is")[0] for each in told.value.problems] == [
        f"{file}:2: tenant.name",
        f"{file}:4: tenant.x",
    ]
    file.write_bytes(b"[tenant]\r\nname = 'House'\r\n")
    assert load(file).name == "House"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[tenant]\nname = '\xe4'\n", ":2: is not UTF-8; save the file as UTF-8"),
        (b"#" * (LARGEST_FILE + 1), ": has more than 262144 bytes; name a tenant file, which is smaller"),
        (None, ": cannot be read (No such file or directory); name a tenant file that may be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, told):
    file = tmp_path / "tenant.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TenantFileError) as refused:
        load(file)
    assert refused.value.problems == (f"{file}{told}",)


def test_a_folder_and_a_name_that_is_none_are_no_tenant_files(tmp_path):
    with pytest.raises(TenantFileError, match=re.escape(f"{tmp_path}: cannot be read (Is a directory)")):
        load(tmp_path)
    with pytest.raises(TenantFileError, match=r'^"a\\u0000b": cannot be read \(embedded null byte\)'):
        load(Path("a\0b"))


def test_a_file_as_large_as_may_be_is_read(tmp_path):
    file = tmp_path / "tenant.toml"
    file.write_bytes(b"#" * (LARGEST_FILE - 1) + b"\n")
    assert os.path.getsize(file) == LARGEST_FILE
    assert load(file) == TenantSettings()


# The page, and the loader.


def test_the_page_has_every_key_and_no_other():
    documented: dict[str, list[str]] = {}
    for line in PAGE.splitlines():
        if heading := re.match(r"#+ `\[+([a-z_.]+)\]+`", line):
            keys = documented.setdefault(heading[1], [])
        elif (row := re.match(r"\| `([a-z_]+)` \|", line)) and documented:
            keys.append(row[1])
    arrays = {"users", "authenticators", "clients", "subscribers"}
    for name, keys in documented.items():
        header = "".join(
            f"[[{path}]]\n" if path.rpartition(".")[2] in arrays else f"[{path}]\n"
            for path in (name.rpartition(".")[0], name)
            if path and (path in documented)
        )
        (told,) = [each for each in problems(f"{header}zzzzzzzzz = 1") if "zzzzzzzzz" in each]
        assert told.partition("known here are ")[2].split(", ") == keys, name
    assert len(documented) == 9


def test_what_the_page_says_is_said():
    text = """[tenant]


[device_flow]
charset = "digits"
mask = "***-***"

[mfa]
polcy = "always"
""" + "\n" * 10 + "[[clients]]\n\n[clients.refresh_token]\nleeway = -1\n"  # fmt: skip
    shown = [line.removeprefix("stoa: tenant.toml:") for line in PAGE.splitlines() if line.startswith("stoa: tenant")]
    assert problems(text) == shown


# Whatever it is given, it answers with settings or with what is wrong.

names = st.sampled_from(
    ["tenant", "device_flow", "mfa", "users", "clients", "outbox", "subscribers", "authenticators", "refresh_token",
     "metadata", "name", "username", "password", "factor", "totp_secret", "mask", "charset", "untrusted", "url",
     "leeway", "scopes", "default_scopes", "client_id", "secret", "grants", "token_lifetime", "expiration_type", "x"]
)  # fmt: skip
scalars = (
    st.sampled_from(
        ["otp", "sms", "push", "email", "a@b", "digits", "***-***-***", "always", "non-expiring", "http://a"]
    )
    | st.text(max_size=6)
    | st.integers()
    | st.booleans()
    | st.floats()
    | st.datetimes()
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


def inline(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {inline(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(letter):08x}" if ord(letter) < 0xD800 else letter for letter in value) + '"'
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


def answered(text: str) -> None:
    try:
        settings = parse(text, "tenant.toml")
    except AuthorityError as refused:
        assert refused.problems
        for each in refused.problems:
            line, _, rest = each.removeprefix("tenant.toml:").partition(": ")
            assert 1 <= int(line) <= text.count("\n") + 1
            assert rest.isprintable(), each
    else:
        assert settings.users
        assert settings.clients


@given(st.dictionaries(names, documents, max_size=5))
def test_any_document_is_answered(document):
    answered("\n".join(f"{name} = {inline(value)}" for name, value in document.items()))


@given(st.lists(st.sampled_from(["[", "]", "[[", "]]", "{", "}", "=", ",", ".", "\n", "'", '"', '"""', "'''", "\\", "#",
                                 " ", "users", "clients", "mfa", "mask", "1", "true", "\0", "\r", "0x" + "f" * 4000]))
       | st.text())  # fmt: skip
def test_any_text_is_answered(pieces):
    answered("".join(pieces))
