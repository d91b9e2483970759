"""Secrets out of what a board prints: the firmware prints none, but other programs do, and so does a traceback.

Masked are the values of names that end in "token", "password", "secret" and the like, in JSON, key=value, TOML, form
bodies and headers, also where a quoted text quotes another; what is a token by its looks (Auth0's "v1.", a JWT, what
comes after "Bearer"); who an address is for ("https://user:password@"); and any run of 40 or more base64 or base64url
characters that does not read like a name or a path in small letters. So is the next word after a name, as `print(name,
value)` has it: any word after one with an underscore, as "refresh_token"; after "password" or "token", which people
write too, one that is quoted or does not look like a word. Not masked are what the glass shows too: the user code and
the verification URI.

Too much is hidden rather than too little: an unquoted value goes on to the next space, or "&" and a name; that of a
header to the end of the line. Each kind is looked for in what the one before has left, so that none can take away the
name or the quote by which another is found.

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
# As "password is set to hunter2".
_VERB = r"(?: (?: is | was | are | now | set | changed | to | as | value | bearer | basic | dpop ) (?!\w) )"
_SIGN = "(?: => | -> | [:!=]=+ | [:=] | %3[ad] )"
_IS = rf"""(?:\\*["'])? \]? (?:%22)? (?: \s+ {_VERB} ){{0,4}} \s* {_SIGN} \s* (?:%22)?"""
# As in ("password =", "hunter2") too, where the value is the next item.
_BEFORE = rf"""(?P<name>
    (?<![\w.-]) [\w.-]* (?: {_NAME} | (?P<header>{_HEADERS}) ) {_IS}
    (?: (?P<closing>\\*["']) \s* , \s* (?= [bru]{{0,2}} (?P=closing) ) )?
  | [\[(] \s* [bru]{{0,2}} \\*["'] [\w.-]* (?: {_NAME} | {_HEADERS} ) (?: \s* {_SIGN} \s* )? \\*["'] \s* , \s*
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
_WORD = re.compile(r"[_/+-]+")
_GAP = r"""(?: \\*["'] )? (?: \s* , \s+ | \s+ )"""
# After a comma alone a word ends at the next: of "token,token,token" none is gone through more than once.
_AFTER_A_NAME = rf"""(?<![\w.-]) (?P<name> [\w.-]* (?: {_NAME} | (?P<header>{_HEADERS}) ) ) (?!{_IS})
    (?: {_GAP} (?: {_VERB} {_GAP} ){{0,4}} (?: [-\u2013\u2014|>] \s+ )? | (?: \\*["'] )? (?P<comma>,) )
"""
_NEXT_WORD = re.compile(
    rf"""{_AFTER_A_NAME} (?P<next>
        [bru]{{0,2}} (?P<quote>\\*["']) (?P<quoted> .*? ) (?: (?<!\\)(?P=quote) (?P<colon> \s*: )? | $ )
      | (?P<bracket> [\[({{] ) (?= [\[({{\s]* [bru]{{0,2}} \\*["'] )
      | (?(comma) [^\s,]+ | {_RUN} )
    )""",
    _FLAGS,
)
_NEXT_WORD_BEGUN = re.compile(rf"{_AFTER_A_NAME} (?(comma) [^\s,]+ | \S+ ) $", _FLAGS)
# What is told of a secret, and is none: a Wi-Fi password has eight characters at least (IEEE 802.11 M.4.1).
_ORDINARY = """
    a absent again all already an and are as at be been but by came can cannot changed comes could dead deleted did
    does empty end ended ends erased exists expired expires failed fails field fits for found from given goes gone
    had has have held here if in invalid is it its kept key kind length loaded lost may missing more must name
    needed new no none not now null of off ok old on only or out read refused revoked rotated saved sent set should
    size stays stored that the then there to too type unknown unset valid value via was were when which while will
    with without would written wrong yes
"""
_ORDINARY_WORDS = frozenset(_ORDINARY.split())
_PLAIN = re.compile(r"[^\W\d_]*(?:['\u2019.,:;/()_-]+[^\W\d_]+)*")
_MIXED_CASE = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")
_FOR_PEOPLE = re.compile(r"\W*(?:[a-z]+:\\*/\\*/|http/\d|user_code|verification_ur)", re.IGNORECASE)
_FIELD = re.compile(r"[a-z_]+=")
# "/" is in the addresses and paths that people need to read as it is in base64.
_BASE64 = re.compile(
    rf"""{_URI}
  | (?<![a-z]) [a-z]+ :\\*/\\*/ [^\s"'<>,]*
  | (?<![\w.+/-]) [\w.+/-]+ \.m?py \b
  | (?P<run> (?: [A-Za-z0-9_+/-] | {re.escape(MASK)} )+ ={{0,2}} )
""",
    _FLAGS,
)
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
        is_short = _SHORT.fullmatch(last.strip(_AROUND_A_WORD)) and not _NEXT_WORD_BEGUN.search(line)
        return "".join(before) + (last if is_short else CUT)

    def _shown(self, line: str) -> str:
        # The firmware's lines are printed whole, and begin with no secret.
        name = "" if _OWN_LINE.match(line) else self._name
        return mask(line, name)


def mask(line: str, name: str = "") -> str:
    """The line, with MASK in the place of each secret. A line must come whole, without terminal control sequences.

    name: what the line before ended in, if the value of it begins this one.
    """
    shown = _masked(_SECRET_OR_LONG, name + line)[len(name) :]
    return _BASE64.sub(_instead_of_base64, _without_next_words(shown))


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


def _without_next_words(line: str) -> str:
    shown, done, at = "", 0, 0
    while found := _NEXT_WORD.search(line, at):
        part = "quoted" if found["quote"] else "bracket" if found["bracket"] else "next"
        begin, end = found.span(part)
        # The word that is hidden may be a name too.
        at = found.start("next")
        if not _is_value(found):
            continue
        instead = MASK
        if part == "bracket":
            begin = end
            instead, end = _instead_of_brackets(line, begin)
        if part != "next":
            at = max(end, found.end())
        shown += line[done:begin] + instead
        done = end
    return shown + line[done:]


def _is_value(found: re.Match[str]) -> bool:
    if found["bracket"]:
        return True
    word = found["quoted"] if found["quote"] else found["next"]
    bare = word.strip(string.punctuation)
    if not bare or bare.lower() in _ORDINARY_WORDS or _FOR_PEOPLE.match(word):
        return False
    if found["colon"] and "," in found.string[found.end("name") : found.start("next")]:
        # The next key of a dictionary: {"a": "token", "b": 1}.
        return False
    if _OWN_LINE.match(found.string) and _FIELD.match(word):
        return False
    if found["quote"] or ("_" in found["name"] and not found["header"]):
        return True
    # Of fewer characters are numbers: "token 2 of 3".
    return len(bare) > 3 and (not _PLAIN.fullmatch(bare) or bool(_MIXED_CASE.search(bare)))


def _instead_of_base64(found: re.Match[str]) -> str:
    run = found["run"]
    if run is None or not set("+/=") & set(run):
        return found[0]
    # Of a shorter one a part was long enough to be hidden already.
    if len(run) < LONG and MASK not in run:
        return run
    return run if _reads_like_a_name(run.replace(MASK, "/")) else MASK


def _reads_like_a_name(run: str) -> bool:
    """As "adafruit_feather_esp32s3_4mbflash_2mbpsram", or a path: short words in small letters, and few digits."""
    # What has "/" or "+" and is no path is base64: of its letters every other one is a capital.
    longest = 20 if set("+/") & set(run) else 12
    digits = sum(character.isdigit() for character in run)
    return run == run.lower() and max(map(len, _WORD.split(run))) <= longest and digits * 4 <= len(run)
