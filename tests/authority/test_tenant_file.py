"""What a tenant file says, and how it is read."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path

import pytest

from host_tools.authority.checked_file import LARGEST_FILE
from host_tools.authority.core.policies import MfaSwitch
from host_tools.authority.core.records import Client
from host_tools.authority.core.sign_on_policy import SignOnPolicy
from host_tools.authority.core.user_code import UserCodes
from host_tools.authority.provisioning import put_clients
from host_tools.authority.tenant_file import load, parse
from host_tools.authority.tenant_settings import (
    AuthenticatorSettings,
    ClientSettings,
    TenantFileError,
    TenantSettings,
    UserSettings,
)

from .tenant_files import SECRET, USER


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
        sign_on_policy.policy_type = "APP_SIGN_ON"
        sign_on_policy.factor_prompt_mode = "SESSION"
        sign_on_policy.factor_lifetime = 8_760
        sign_on_policy.factor_lifetime_unit = "HOURS"
        sign_on_policy.remember_device_by_default = true
        sign_on_policy.policy_evaluation = true
        sign_on_policy.policy_evaluation_on_enroll = false
        sign_on_policy.policy_evaluation_as_strings = false
        sign_on_policy.show_lockout_failures = true
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
        sign_on_policy=SignOnPolicy("APP_SIGN_ON", "SESSION", 8760, "HOURS", True, True, False, False, True),
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


def test_a_browser_application_is_taken_and_its_addresses_kept_as_they_are(store):
    text = """
        [[clients]]
        client_id = "bank"
        grants = ["authorization_code"]
        redirect_uris = ["https://App.example:443/callback", "http://127.0.0.1:3000/", "http://127.0.0.1:3000/other"]
        logout_uris = ["https://App.example:443/", "http://127.0.0.1:3000/bye?x=1", "https://App.example:443/"]
        """
    [bank] = parse(text, "tenant.toml").clients
    assert bank.logout_uris == ("https://App.example:443/", "http://127.0.0.1:3000/bye?x=1")
    # As a browser tells them in Origin.
    assert bank.web_origins == ("https://app.example", "http://127.0.0.1:3000")
    put_clients(store, [bank], only=True)
    [kept] = store.find(Client)
    assert kept.logout_uris == "https://App.example:443/ http://127.0.0.1:3000/bye?x=1"
    assert (kept.redirect_uris.split(), kept.web_origins.split()) == ([*bank.redirect_uris], [*bank.web_origins])


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
