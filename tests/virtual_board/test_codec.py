import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.virtual_board.circuitpython import _codec

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=50) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


@given(values)
def test_what_is_sent_is_what_arrives(value):
    frame = _codec.frame(value)
    decoded, end = _codec.decode(frame, 4)
    assert decoded == value
    assert type(decoded) is type(value)
    assert end == len(frame) == 4 + int.from_bytes(frame[:4], "little")


@pytest.mark.parametrize("whole", [b"frame of bytes", "text"])
def test_a_frame_cut_short_is_noticed(whole):
    frame = _codec.frame(whole)
    with pytest.raises(ValueError, match="cut short"):
        _codec.decode(frame[:-1], 4)


def test_floats_do_not_cross():
    with pytest.raises(TypeError, match="does not cross the link"):
        _codec.frame(1.5)


def test_an_unknown_tag_is_refused():
    with pytest.raises(ValueError, match="tag 33 is unknown"):
        _codec.decode(b"!", 0)
