"""The provider wants a person again: the request as at pairing, under the last quote."""

from stoa import qr
from stoa.screens.grant import draw_request
from stoa.screens.quote import draw_reminder

HEADING = "Sign-in needs approval"
MARGIN = 6
# Accents of the quote's first line reach up to three rows above its ascenders.
ABOVE = 3


def draw(canvas, content):
    quote = content.get("quote")
    if quote and quote.get("text"):
        # The smallest module leaves the quote the most rows; without a code to scan, the words need half the glass.
        planned = qr.plan(qr.target(content), canvas.height, qr.SMALLEST_MODULE)
        top = canvas.height + qr.RIM_PIXELS - planned[1] if planned else canvas.height // 2
        if draw_request(canvas, content, HEADING, top, qr.SMALLEST_MODULE, False):
            draw_reminder(canvas, quote, MARGIN, ABOVE, canvas.width - 2 * MARGIN, top - ABOVE)
            return
    # No quote yet, or an address so long that only the whole glass holds it.
    draw_request(canvas, content, HEADING, 0)
