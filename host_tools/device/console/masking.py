"""Secrets out of what a board prints: the firmware prints none, but other programs do, and so does a traceback.

Masked are the values of names that end in "token", "password", "secret" and the like, in JSON, key=value, TOML, form
bodies and headers, also where a quoted text quotes another; what is a token by its looks (Auth0's "v1.", a JWT, what
comes after "Bearer"); and any run of 40 or more base64url characters that does not read like a name. Not masked are
what the glass shows too: the user code and the verification URI.

Too much is hidden rather than too little: an unquoted value goes on to the next space, or "&" and a name.
"""

from __future__ import annotations

import re

MASK = "***"
# 240 bits; shorter random strings cannot be told from hashes and names that people need to read.
LONG = 40

_NAMES = (
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "device_?code",
    "oob_?code",
    "binding_?code",
    "recovery_?codes?",
    "code_?verifier",
    "client_?assertion",
    "api_?key",
    "private_?key",
    "authorization",
    "cookie",
    "psk",
    "otp",
)
# An unquoted value; brackets, quotes and commas at its end belong to what is around it.
_RUN = r"""\S+?(?=["'\\\])},;]*(?:\s|&[\w.-]+=|$))"""
_NAMED = rf"""
    (?P<name> [\w.-]* (?:{"|".join(_NAMES)}) (?:\\*["'])? (?:%22)? \s* (?: => | [:=] | %3[ad] ) \s* (?:%22)? )
    (?: [bru]{{0,2}} (?P<quote>\\*["']) .*? (?: (?<!\\)(?P<end>(?P=quote)) | $ )
      | (?: (?:bearer|basic|dpop) \s+ )? {_RUN}
    )
"""
_BY_ITS_LOOKS = rf"""
    (?P<scheme> \b(?:bearer|dpop)\s+ ) (?! \w+=["'] ) {_RUN}
  | v1\.[\w-]{{16,}}
  | eyJ[\w-]{{8,}} (?: \.[\w-]* )*
"""
_URI = r"""(?P<uri> verification_ur[il](?:_complete)? \\*["']? \s* [:=] \s* \\*["']? [^\s"',}\\]+ )"""
_FLAGS = re.VERBOSE | re.IGNORECASE
_SECRET = re.compile(f"{_NAMED} | {_BY_ITS_LOOKS}", _FLAGS)
_SECRET_OR_LONG = re.compile(rf"{_URI} | {_NAMED} | {_BY_ITS_LOOKS} | (?P<long> [A-Za-z0-9_-]{{{LONG},}} )", _FLAGS)
_WORD = re.compile(r"[_-]+")


def mask(line: str) -> str:
    """The line, with MASK in the place of each secret. A line must come whole, without terminal control sequences."""
    return _SECRET_OR_LONG.sub(_masked, line)


def _masked(found: re.Match[str]) -> str:
    part = found.groupdict()
    if part.get("uri"):
        return _SECRET.sub(_masked, part["uri"])
    if part["name"]:
        return f"{part['name']}{part['quote'] or ''}{MASK}{part['end'] or ''}"
    if part["scheme"]:
        return f"{part['scheme']}{MASK}"
    if part.get("long") and _reads_like_a_name(part["long"]):
        return found[0]
    return MASK


def _reads_like_a_name(run: str) -> bool:
    """As "adafruit_feather_esp32s3_4mbflash_2mbpsram": short words in small letters, and few digits."""
    words = _WORD.split(run)
    digits = sum(character.isdigit() for character in run)
    return run == run.lower() and max(map(len, words)) <= 12 and digits * 4 <= len(run)
