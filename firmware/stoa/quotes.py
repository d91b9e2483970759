"""Today's quote: what the API may answer, what a good quote is, and the last one kept for bad days."""

from stoa import digits, slots

PATHS = ("/cache-a/quote.bin", "/cache-b/quote.bin")
MAGIC = b"StoQ"
CAPACITY = 2032

# field: the most characters it may have. The longest of these that the glass still takes is the text's matter there.
FIELDS = (("date", 10), ("text", 480), ("author", 60), ("work", 80), ("locus", 40))
# Longer entity tags exist, but a cache that does not fit them asks without one, which is always right.
ETAG_MAX = 128


class QuoteError(Exception):
    """The answer is no quote; `detail` names what is wrong with it."""

    def __init__(self, detail):
        super().__init__(detail)
        self.detail = detail


def validate(body):
    """The quote in the API's JSON object: a dict of date ("YYYY-MM-DD"), text, author, work, locus, all str.

    Unknown members are dropped. Raises QuoteError.
    """
    if not isinstance(body, dict):
        raise QuoteError("not a JSON object")
    quote = {}
    for key, limit in FIELDS:
        value = body.get(key)
        if not isinstance(value, str) or not value.strip():
            raise QuoteError("no " + key)
        if len(value) > limit:
            raise QuoteError(key + " too long")
        for c in value:
            if c < " " or 0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) <= 0xDFFF:
                # JSON can spell half a surrogate pair, which is no character and has no UTF-8.
                raise QuoteError(key + " has a control character")
        quote[key] = value
    date = quote["date"]
    if not (date[4:5] == date[7:8] == "-" and digits.number(date[:4] + date[5:7] + date[8:], 8)):
        raise QuoteError("date is not YYYY-MM-DD")
    if len(_pack(quote, "")) > CAPACITY - ETAG_MAX:
        raise QuoteError("too long")
    return quote


def judge(status, headers, body):
    """What to do about the API's answer; header names are in lower case, `body` a dict or None.

    ("new", quote, etag or None)
    ("same",)                       304: the last one is still today's
    ("refresh",)                    the access token is not accepted: refresh once, then ask again
    ("human", challenge)            RFC 9470: dict of max_age (s) and acr_values, each None when not given
    ("misconfigured", detail)       asking again will not help; detail fits a screen
    ("later", detail)               retry with backoff; the detail is for the log and the screen
    """
    if status == 200:
        try:
            quote = validate(body)
        except QuoteError as error:
            return "later", error.detail
        return "new", quote, _etag(headers.get("etag"))
    challenge = bearer_challenge(headers.get("www-authenticate", ""))
    outcome = ANSWERS.get((status, challenge.get("error")))
    if outcome is None:
        outcome = ANSWERS.get((status, None))
    if outcome is None:
        return "later", "status %d" % status
    if outcome == "human":
        age = challenge.get("max_age", "")
        return "human", {
            "max_age": digits.number(age, 9),
            "acr_values": challenge.get("acr_values"),
        }
    if outcome == "misconfigured":
        return "misconfigured", challenge["error"]
    return (outcome,)


# (status, error of the Bearer challenge); None stands for any other error or none.
ANSWERS = {
    # RFC 9110 15.4.5: what the client has is still what the server would send.
    (304, None): "same",
    # RFC 6750 3.1: the access token is expired, revoked, malformed or otherwise invalid; a new one MAY be requested.
    (401, "invalid_token"): "refresh",
    # RFC 6750 3: without authentication information the challenge has no error code; ours was not even seen as one.
    (401, None): "refresh",
    # RFC 9470 3: a fresher or stronger authentication is wanted, which no refresh gives.
    (401, "insufficient_user_authentication"): "human",
    # RFC 6750 3.1: more privileges are wanted. Pairing again would ask for the same ones.
    (401, "insufficient_scope"): "misconfigured",
    (403, "insufficient_scope"): "misconfigured",
}


def bearer_challenge(header):
    """The parameters of the Bearer challenge in a WWW-Authenticate header (RFC 9110 section 11.6.1), as a dict of str.

    Names are in lower case; values over 200 characters are left out. Another scheme's challenge gives {}.
    """
    params = {}
    at = header.lower().find("bearer")
    if at < 0 or (at > 0 and header[at - 1] not in " ,"):
        return params
    at += len("bearer")
    end = len(header)
    while at < end:
        while at < end and header[at] in " \t,":
            at += 1
        equals = header.find("=", at)
        if equals < 0:
            break
        name = header[at:equals].strip().lower()
        if " " in name:
            # Two words before the "=": the second challenge's scheme and its first parameter.
            break
        at = equals + 1
        value = ""
        if at < end and header[at] == '"':
            at += 1
            while at < end and header[at] != '"':
                if header[at] == "\\":
                    at += 1
                value += header[at : at + 1]
                at += 1
            at += 1
        else:
            while at < end and header[at] not in " ,":
                value += header[at]
                at += 1
        if name not in params and 0 < len(value) <= 200:
            params[name] = value
    return params


def initial_file():
    """The content of each preallocated file, for the deploy."""
    return slots.Slots(None, PATHS, MAGIC, CAPACITY).initial_file()


def remember(open_file, quote, etag):
    """Keep a valid quote and its entity tag (or None). False where the drive does not take it: it is a cache."""
    files = slots.Slots(open_file, PATHS, MAGIC, CAPACITY)
    newest = files.read()
    payload = _pack(quote, etag or "")
    if newest is not None and newest[1] == payload:
        return True
    sequence, slot = (0, None) if newest is None else (slots.following(newest[0]), newest[2])
    kept = files.write(sequence, payload, slot, True)
    files.close()
    return kept


def recall(open_file):
    """(quote, etag or None) as last remembered, or (None, None)."""
    newest = slots.Slots(open_file, PATHS, MAGIC, CAPACITY).read()
    if newest is None:
        return None, None
    values = newest[1].decode().split("\n")
    quote = {}
    for i in range(len(FIELDS)):
        quote[FIELDS[i][0]] = values[i]
    return quote, values[len(FIELDS)] or None


def _pack(quote, etag):
    # A line a field: validation has shown that none holds a line break, and JSON would take twice the room.
    return "\n".join([quote[key] for key, _ in FIELDS] + [etag]).encode()


def _etag(value):
    if value is None or not 0 < len(value) <= ETAG_MAX:
        return None
    for c in value:
        if not "!" <= c <= "~":
            return None
    return value
