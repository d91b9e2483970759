"""Secrets out of what a board prints: the firmware prints none, but other programs do, and so does a traceback.

Masked are the values of names that end in "token", "password", "secret" and the like, in JSON, key=value, TOML, form
bodies and headers, also where a quoted text quotes another; what is a token by its looks (Auth0's "v1.", a JWT, what
comes after "Bearer"); who an address is for ("https://user:password@"); and any run of 40 or more base64url characters
that does not read like a name. Not masked are what the glass shows too: the user code and the verification URI.

Too much is hidden rather than too little: an unquoted value goes on to the next space, or "&" and a name; that of a
header to the end of the line.

A board that prints noise must not hold up the monitor. So a name is looked for only where its word begins, and no part
of a pattern can give back to another what it has taken: the time grows as the line does.
"""

from __future__ import annotations

import re
import string

from host_tools.device.console.console_lines import CUT

MASK = "***"
# 240 bits; shorter random strings cannot be told from hashes and names that people need to read.
LONG = 40

_NAMES = (
    "token",
    "pass(?:word|wd|phrase|code)?",
    "pwd",
    "secret",
    "credential",
    "(?:device|oob|binding|recovery)[_-]?code",
    "code[_-]?verifier",
    "client[_-]?assertion",
    "(?:api|private)[_-]?key",
    "psk",
    "otp",
)
# More than a word is secret in these: "Token abc", "Digest a=b, c=d", "a=b; c=d".
_HEADERS = "(?:authorization|cookies?)"
# As "tokens", "token_value", "password2".
_NAME = rf"(?: {' | '.join(_NAMES)} ) s? (?: [_-]? (?: values? | \d{{1,3}} ) )?"
_IS = r"""(?:\\*["'])? \]? (?:%22)? \s* (?: => | -> | [:!=]=+ | [:=] | %3[ad] ) \s* (?:%22)?"""
_BEFORE = rf"""(?P<name>
    (?<![\w.-]) [\w.-]* (?: {_NAME} | (?P<header>{_HEADERS}) ) {_IS}
  | [\[(] \s* [bru]{{0,2}} \\*["'] [\w.-]* (?: {_NAME} | {_HEADERS} ) \\*["'] \s* , \s*
)"""
# An unquoted value; brackets, quotes and commas at its end belong to what is around it.
_END = r"""["'\\\])},;]"""
_PAIR = r"&[\w.-]+="
_RUN = rf"""\S (?: [^\s&"'\\\])}},;] | (?!{_PAIR})& | {_END}+ (?! {_END} | \s | {_PAIR} | $ ) )*"""
_NAMED = rf"""{_BEFORE}
    (?: [bru]{{0,2}} (?P<quote>\\*["']) .*? (?: (?<!\\)(?P<end>(?P=quote)) | $ )
      | (?(header) \S.* | (?: (?P<bracket>[\[({{]) | (?: (?:bearer|basic|dpop) \s+ )? {_RUN} ) )
    )
"""
_BY_ITS_LOOKS = rf"""
    (?P<scheme> \b(?:bearer|dpop)\s+ ) (?! \w+=["'] ) {_RUN}
  | (?P<user> :\\*/\\*/ (?: [^\s/@:]* : )? ) [^\s/"<>\\]+ (?=@)
  | v1\.[\w-]{{16,}}
  | eyJ[\w-]{{8,}} (?: \.[\w-]* )*
"""
_URI = r"""(?P<uri> verification_ur[il](?:_complete)? \\*["']? \s* [:=] \s* \\*["']? [^\s"',}\\]+ )"""
_FLAGS = re.VERBOSE | re.IGNORECASE
_SECRET = re.compile(f"{_NAMED} | {_BY_ITS_LOOKS}", _FLAGS)
_SECRET_OR_LONG = re.compile(rf"{_URI} | {_NAMED} | {_BY_ITS_LOOKS} | (?P<long> [A-Za-z0-9_-]{{{LONG},}} )", _FLAGS)
_IN_BRACKETS = re.compile(r"""(?P<quote>(?<!\\)\\*["']).*?(?:(?<!\\)(?P=quote)|$)|[\[({\])}]""")
_REST = re.compile(_RUN, _FLAGS)
_NAME_AT_THE_END = re.compile(rf"""{_BEFORE} (?: \\*["'] | [\[({{] )? $""", _FLAGS)
_WORD = re.compile(r"[_-]+")
# firmware/stoa/log.py
_OWN_LINE = re.compile(r"stoa [a-z_]+(?: |$)")
# A mask in the middle of a word may become one of all the word.
_PARTS = re.compile(rf"(\s+|(?<![\w-]){re.escape(MASK)})")
_AROUND_A_WORD = "".join(set(string.punctuation) - set("-_")) + CUT
# Whoever sees so much of a token is no nearer to it: its first small letters, or digits.
_SHORT = re.compile(r"[A-Z]?[^\W\d_A-Z]{0,11}|\d{1,4}(?:\.\d{1,4})?")


