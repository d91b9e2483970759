"""The tenant file: TOML to TenantSettings, or all that is wrong with it, each with its line and key.

docs/tenant-file.md is its reference. Every key may be left out; an empty file is the demo tenant.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from host_tools.authority import checked_file
from host_tools.authority import tenant_values as values
from host_tools.authority.checked_table import CheckedTable, refuse_twins, said
from host_tools.authority.core.attempts import LIMITS
from host_tools.authority.core.policies import MFA_MODES, Confidence, MfaSwitch
from host_tools.authority.core.user_code import ALPHABETS, CHARSETS, Charset, UserCodes
from host_tools.authority.errors import InvalidSetting
from host_tools.authority.policy_file import apis
from host_tools.authority.tenant_members import clients, users
from host_tools.authority.tenant_policy import sign_on_policy
from host_tools.authority.tenant_scripts import scripts
from host_tools.authority.tenant_settings import (
    LONGEST_ACCESS_TOKEN_LIFETIME_S,
    MOST_FACTORS,
    TenantSettings,
)
from host_tools.authority.tenant_values import choice, count, flag

_KIND = "tenant file"
_DEVICE_CODE_S = (60, 3600)
_LONGEST_INTERVAL_S = 60
_CONFIDENCES: dict[str, Confidence | None] = {"low": "low", "high": "high", "judged": None}
_MASKS: dict[Charset, str] = {"base20": "****-****", "digits": "***-***-***"}
_USUAL = TenantSettings()


def load(path: Path, usual: TenantSettings = _USUAL) -> TenantSettings:
    """usual: what holds of the device flow where the file leaves it out. Raises TenantFileError."""
    text, name = checked_file.read(path, _KIND)
    return parse(text, name, path.parent, usual)


def parse(text: str, name: str, folder: Path = Path(), usual: TenantSettings = _USUAL) -> TenantSettings:
    """The settings in this text; `name` is the file's, for the errors; `folder` is where other files are looked for
    that it names. usual: as of `load`. Raises TenantFileError.
    """
    return checked_file.checked(text, name, _KIND, lambda top, elsewhere: _tenant(top, folder, usual, elsewhere))


def _tenant(top: CheckedTable, folder: Path, usual: TenantSettings, elsewhere: list[str]) -> TenantSettings:
    tenant = top.table("tenant")
    name = tenant.take("name", values.text, _USUAL.name)
    lifetime_s = tenant.take(
        "access_token_lifetime_s", count(1, LONGEST_ACCESS_TOKEN_LIFETIME_S), _USUAL.access_token_lifetime_s
    )
    deletes_grant = tenant.take("revocation_deletes_grant", flag, _USUAL.revocation_deletes_grant)
    tenant.finish()
    user_codes, device_code_s, interval_s = _device_flow(top.table("device_flow"), usual)
    settings = TenantSettings(
        name=name,
        access_token_lifetime_s=lifetime_s,
        revocation_deletes_grant=deletes_grant,
        user_codes=user_codes,
        device_code_lifetime_s=device_code_s,
        polling_interval_s=interval_s,
        mfa=_mfa(top.table("mfa")),
        sign_on_policy=sign_on_policy(top.table("sign_on_policy")),
        users=users(top),
        clients=clients(top),
        webhooks=_webhooks(top.table("outbox")),
        scripts=scripts(top, folder),
    )
    audiences = {client.audience for client in settings.clients}
    settings = replace(settings, apis=apis(top, folder, audiences, elsewhere))
    top.finish()
    return settings


def _device_flow(table: CheckedTable, usual: TenantSettings) -> tuple[UserCodes, int, int]:
    """The codes, how long they live, and how often a device may ask."""
    codes = usual.user_codes
    charset: Charset = table.take("charset", choice(CHARSETS), codes.charset)
    mask = table.take("mask", values.anything, codes.mask if charset == codes.charset else _MASKS[charset])
    lifetime_s = table.take("lifetime_s", count(*_DEVICE_CODE_S), usual.device_code_lifetime_s)
    interval_s = table.take("interval_s", count(1, _LONGEST_INTERVAL_S), usual.polling_interval_s)
    if table.is_right("charset", "mask"):
        try:
            codes = UserCodes(charset, mask)
        except InvalidSetting as invalid:
            table.wrong(said(invalid) + _odds(charset, mask, lifetime_s), invalid.field)
    table.finish()
    return codes, lifetime_s, interval_s


def _odds(charset: Charset, mask: object, lifetime_s: int) -> str:
    """How easily a code with too few places is guessed, by one address in the time a code lives."""
    places = str(mask).count("*")
    if not places or set(str(mask)) - set("*- "):
        return ""
    limit = LIMITS["user code, address"]
    tries = limit.burst + (lifetime_s - 1) // limit.refill_s
    cases = len(ALPHABETS[charset]) ** places // tries
    guessed = f"would guess it in one of {cases:,} cases" if cases > 1 else "would guess it"
    return f": the {tries} tries that an address has in {lifetime_s} s {guessed}"


def _mfa(table: CheckedTable) -> MfaSwitch:
    switch = MfaSwitch(
        mode=table.take("policy", choice(MFA_MODES), _USUAL.mfa.mode),
        strict=table.take("strict", flag, _USUAL.mfa.strict),
        factors=table.take("factors", count(1, MOST_FACTORS), _USUAL.mfa.factors),
        tell_requirements=table.take("tell_requirements", flag, _USUAL.mfa.tell_requirements),
        untrusted=table.items("untrusted", values.network, _USUAL.mfa.untrusted),
        confidence=_CONFIDENCES[table.take("confidence", choice(_CONFIDENCES), "judged")],
    )
    table.finish()
    return switch


def _webhooks(outbox: CheckedTable) -> tuple[str, ...]:
    told = []
    for subscriber in outbox.tables("subscribers"):
        if "url" not in subscriber:
            subscriber.wrong('has no url; add url = "http://127.0.0.1:9000/messages"')
        told.append((subscriber, subscriber.take("url", values.url, None)))
        subscriber.finish()
    outbox.finish()
    refuse_twins(told, "url", lambda url: url)
    return tuple(url for _, url in told if url is not None)
