"""Numbers that strangers write: ASCII digits and no others.

CPython's str.isdigit takes "\u00b2" and its int() does not; the boards' isdigit knows ASCII alone.
"""


def number(text, most):
    """The int that `text` writes in 1 to `most` digits, else None."""
    if not 0 < len(text) <= most:
        return None
    for c in text:
        if not "0" <= c <= "9":
            return None
    return int(text)
