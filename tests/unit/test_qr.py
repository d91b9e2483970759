"""The QR code on the canvas: module for module that of an independent encoder, and readable off the glass."""

from __future__ import annotations

import pytest
import segno
import zxingcpp
from PIL import Image

from stoa import qr
from stoa.canvas import Canvas

pytestmark = pytest.mark.usefixtures("device_library_path")


def drawn(text, box, largest_module=8):
    canvas = Canvas(122, 250, 1)
    planned = qr.plan(text, box, largest_module)
    qr.draw(canvas, qr.encode(text), planned, 0, 0)
    return canvas, qr._version(text), planned


@pytest.mark.parametrize("length", [14, 17, 26, 32, 42, 53, 62, 78, 84, 106, 134, 154, 192, 230])
def test_modules_equal_segnos(length):
    """Full versions only: segno 1.6 puts a zero byte before the padding where the standard has none."""
    text = ("https://example.com/device?user_code=WDJB-MJHT&" * 5)[:length]
    canvas, (version, medium), (module, side) = drawn(text, 122)
    expected = segno.make(
        text, version=version, error="m" if medium else "l", mode="byte", mask=0, boost_error=False, micro=False
    ).matrix
    margin = (side - module * len(expected)) // 2
    middle = margin + module // 2
    actual = [
        [int(not canvas.is_white(middle + x * module, middle + y * module)) for x in range(len(expected))]
        for y in range(len(expected))
    ]
    assert actual == [list(row) for row in expected]


@pytest.mark.parametrize("length", [1, 16, 17, 32, 45, 53, 60, 70, 78, 100, 106, 134, 154, 192, 230])
def test_a_reader_spends_no_error_correction(length):
    """adafruit_miniqr alone leaves a reader 0.3 of it, and fails at the lengths that fill a version."""
    text = "xyz" * 77
    canvas, (version, medium), _ = drawn(text[:length], 122)
    (read,) = zxingcpp.read_barcodes(glass(canvas))
    assert read.text == text[:length]
    assert read.extra == {"UEC": 1.0, "DataMask": 0, "Version": str(version), "ECLevel": "M" if medium else "L"}


def glass(canvas):
    """The panel in a dark frame, with just the rim of white glass that the quiet zone counts on."""
    scale = 4
    image = Image.new("L", (canvas.width, canvas.height))
    image.putdata([255 * canvas.is_white(x, y) for y in range(canvas.height) for x in range(canvas.width)])
    rim = Image.new("L", (canvas.width + 2 * qr.RIM_PIXELS, canvas.height + 2 * qr.RIM_PIXELS), 255)
    rim.paste(image, (qr.RIM_PIXELS, qr.RIM_PIXELS))
    frame = Image.new("L", (rim.width + 40, rim.height + 40), 60)
    frame.paste(rim, (20, 20))
    return frame.resize((frame.width * scale, frame.height * scale), Image.Resampling.NEAREST)


@pytest.mark.parametrize(
    ("length", "box", "expected"),
    [
        (53, 122, (3, 111)),
        (42, 122, (3, 111)),
        (70, 122, (3, 122)),  # 41 modules of 3 are 123: one row of quiet zone is the glass's rim
        (70, 120, (2, 82)),
        (110, 122, (2, 98)),
        (230, 122, (2, 122)),
        (231, 122, None),
        (110, 90, None),
    ],
)
def test_module_size_is_the_largest_that_fits(length, box, expected):
    assert qr.plan("u" * length, box) == expected


def test_a_text_too_long_has_no_code():
    assert qr.encode("u" * 230) is not None
    assert qr.encode("u" * 231) is None


@pytest.mark.parametrize(("length", "expected"), [(42, (3, True)), (43, (3, False)), (53, (3, False)), (54, (4, True))])
def test_the_better_error_correction_is_taken_where_it_costs_no_larger_code(length, expected):
    assert qr._version("u" * length) == expected


def test_length_is_counted_in_bytes():
    assert qr.plan("é" * 120, 500) is None
    assert qr.plan("e" * 120, 500) is not None


def test_quiet_zone_is_white():
    canvas = Canvas(122, 250, 1)
    canvas.clear(0)
    planned = qr.plan("https://example.com/device?user_code=WDJB-MJHT", 122, 2)
    qr.draw(canvas, qr.encode("https://example.com/device?user_code=WDJB-MJHT"), planned, 0, 0)
    side, zone = planned[1], qr.QUIET_MODULES * planned[0]
    inside = range(zone, side - zone)
    for y in range(side):
        for x in range(side):
            if not (x in inside and y in inside):
                assert canvas.is_white(x, y), (x, y)
