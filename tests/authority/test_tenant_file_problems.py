"""Everything that can be wrong in a tenant file is told at once, with line, key and remedy."""

from __future__ import annotations

import re

import pytest

from host_tools.authority.tenant_file import parse

from .tenant_files import SECRET, USER, problems


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
            "3: device_flow.mask: has 6 places (*); with base20 it needs 8 or more: the 24 tries that an address has in"
            " 900 s would guess it in one of 2,666,666 cases",
        ),
        (
            "device_flow.lifetime_s = 3600\ndevice_flow.mask = '*'",
            "2: device_flow.mask: has 1 places (*); with base20 it needs 8 or more: the 69 tries that an address has in"
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
            "[[clients]]\ngrants = ['device_code',\n'implicits']",
            "3: clients[0].grants[1]: is 'implicits'; it must be one of device_code, refresh_token, password, mfa,"
            " authorization_code, implicit",
        ),
        (
            "[[clients]]\ngrants = []",
            "2: clients[0].grants: is empty; name one or more of device_code, refresh_token, password, mfa,"
            " authorization_code, implicit",
        ),
        (
            "[[clients]]\ngrants = ['authorization_code']",
            "1: clients[0]: has no redirect_uris; add redirect_uris = [\"http://127.0.0.1:3000/callback\"]",
        ),
        (
            "[[clients]]\nweb_origins = ['https://app.example']",
            '2: clients[0].web_origins: is of the grants "authorization_code" and "implicit"; add one of them, or take'
            " it out",
        ),
        (
            "[[clients]]\nlogout_uris = ['https://app.example/']",
            '2: clients[0].logout_uris: is of the grants "authorization_code" and "implicit"; add one of them, or take'
            " it out",
        ),
        *(
            (
                "[[clients]]\ngrants = ['implicit']\nredirect_uris = ['https://app.example/']\n"
                f"logout_uris = ['{wrong}']",
                "4: clients[0].logout_uris[0]: must be an http or https address of ASCII without #, as"
                " http://127.0.0.1:9000/messages",
            )
            for wrong in ("app://bye", "https://app.example/#bye", "/bye", "https://app.example/a b", "")
        ),
        (
            "[[clients]]\ngrants = ['implicit']\nredirect_uris = ['https://app.example/']\n"
            "logout_uris = ['https://app.example/bye?']",
            "4: clients[0].logout_uris[0]: ends in a bare ?, which an answer's own would follow; take it out",
        ),
        (
            "[[clients]]\ngrants = ['implicit']\nredirect_uris = ['https://app.example/#x']",
            "3: clients[0].redirect_uris[0]: must be an http or https address of ASCII without #, as"
            " http://127.0.0.1:9000/messages",
        ),
        (
            "[[clients]]\ngrants = ['implicit']\nredirect_uris = ['http://[::1]:3000/']",
            "3: clients[0].redirect_uris[0]: is on an IPv6 address, which browsers' policies cannot name; write"
            " 127.0.0.1 or a name",
        ),
        (
            "[[clients]]\ngrants = ['implicit']\nredirect_uris = ['https://app.example/']\n"
            "web_origins = ['https://app.example:443']",
            "4: clients[0].web_origins[0]: is 'https://app.example:443'; write an origin as browsers send it, as"
            " https://app.example:8443, without a port that is usual",
        ),
        (
            "[[clients]]\ngrants = ['implicit']\nredirect_uris = ['https://app.example/']\n"
            "web_origins = ['https://app.example/']",
            "4: clients[0].web_origins[0]: is 'https://app.example/'; write an origin as browsers send it, as"
            " https://app.example:8443, without a port that is usual",
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
            "2: user: is not known; is it users? known here are tenant, device_flow, clients, mfa, users, outbox,"
            " rules, actions, apis",
        ),
        (
            "'a\\nb' = 1",
            '1: "a\\\\nb": is not known; known here are tenant, device_flow, clients, mfa, users, outbox,'
            " rules, actions, apis",
        ),
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


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("port", [80, 8080])
def test_no_client_is_given_tokens_for_the_mfa_api_without_its_second_factor(scheme, port):
    mfa_api = f"{scheme}://127.0.0.1:{port}/mfa/"
    (told,) = problems(f"[[clients]]\n[[clients]]\nname = 'Hall'\naudience = '{mfa_api}'")
    assert told == (
        f"4: clients[1].audience: is '{mfa_api}', which is the MFA API itself: only who gives a second factor gets a"
        " token for it; name the client's own API, as https://api.example/quotes"
    )


@pytest.mark.parametrize("audience", ["https://127.0.0.1:8080/mfa", "https://tenant.example/mfa/", "urn:mfa/"])
def test_another_api_may_be_called_much_like_the_mfa_api(audience):
    (client,) = parse(f"[[clients]]\naudience = '{audience}'", "").clients
    assert client.audience == audience
