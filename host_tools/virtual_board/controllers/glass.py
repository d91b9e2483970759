"""The glass: particles that stay where the last refresh left them, power or no power."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from host_tools.virtual_board.controllers.panels import Panel

BLACK, WHITE = 0, 1
_GREY = bytes(255 * (value & 1) for value in range(256))
# PIL's transpose that turns scan order upright, by adafruit_framebuf's rotation.
_UPRIGHT = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


class Glass:
    """`pixels`: one byte a pixel (BLACK or WHITE) in scan order, width x height; it starts white, as shipped."""

    def __init__(self, panel: Panel, pixels: bytes | None = None) -> None:
        self.panel = panel
        self.restore(pixels)
        self.refreshes = 0

    def restore(self, pixels: bytes | None) -> None:
        """Show `pixels`, or white where there are none or they are not this panel's."""
        size = self.panel.width * self.panel.height
        fits = pixels is not None and len(pixels) == size
        self.pixels = bytearray(pixels) if pixels is not None and fits else bytearray([WHITE]) * size

    def image(self) -> Image.Image:
        """What a person sees, upright: an 8-bit grey image, one pixel a pixel."""
        scanned = Image.frombytes("L", (self.panel.width, self.panel.height), bytes(self.pixels).translate(_GREY))
        turn = _UPRIGHT[self.panel.rotation]
        return scanned if turn is None else scanned.transpose(turn)

    def png(self) -> bytes:
        out = BytesIO()
        self.image().save(out, "PNG", optimize=True)
        return out.getvalue()
