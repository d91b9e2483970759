"""Rules and Actions where a browser application asks: step-up by scope, denial, claims."""

from __future__ import annotations

import jwt
import pytest

from host_tools.authority.scripts import Engine, Script, ScriptsInForce
from tests.authority.conftest import ISSUER

from .application import IMPLICIT, sent_back

STEP_UP = """exports.onExecutePostLogin = async (event, api) => {
  if (event.transaction.requested_scopes.includes("transfer:funds")) api.multifactor.enable("any");
  api.accessToken.setCustomClaim("https://x/protocol", event.transaction.protocol);
};"""


@pytest.fixture
def put(authority):
    engine = Engine()
    yield lambda text: ScriptsInForce(engine, authority.post_login, ISSUER).put([Script("action", "a", text)])
    engine.close()


def test_a_high_value_scope_is_challenged_and_comes_with_amr(application, put):
    put(STEP_UP)
    held = application.redeem(application.code(scope="openid view:balance")).json()
    assert jwt.decode(held["access_token"], options={"verify_signature": False})["amr"] == ["pwd"]
    page = application.ask(scope="openid view:balance transfer:funds")
    assert 'autocomplete="one-time-code"' in page.text
    code = sent_back(application.send(page, code=application.person.one_time_code()))["code"]
    claims = jwt.decode(application.redeem(code).json()["access_token"], options={"verify_signature": False})
    assert (claims["amr"], claims["https://x/protocol"]) == (["pwd", "otp", "mfa"], "oidc-basic-profile")
    assert "transfer:funds" in claims["scope"]


def test_the_implicit_form_is_another_protocol(application, put):
    put(STEP_UP)
    told = sent_back(application.sign_in(application.ask(**IMPLICIT)))
    claims = jwt.decode(told["access_token"], options={"verify_signature": False})
    assert claims["https://x/protocol"] == "oidc-implicit-profile"


def test_a_denial_is_the_applications_to_tell(application, put):
    put("exports.onExecutePostLogin = async (event, api) => { api.access.deny('Not <today>'); };")
    told = sent_back(application.sign_in(application.ask()))
    assert (told["error"], told["error_description"], told["state"]) == ("access_denied", "Not <today>", "xyz")
    # Signed in, and denied again without a page: Auth0's own loop, which prompt=login ends.
    assert sent_back(application.ask())["error"] == "access_denied"
    assert 'name="password"' in application.ask(prompt="login").text
