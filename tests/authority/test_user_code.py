"""User codes (RFC 8628 6.1): the shapes a tenant may choose, and what a person may make of them in typing."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from host_tools.authority.core.user_code import ALPHABETS, CHARSETS, FEWEST, LONGEST_MASK, UserCodes
from host_tools.authority.errors import InvalidSetting

BASE20 = "BCDFGHJKLMNPQRSTVWXZ"
DIGITS = "0123456789"


@st.composite
def tenants(draw) -> UserCodes:
    """Every shape that is allowed."""
    charset = draw(st.sampled_from(CHARSETS))
    mask = draw(st.text("*- ", max_size=LONGEST_MASK))
    places = mask.count("*")
    assume(places <= LONGEST_MASK)
    if places < FEWEST[charset]:
        mask = mask.replace("-", "*").replace(" ", "*").ljust(FEWEST[charset], "*")
    return UserCodes(charset, "*" + mask.strip()[1:])


def test_what_an_auth0_tenant_has_by_default():
    codes = UserCodes()
    assert (codes.charset, codes.mask, codes.length) == ("base20", "****-****", 8)
    assert codes.shown("WDJBMJHT") == "WDJB-MJHT"


@given(tenants())
def test_a_code_is_of_its_alphabet_and_shown_by_its_mask(codes):
    code = codes.generate()
    assert len(code) == codes.length
    assert set(code) <= set({"base20": BASE20, "digits": DIGITS}[codes.charset])
    shown = codes.shown(code)
    assert len(shown) == len(codes.mask)
    assert ["*" if sign == "*" else sign for sign in codes.mask] == [
        "*" if letter in ALPHABETS[codes.charset] else letter for letter in shown
    ]
    assert shown.replace("-", "").replace(" ", "") == code


@given(tenants(), st.data())
def test_a_code_is_known_however_it_is_typed(codes, data):
    """Capitals or not, and with whatever stands between that is no letter of the alphabet."""
    code = codes.generate()
    between = st.text(
        st.characters(exclude_characters=BASE20 + BASE20.lower() + DIGITS, max_codepoint=0x7F), max_size=2
    )
    typed = "".join(
        data.draw(between) + (letter.lower() if data.draw(st.booleans()) else letter) for letter in codes.shown(code)
    )
    assume(len(typed) <= 64)
    assert codes.normalised(typed) == code


@pytest.mark.parametrize(
    ("charset", "mask", "typed", "code"),
    [
        ("base20", "****-****", "wdjb mjht", "WDJBMJHT"),
        ("base20", "****-****", "WDJB_MJHT.", "WDJBMJHT"),
        ("base20", "****-****", "W-D-J-B-M-J-H-T", "WDJBMJHT"),
        ("base20", "****-****", "ewodajubimejohat", "WDJBMJHT"),  # vowels are in no code
        ("digits", "***-***-***", "123 456 789", "123456789"),
        ("digits", "***-***-***", "123456789", "123456789"),
        ("digits", "***-***-***", "no. 123-456-789!", "123456789"),
        ("base20", "****-****", "WDJB-MJH", None),
        ("base20", "****-****", "WDJB-MJHTT", None),
        ("base20", "****-****", "1234-5678", None),
        ("digits", "***-***-***", "12345678", None),
        ("digits", "***-***-***", "WDJB-MJHT-B", None),
        ("base20", "****-****", "", None),
        ("base20", "****-****", "WDJB-MJHT" + " " * 55, "WDJBMJHT"),
        ("base20", "****-****", "WDJB-MJHT" + " " * 56, None),
    ],
)
def test_what_is_typed_is_a_code_or_it_is_none(charset, mask, typed, code):
    assert UserCodes(charset, mask).normalised(typed) == code


@given(tenants(), st.text())
def test_whatever_is_typed_is_a_code_of_the_tenant_or_none(codes, typed):
    code = codes.normalised(typed)
    assert code is None or (len(code) == codes.length and set(code) <= set(ALPHABETS[codes.charset]))


def test_a_code_of_another_mask_is_shown_as_it_is():
    assert UserCodes("digits", "***-***-***").shown("WDJBMJHT") == "WDJBMJHT"


@pytest.mark.parametrize(
    ("charset", "mask", "bits"),
    [
        ("base20", "****-****", 34.6),
        ("digits", "***-***-***", 29.9),
        ("digits", "****-****-****-****", 53.2),
        ("base20", "*" * 20, 86.4),
    ],
)
def test_how_much_there_is_to_guess(charset, mask, bits):
    codes = UserCodes(charset, mask)
    assert round(codes.bits, 1) == bits
    assert codes.bits == pytest.approx(math.log2(len({"base20": BASE20, "digits": DIGITS}[charset]) ** codes.length))


@given(tenants())
def test_no_shape_that_is_allowed_is_easier_to_guess_than_nine_digits(codes):
    assert codes.bits >= UserCodes("digits", "*********").bits


@pytest.mark.parametrize(
    ("charset", "mask", "field", "said"),
    [
        ("hex", "****-****", "charset", "charset is 'hex'; it must be one of base20, digits"),
        (None, "****-****", "charset", "charset is None; it must be one of base20, digits"),
        ("base20", "****-***", "mask", "mask has 7 places (*); with base20 it needs 8 or more"),
        ("digits", "****-****", "mask", "mask has 8 places (*); with digits it needs 9 or more"),
        ("base20", "", "mask", "mask has 0 places (*); with base20 it needs 8 or more"),
        ("base20", "****_****", "mask", "mask is '****_****'; it is made of *, hyphens and spaces"),
        ("base20", 8, "mask", "mask is 8; it is made of *, hyphens and spaces"),
        ("base20", "*" * 21, "mask", "mask is 21 signs long; it may have 20"),
        ("base20", "****  -  -  -  -  ****", "mask", "mask is 22 signs long; it may have 20"),
        ("base20", " ********", "mask", "mask begins or ends with a space, which nobody sees"),
        ("base20", "******** ", "mask", "mask begins or ends with a space, which nobody sees"),
    ],
)
def test_a_shape_that_auth0_would_refuse_is_refused(charset, mask, field, said):
    with pytest.raises(InvalidSetting) as refused:
        UserCodes(charset, mask)
    assert (refused.value.field, str(refused.value)) == (field, said)


def test_codes_are_spread_over_the_whole_alphabet():
    """400 codes of 8 leave out a given letter with odds of 0.95**3200, 5e-72."""
    codes = UserCodes()
    assert set("".join(codes.generate() for _ in range(400))) == set(BASE20)
