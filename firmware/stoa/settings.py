"""The owner's settings.toml, read through os.getenv and checked before the radio is touched.

A wrong setting costs a walk to the display, so that each error names the key, what is wrong and what to write, in
lines that fit a panel of 250 pixels. No message repeats a value: the Wi-Fi password is one of them.
"""

from stoa import digits, timezone, url

# Characters a line of the setting screen takes.
LINE = 40


class SettingError(Exception):
    """`key` is wrong: `problem` and `fix` are one line of at most LINE characters each."""

    def __init__(self, key, problem, fix):
        super().__init__("%s %s: %s" % (key, problem, fix))
        self.key = key
        self.problem = problem
        self.fix = fix


class Settings:
    """By attribute: wifi_ssid, wifi_password, issuer, client_id, audience (or None), scope, api, ntp, all str;
    wake, minutes after midnight, int; zone, as timezone.parse gives it; quiet, (begin, end) in minutes, or None; push,
    whether a person's phone may be asked, bool."""


def load(getenv):
    """Settings from `getenv(key)`, which gives a str, None, or an int (CircuitPython before 10.2).

    Raises SettingError for the first key of TABLE that is wrong.
    """
    settings = Settings()
    allow_http = str(getenv("STOA_ALLOW_HTTP")) == "1"
    for key, name, default, check in TABLE:
        value = getenv(key)
        if value is None:
            value = default
        if value is REQUIRED:
            raise SettingError(key, "is missing", "add it to settings.toml")
        if value is not None:
            value = check(key, str(value), allow_http)
        setattr(settings, name, value)
    return settings


def _ssid(key, value, allow_http):
    _not_empty(key, value)
    # IEEE 802.11 9.4.2.2: 0 to 32 octets.
    if len(value.encode()) > 32:
        raise SettingError(key, "is longer than 32 bytes", "copy the name of the network")
    return value


def _password(key, value, allow_http):
    # IEEE 802.11 M.4.1: a pass phrase of 8 to 63 characters, or 64 hexadecimal digits. Empty for an open network.
    if value and not 8 <= len(value.encode()) <= 64:
        raise SettingError(key, "is not 8 to 64 characters long", "copy the network's password")
    return value


def _word(key, value, allow_http):
    _not_empty(key, value)
    if len(value) > 255:
        raise SettingError(key, "is too long", "keep it to 255 characters")
    for c in value:
        if c <= " " or c > "~":
            raise SettingError(key, "has a space or odd character", "copy it anew, without spaces")
    return value


def _scope(key, value, allow_http):
    _not_empty(key, value)
    if len(value) > 255:
        raise SettingError(key, "is too long", "keep it to 255 characters")
    for c in value:
        if not " " <= c <= "~" or c in '"\\':
            raise SettingError(key, "has an odd character", "write scopes with a space between")
    if "offline_access" not in value.split():
        # OpenID Connect Core 11: without it there is no refresh token, and a code to scan every morning.
        raise SettingError(key, "lacks offline_access", "add offline_access to it")
    return " ".join(value.split())


def _url(key, value, allow_http):
    _not_empty(key, value)
    try:
        scheme, host, _, _ = url.split(value)
    except ValueError as error:
        raise SettingError(key, str(error), "write it as https://host/path")
    if scheme == "http" and not allow_http and not url.is_loopback(host):
        raise SettingError(key, "would send tokens unprotected", "write https:// instead of http://")
    return value


def _issuer(key, value, allow_http):
    value = _url(key, value, allow_http)
    if "?" in value:
        # RFC 8414 section 2: no query or fragment component.
        raise SettingError(key, "has a question mark", "end it before the ?")
    return value


def _wake(key, value, allow_http):
    minutes = _minutes(value)
    if minutes is None:
        raise SettingError(key, "is not a time of day", 'write "00:00" to "23:59"')
    return minutes


def _quiet(key, value, allow_http):
    if value == "off":
        return None
    begin, _, end = value.partition("-")
    begin, end = _minutes(begin.strip()), _minutes(end.strip())
    if begin is None or end is None:
        raise SettingError(key, "is not two times of day", 'write "22:00-06:00", or "off"')
    return begin, end


def _switch(key, value, allow_http):
    if value not in ("on", "off"):
        raise SettingError(key, "is neither on nor off", 'write "on" or "off"')
    return value == "on"


def _zone(key, value, allow_http):
    try:
        return timezone.parse(value)
    except timezone.ZoneError as error:
        raise SettingError(key, error.problem, "as CET-1CEST,M3.5.0,M10.5.0/3")


def _minutes(text):
    """Minutes after midnight of "h:mm" or "hh:mm", or None."""
    hour, _, minute = text.partition(":")
    hour, minute = digits.number(hour, 2), digits.number(minute, 2) if len(minute) == 2 else None
    if hour is None or minute is None or hour > 23 or minute > 59:
        return None
    return hour * 60 + minute


def _not_empty(key, value):
    if not value.strip():
        raise SettingError(key, "is empty", "give it a value in settings.toml")


# The mark of a key without a default.
REQUIRED = ()

# key, attribute, default, check
TABLE = (
    ("STOA_WIFI_SSID", "wifi_ssid", REQUIRED, _ssid),
    ("STOA_WIFI_PASSWORD", "wifi_password", REQUIRED, _password),
    ("STOA_ISSUER", "issuer", REQUIRED, _issuer),
    ("STOA_CLIENT_ID", "client_id", REQUIRED, _word),
    ("STOA_AUDIENCE", "audience", None, _word),
    ("STOA_SCOPE", "scope", "openid offline_access read:quotes", _scope),
    ("STOA_API", "api", REQUIRED, _url),
    ("STOA_WAKE", "wake", "06:00", _wake),
    ("STOA_TZ", "zone", "UTC0", _zone),
    # A code lives for minutes: shown at night, it is a quarter of an hour of battery for nobody.
    ("STOA_QUIET", "quiet", "22:00-06:00", _quiet),
    # Who has a push authenticator at this issuer has it to be asked so; the display asks no oftener for it.
    ("STOA_PUSH", "push", "on", _switch),
    ("STOA_NTP", "ntp", "pool.ntp.org", _word),
)
