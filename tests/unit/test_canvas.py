"""The canvas against the published adafruit_framebuf: the same picture, pixel for pixel, in every rotation."""

from __future__ import annotations

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.canvas import Canvas

coordinate = st.integers(-9, 30) | st.integers(58, 135)
length = st.integers(-2, 40)
color = st.integers(0, 1)
step = st.one_of(
    st.tuples(st.just("pixel"), coordinate, coordinate, color),
    st.tuples(st.just("fill_rect"), coordinate, coordinate, length, length, color),
)


def published(native_width, native_height, rotation):
    import adafruit_framebuf

    stride = (native_width + 7) // 8 * 8
    frame = adafruit_framebuf.FrameBuffer(
        bytearray(stride // 8 * native_height), native_width, native_height, adafruit_framebuf.MHMSB, stride
    )
    frame.rotation = rotation
    frame.fill(1)
    return frame


@pytest.mark.parametrize("rotation", [0, 1, 2, 3])
@given(
    native_width=st.integers(1, 26),
    native_height=st.sampled_from([1, 26, 63, 64, 65, 130]),
    steps=st.lists(step, max_size=12),
)
def test_drawing_equals_adafruit_framebuf(device_library_path, rotation, native_width, native_height, steps):
    canvas = Canvas(native_width, native_height, rotation)
    frame = published(native_width, native_height, rotation)
    for name, *arguments in steps:
        getattr(canvas, name)(*arguments)
        getattr(frame, name)(*arguments)
    assert b"".join(canvas.bands) == frame.buf


@pytest.mark.parametrize("rotation", [0, 1, 2, 3])
def test_every_pixel_of_a_122_wide_panel_lands_where_adafruit_framebuf_puts_it(device_library_path, rotation):
    canvas = Canvas(122, 250, rotation)
    frame = published(122, 250, rotation)
    assert (canvas.width, canvas.height) == ((250, 122) if rotation % 2 else (122, 250))
    for y in range(canvas.height):
        for x in range(canvas.width):
            if (x * 7 + y * 3) % 5 == 0:
                canvas.pixel(x, y, 0)
                frame.pixel(x, y, 0)
            assert canvas.is_white(x, y) == bool(frame.pixel(x, y))
    assert b"".join(canvas.bands) == frame.buf


@pytest.mark.parametrize("rotation", [0, 1, 2, 3])
@given(data=st.data(), width=st.integers(1, 20), height=st.integers(1, 20), x=coordinate, y=coordinate)
def test_blit_draws_exactly_the_set_bits(rotation, data, width, height, x, y):
    bits = data.draw(st.binary(min_size=(width * height + 7) // 8, max_size=(width * height + 7) // 8))
    canvas = Canvas(26, 19, rotation)
    canvas.blit(bits, width, height, x, y)
    black = {(i, j) for j in range(canvas.height) for i in range(canvas.width) if not canvas.is_white(i, j)}
    expected = set()
    for index in range(width * height):
        if bits[index // 8] & (0x80 >> index % 8):
            expected.add((x + index % width, y + index // width))
    assert black == {(i, j) for i, j in expected if 0 <= i < canvas.width and 0 <= j < canvas.height}


def test_no_band_is_large_for_a_small_heap():
    canvas = Canvas(122, 250, 1)
    assert [len(band) for band in canvas.bands] == [1024, 1024, 1024, 928]
    canvas.pixel(0, 0)
    assert canvas.bands[0] == b"\xff" * 15 + b"\xbf" + b"\xff" * 16 * 63  # column 121 of the first native row


def test_crc_tells_pictures_apart():
    canvas = Canvas(122, 250, 1)
    blank = canvas.crc()
    assert blank == binascii.crc32(b"\xff" * 16 * 250)
    canvas.pixel(3, 3)
    assert canvas.crc() != blank
    canvas.clear()
    assert canvas.crc() == blank


@pytest.mark.parametrize("rotation", [4, -1])
def test_what_is_no_rotation_is_refused(rotation):
    with pytest.raises(ValueError, match="rotation"):
        Canvas(122, 250, rotation)