class Masker:
    """`mask`, for lines that come one after another: "token=" at the end of one hides the first word of the next."""

    def __init__(self) -> None:
        self._name = ""

    def whole(self, line: str) -> str:
        shown = self._shown(line)
        name = _NAME_AT_THE_END.search(line)
        self._name = name[0] if name else ""
        return shown

    def unfinished(self, line: str) -> str:
        """What is there of a line; CUT in the place of its last word if that may be a secret's first half.

        The line must come again when it is whole: its second half alone is no token by its looks.
        """
        *before, last = _PARTS.split(self._shown(line))
        return "".join(before) + (last if _SHORT.fullmatch(last.strip(_AROUND_A_WORD)) else CUT)

    def _shown(self, line: str) -> str:
        # The firmware's lines are printed whole, and begin with no secret.
        name = "" if _OWN_LINE.match(line) else self._name
        return mask(name + line)[len(name) :]


def mask(line: str) -> str:
    """The line, with MASK in the place of each secret. A line must come whole, without terminal control sequences."""
    return _masked(_SECRET_OR_LONG, line)


def _masked(secret: re.Pattern[str], line: str) -> str:
    shown, at = "", 0
    while found := secret.search(line, at):
        instead, end = _instead_of(found)
        shown += line[at : found.start()] + instead
        at = end
    return shown + line[at:]


def _instead_of(found: re.Match[str]) -> tuple[str, int]:
    """What is shown, and where in the line it goes on."""
    part = found.groupdict()
    if part.get("uri"):
        return _masked(_SECRET, part["uri"]), found.end()
    if part["bracket"]:
        inside, end = _instead_of_brackets(found.string, found.end())
        return f"{part['name']}{part['bracket']}{inside}", end
    if part["name"]:
        return f"{part['name']}{part['quote'] or ''}{MASK}{part['end'] or ''}", found.end()
    if part.get("long") and _reads_like_a_name(part["long"]):
        return found[0], found.end()
    return f"{part['scheme'] or part['user'] or ''}{MASK}", found.end()


def _instead_of_brackets(line: str, start: int) -> tuple[str, int]:
    """As `_instead_of`, for what comes after an opening bracket: all of it to its closing one, or else of the line."""
    depth = 1
    for part in _IN_BRACKETS.finditer(line, start):
        depth += (part[0] in "[({") - (part[0] in "])}")
        if not depth:
            end = part.end()
            # Without quotes it may be a password with brackets in it.
            if not re.search(rf"[\"']|{re.escape(MASK)}", line[start:end]) and (rest := _REST.match(line, end - 1)):
                end = rest.end()
            return MASK + part[0], end
    return MASK, len(line)


def _reads_like_a_name(run: str) -> bool:
    """As "adafruit_feather_esp32s3_4mbflash_2mbpsram": short words in small letters, and few digits."""
    words = _WORD.split(run)
    digits = sum(character.isdigit() for character in run)
    return run == run.lower() and max(map(len, words)) <= 12 and digits * 4 <= len(run)
