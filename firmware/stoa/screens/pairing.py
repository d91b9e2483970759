"""Pairing: a QR code to scan, and beside it the same in words for who cannot scan."""

from stoa.screens.grant import draw_request


def draw(canvas, content):
    draw_request(canvas, content, "Pair this display", 0)
