"""The tenant file: TOML to TenantSettings, or all that is wrong with it, each with its line and key.

docs/tenant-file.md is its reference. Every key may be left out; an empty file is the demo tenant.
"""

from __future__ import annotations

import json
import re
import tomllib
from contextlib import suppress
from pathlib import Path

from host_tools.authority import tenant_values as values
from host_tools.authority.checked_table import CheckedTable, Problem, refuse_twins, said, shown_path
from host_tools.authority.core.attempts import LIMITS
from host_tools.authority.core.policies import MFA_MODES, Confidence, MfaSwitch
from host_tools.authority.core.user_code import ALPHABETS, CHARSETS, Charset, UserCodes
from host_tools.authority.errors import InvalidSetting
from host_tools.authority.tenant_members import clients, users
from host_tools.authority.tenant_policy import sign_on_policy
from host_tools.authority.tenant_scripts import scripts
from host_tools.authority.tenant_settings import (
    LONGEST_ACCESS_TOKEN_LIFETIME_S,
    MOST_FACTORS,
    TenantFileError,
    TenantSettings,
)
from host_tools.authority.tenant_values import choice, count, flag
from host_tools.toml_lines import TomlLines

LARGEST_FILE = 256 * 1024  # a user takes some 200 bytes
_DEVICE_CODE_S = (60, 3600)
_LONGEST_INTERVAL_S = 60
_CONFIDENCES: dict[str, Confidence | None] = {"low": "low", "high": "high", "judged": None}
_MASKS: dict[Charset, str] = {"base20": "****-****", "digits": "***-***-***"}
_AT_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_LONG_NUMBER = re.compile("[0-9_]{4000}")
_USUAL = TenantSettings()


def load(path: Path, usual: TenantSettings = _USUAL) -> TenantSettings:
    """usual: what holds of the device flow where the file leaves it out. Raises TenantFileError."""
    name = str(path) if str(path).isprintable() else json.dumps(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as unreadable:  # ValueError: a NUL in the name
        reason = getattr(unreadable, "strerror", None) or unreadable
        raise TenantFileError([f"{name}: cannot be read ({reason}); name a tenant file that may be read"]) from None
    if len(content) > LARGEST_FILE:
        raise TenantFileError([f"{name}: has more than {LARGEST_FILE} bytes; name a tenant file, which is smaller"])
    try:
        text = content.decode("utf-8-sig")  # some editors put a byte order mark first
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TenantFileError([f"{name}:{line}: is not UTF-8; save the file as UTF-8"]) from None
    return parse(text, name, path.parent, usual)


def parse(text: str, name: str, folder: Path = Path(), usual: TenantSettings = _USUAL) -> TenantSettings:
    """The settings in this text; `name` is the file's, for the errors; `folder` is where its scripts are looked for.
    usual: as of `load`.

    Raises TenantFileError.
    """
    try:
        document = tomllib.loads(text)
        lines = TomlLines(text)
    except (ValueError, RecursionError) as malformed:
        raise TenantFileError([f"{name}:{_malformed(text, malformed)}"]) from None
    problems: list[Problem] = []
    settings = _tenant(CheckedTable(document, (), problems), folder, usual)
    if problems:
        placed = sorted(((lines.of(problem.path), problem) for problem in problems), key=lambda each: each[0])
        raise TenantFileError([f"{name}:{line}: {shown_path(each.path)}: {each.message}" for line, each in placed])
    return settings


def _malformed(text: str, error: ValueError | RecursionError) -> str:
    """The line and what is wrong there. tomllib's words tell names of keys, and of a value no character that prints."""
    if isinstance(error, RecursionError):
        return "1: is no tenant file: it nests too deep; write tables and arrays of a few levels"
    words = str(error)
    place = _AT_PLACE.search(words)
    if place is None:  # Python's own refusal of an integer of more than 4,300 digits
        number = _LONG_NUMBER.search(text)
        line = text.count("\n", 0, number.start()) + 1 if number else 1
        return f"{line}: has a number of more than 64 bits, which TOML has not; write a smaller one"
    line = int(place[1]) if place[1] else text.rstrip().count("\n") + 1
    if words.startswith(("Cannot overwrite", "Cannot declare", "Duplicate")):
        # Told by name, and where it is set: tomllib counts to the end of the value.
        with suppress(RecursionError):
            if again := TomlLines(text).set_again:
                key, first, second = again
                return f"{second}: {shown_path(key)}: is set in line {first} already; take one of the two out"
    return f"{line}: is no TOML ({words[: place.start()]}); correct it there"


def _tenant(top: CheckedTable, folder: Path, usual: TenantSettings) -> TenantSettings:
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
