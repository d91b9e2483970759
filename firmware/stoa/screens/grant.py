"""What a person needs to answer a device grant: a QR code, the address to open, the code to enter (RFC 8628, 3.3)."""

from stoa import qr
from stoa.paragraph import HYPHENS, draw_lines, fit, pieces, rows
from stoa.text import Font

MARGIN = 8
TEXT_SIZES = ("serif-15", "serif-13")
CODE_SIZES = ("code-30", "code-24", "code-21")
# Where a web address may break and leave no doubt what to type.
SLASHES = "/?&="
# A provider may use letters that the code fonts lack; the code must stand there exactly as it is to be typed.
ANY_CODE_SIZES = ("serif-30", "serif-23", "serif-18")


def typeable(uri):
    """The address as short as can still be typed exactly: browsers put https before an address, so only that may go."""
    if not uri.startswith("https://"):
        return uri
    uri = uri[len("https://") :]
    return uri[:-1] if uri.find("/") == len(uri) - 1 else uri


def fit_code(user_code, width, height, skipped):
    """The code fitted to a box: (font, lines, leading, whole), on one line if a size allows it.

    `skipped` leaves out that many of the largest sizes.
    """
    exact = all([Font(CODE_SIZES[0]).has(character) for character in user_code])
    sizes = (CODE_SIZES if exact else ANY_CODE_SIZES)[skipped:]
    one_line = fit(sizes, user_code, width, height, "")
    return one_line if len(one_line[1]) == 1 else fit(sizes, user_code, width, height, HYPHENS)


def fit_address(uri, width, height):
    """The address fitted to a box: (font, lines, leading, whole).

    Broken after slashes if that will do, else after dots and dashes too, else anywhere.
    """
    for sizes, marks in ((TEXT_SIZES, SLASHES), (TEXT_SIZES[-1:], SLASHES + ".-")):
        smallest = Font(sizes[-1])
        if all([smallest.measure(piece.rstrip(" ")) <= width for piece in pieces(uri, marks)]):
            fitted = fit(sizes, uri, width, height, marks)
            if fitted[3]:
                return fitted
    return fit(TEXT_SIZES[-1:], uri, width, height, "")


def draw_request(canvas, content, heading, top, largest_module=8, cut=True):
    """Ask for a person's approval in the rows from `top` to the bottom: QR on the left, words and code on the right.

    Heading, address and code always stand there; "Scan, or open" and "and enter" as far as there is room. Unless
    `cut`, a request whose address would have to be cut is not drawn: False.
    """
    uri = content["verification_uri"]
    target = qr.target(content)
    # The last row of the quiet zone may lie beyond the glass when a strip is just as high as the code.
    planned = qr.plan(target, canvas.height - top + (qr.RIM_PIXELS if top else 0), largest_module)
    # The quiet zone is white already, so the words may start where it ends.
    x = planned[1] if planned else MARGIN
    width = canvas.width - x - 4
    # Under a quote the rows are few, and the quote's last line keeps the distance.
    first = top + (2 if top else MARGIN)
    margin = 3 if top else MARGIN

    title, title_lines, title_leading, _ = fit(("sans-14",), heading, width, 18 if top else 30)
    y = first + rows(title, len(title_lines), title_leading) + 3
    # A smaller code before a shortened address: nobody can type the half of one.
    for skipped in range(len(CODE_SIZES)):
        code, code_lines, code_leading, _ = fit_code(content["user_code"], width, (canvas.height - top) // 2, skipped)
        baseline = canvas.height - max(margin, code.bottom) - (len(code_lines) - 1) * code_leading
        floor = baseline - code.ascent - 3
        address, lines, leading, whole = fit_address(typeable(uri), width, floor - y)
        if whole:
            break
    if not (whole or cut):
        return False

    if planned:
        # Encoded before, by whoever is short of memory (stoa.glass).
        encoded = content.get("qr") or qr.encode(target)
        qr.draw(canvas, encoded, planned, 0, top + max(0, canvas.height - top - x) // 2)
    draw_lines(canvas, title, title_lines, title_leading, x, first)
    for index, line in enumerate(code_lines):
        code.draw(canvas, line, x, baseline + index * code_leading)
    label = Font("serif-15")
    spare = floor - y - rows(address, len(lines), leading)
    if spare >= label.line_height:
        label.draw(canvas, "Scan, or open" if planned else "Open", x, y + label.ascent)
        y += label.line_height
    draw_lines(canvas, address, lines, leading, x, y)
    if spare >= 2 * label.line_height:
        label.draw(canvas, "and enter", x, floor - label.descent)
    return True
