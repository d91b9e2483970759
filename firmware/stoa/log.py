"""One event, one line on the console: `stoa EVENT key=value key="value with spaces"`.

The lines are for people and for `stoa` on the host, which reads them back. Keys come out sorted: MicroPython's
keyword arguments arrive in no order, and the same wake must read the same on every runtime. No token, code for a
device, or password is ever passed here; the callers' tests hold them to it.
"""


def line(event, fields):
    """The text of a log line. `fields` is a dict of str, int, bool or None."""
    words = ["stoa", event]
    for key in sorted(fields):
        words.append(key + "=" + _value(fields[key]))
    return " ".join(words)


def say(event, **fields):
    """Print one log line."""
    print(line(event, fields))


def _value(value):
    if value is None:
        return "none"
    if value is True or value is False:
        return "yes" if value else "no"
    text = str(value)
    plain = text != ""
    out = []
    for c in text:
        if c in '"\\':
            plain = False
            out.append("\\" + c)
        elif c < " " or c == "\x7f":
            # A line break from outside would forge a line of its own.
            plain = False
            out.append("\\x%02x" % ord(c))
        else:
            plain = plain and "!" <= c <= "~" and c != "="
            out.append(c)
    text = "".join(out)
    return text if plain else '"' + text + '"'
