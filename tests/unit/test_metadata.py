"""Discovery documents."""

from __future__ import annotations

import pytest

from stoa.auth.metadata import MetadataError, discovery_url, endpoints

ISSUER = "https://id.example/"
DOCUMENT = {
    "issuer": ISSUER,
    "token_endpoint": "https://id.example/oauth/token",
    "device_authorization_endpoint": "https://id.example/oauth/device/code",
    "jwks_uri": "https://id.example/jwks",
}
LOCAL = "http://127.0.0.1:8400/"
LOCAL_DOCUMENT = {
    "issuer": LOCAL,
    "token_endpoint": LOCAL + "oauth/token",
    "device_authorization_endpoint": LOCAL + "oauth/device/code",
}


@pytest.mark.parametrize("issuer", ["https://id.example/", "https://id.example"])
def test_endpoints_with_and_without_the_trailing_slash(issuer):
    found = (DOCUMENT["token_endpoint"], DOCUMENT["device_authorization_endpoint"], None)
    assert endpoints(DOCUMENT, issuer) == found
    assert endpoints({**DOCUMENT, "issuer": "https://id.example"}, issuer) == found
    assert discovery_url(issuer) == "https://id.example/.well-known/openid-configuration"


def test_endpoints_may_be_on_another_host_as_googles_are():
    token = "https://oauth2.other.example/token"
    assert endpoints({**DOCUMENT, "token_endpoint": token}, ISSUER)[0] == token


def test_a_plain_issuer_on_loopback_has_plain_endpoints():
    assert endpoints(LOCAL_DOCUMENT, LOCAL)[0] == "http://127.0.0.1:8400/oauth/token"


@pytest.mark.parametrize("base", ["https://id.example/mfa/", "https://id.example:8443/tenant/mfa/"])
def test_what_the_endpoints_of_the_mfa_api_begin_with(base):
    assert endpoints({**DOCUMENT, "mfa_challenge_endpoint": base + "challenge"}, ISSUER)[2] == base
    local = LOCAL + "mfa/"
    assert endpoints({**LOCAL_DOCUMENT, "mfa_challenge_endpoint": local + "challenge"}, LOCAL)[2] == local


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "",
        "http://id.example/mfa/challenge",
        "https://me@id.example/mfa/challenge",
        "https://id.example/mfa/challenge?tenant=1",
        "https://id.example/mfa?next=/challenge",
        "https://id.example/mfa/challenge/",
        "https://id.example/mfa",
        "https://id.example/challenge",
        "https://id.example/other-mfa/challenge",
        # Without its last part there would be no host.
        "https://mfa/challenge",
        "https://id.example",
        "https://id.example/" + "y" * 600 + "/challenge",
    ],
)
def test_an_mfa_api_that_cannot_be_used_is_none_and_no_error(value):
    found = endpoints({**DOCUMENT, "mfa_challenge_endpoint": value}, ISSUER)
    assert found == (DOCUMENT["token_endpoint"], DOCUMENT["device_authorization_endpoint"], None)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"issuer": "https://evil.example/"}, "another issuer answers"),
        ({"issuer": "https://id.example.evil/"}, "another issuer answers"),
        ({"issuer": "http://id.example/"}, "another issuer answers"),
        ({"issuer": None}, "another issuer answers"),
        ({"token_endpoint": None}, "no token_endpoint"),
        ({"device_authorization_endpoint": None}, "no device_authorization_endpoint"),
        ({"token_endpoint": "http://id.example/oauth/token"}, "token_endpoint is not https"),
        ({"token_endpoint": 5}, "token_endpoint is not a URL"),
        ({"token_endpoint": "https://me@id.example/"}, "token_endpoint has a user name (@)"),
        ({"device_authorization_endpoint": "https://x/" + "y" * 600}, "device_authorization_endpoint is too long"),
    ],
)
def test_documents_that_are_refused(change, detail):
    with pytest.raises(MetadataError) as caught:
        endpoints({**DOCUMENT, **change}, ISSUER)
    assert caught.value.detail == detail


@pytest.mark.parametrize("document", [None, [], "text"])
def test_no_document(document):
    with pytest.raises(MetadataError, match="no discovery document"):
        endpoints(document, ISSUER)
