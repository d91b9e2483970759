"""A user who has turned MFA on is asked for it whatever becomes of their methods."""

from __future__ import annotations

from host_tools.authority.scripts import Engine, Script, ScriptsInForce

from .extrahorizon_wire import refused


def spend(guarded):
    for code in guarded.recovery["codes"]:
        assert guarded.mfa(guarded.mfa_token(), guarded.recovery, code).status_code == 200


def test_the_last_of_a_type_stays_while_it_is_on(guarded):
    spend(guarded)
    assert refused(guarded.remove(guarded.totp))[1] == 133
    guarded.mfa_token()


def test_a_script_does_not_turn_off_what_a_user_has_turned_on(guarded, authority):
    spend(guarded)
    engine = Engine()
    try:
        text = "exports.onExecutePostLogin = async (e, api) => { api.authentication.challengeWith({type: 'phone'}); };"
        ScriptsInForce(engine, authority.post_login, authority.issuer).put([Script("action", "phone", text)])
        assert guarded.mfa(guarded.mfa_token(), guarded.totp, guarded.next_code()).status_code == 200
    finally:
        engine.close()


def test_a_recovery_code_that_hangs_on_nothing_confirmed_is_no_method(account, authority):
    authority.authenticators.enrol(f"auth0|{account.user_id}", "otp")
    assert [each["type"] for each in account.setting()["methods"]] == ["totp"]
