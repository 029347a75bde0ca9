"""One caller, one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.errors import BadInput
from wanmi_hotline.numbers import Number, normalise

AREA = "24"
MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
LAND = st.from_regex(r"[2-8][0-9]{7}", fullmatch=True)
AREAS = st.sampled_from(["10", "24", "21", "411", "755", "898"])


def said(text: str) -> str:
    found = normalise(text, AREA)
    assert found is not None
    return str(found)


@given(MOBILE)
def test_every_spelling_of_a_mobile_is_one(mobile: str) -> None:
    spelt = f"{mobile[:3]}-{mobile[3:7]} {mobile[7:]}"
    for text in (
        mobile, f"0{mobile}", f"+86{mobile}", f"86{mobile}", f"0086{mobile}", f"+86 {spelt}", f"(+86){spelt}",
        f"sip:+86{mobile}@10.0.0.1:5060", f"tel:+86{mobile}", mobile.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    ):  # fmt: skip
        assert said(text) == f"+86{mobile}", text


@given(AREAS, LAND, st.from_regex(r"[0-9]{2,4}", fullmatch=True))
def test_every_spelling_of_a_landline_is_one(area: str, land: str, extension: str) -> None:
    whole = f"+86{area}{land}"
    for text in (
        f"0{area}{land}",
        f"0{area}-{land}",
        f"(0{area}){land}",
        f"+86{area}{land}",
        f"+86 {area} {land}",
        f"0086{area}{land}",
    ):
        assert said(text) == whole, text
    for text in (
        f"0{area}-{land}-{extension}",
        f"0{area}{land}转{extension}",
        f"0{area}-{land} ext.{extension}",
        f"0{area}{land},{extension}",
    ):
        assert said(text) == f"{whole};ext={extension}", text


@given(LAND)
def test_a_number_without_area_code_is_of_this_area(land: str) -> None:
    assert said(land) == said(f"024-{land}") == f"+8624{land}"


@given(
    st.one_of(
        MOBILE,
        LAND,
        st.builds(lambda a, n: f"0{a}{n}", AREAS, LAND),
        st.from_regex(r"\+1[2-9][0-9]{9}", fullmatch=True),
    )
)
def test_the_one_spelling_stays(number: str) -> None:
    once = said(number)
    assert said(once) == once


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12345", "12345"),
        ("12319", "12319"),
        ("110", "110"),
        ("95588", "95588"),
        ("400-820-8820", "4008208820"),
        ("+1 (415) 555-0100", "+14155550100"),
        ("001-415-555-0100", "+14155550100"),
        ("024-2386 5678", "+862423865678"),
        ("0411-8363 1234", "+8641183631234"),
        ("+86-24-23865678-801", "+862423865678;ext=801"),
        ("23865678#12", "+862423865678;ext=12"),
    ],
)
def test_numbers_as_people_write_them(text: str, number: str) -> None:
    assert said(text) == number


@pytest.mark.parametrize(
    "text", ["", "anonymous", "Anonymous", "sip:anonymous@anonymous.invalid", "未知", "Restricted"]
)
def test_who_hides_their_number_has_none(text: str) -> None:
    assert normalise(text, AREA) is None


@pytest.mark.parametrize("text", ["call me", "024-23,86Y678", "1" * 61, "+", "转801"])
def test_what_is_no_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadInput) as error:
        normalise(text, AREA)
    assert text not in str(error.value) or text == "+"


@given(st.text(max_size=70))
def test_anything_is_a_number_none_or_refused(text: str) -> None:
    try:
        found = normalise(text, AREA)
    except BadInput:
        return
    assert found is None or isinstance(found, Number)
