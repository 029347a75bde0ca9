"""Day lists: read from CSV with their source, bad rows named."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.calendar import Day, WorkHours, chunks_of, parse_days, shipped_calendar, year_lists
from wanmi.calendar.kinds import ROWS_A_CHUNK
from wanmi.entries import MAX_RAW, canonical
from wanmi.errors import BadInput

GOOD = """date,is_workday,name,source
2027-01-01,0,元旦,国办发明电〔2026〕7号
2027-02-20,1,春节,
"""


def test_days_keep_their_source() -> None:
    assert parse_days(GOOD, "days.csv").days == (
        Day(date(2027, 1, 1), False, "元旦", "国办发明电〔2026〕7号"),
        Day(date(2027, 2, 20), True, "春节", "days.csv"),
    )
    assert parse_days("\ufeff" + GOOD.replace("\n", "\r\n")).days[0].name == "元旦"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2027-02-30,0,x,", "2027-02-30"),
        ("27-02-03,0,x,", "must be a day such as"),
        ("20270203,0,x,", "must be a day such as"),
        ("2027-02-03,2,x,", "must be 0 or 1"),
        ("2027-02-03", "must be 0 or 1"),
        ("2027-01-01,0,again,", "stands twice"),
        ("1985-02-03,0,x,", "1992"),
        (f"2027-02-03,0,{'x' * 61},", "name must be at most 60"),
        ("2027-02-03,0,a\tb,", "printable"),
        (",,,", "must be a day"),
    ],
)
def test_bad_rows_are_named_and_the_others_taken(row: str, reason: str) -> None:
    parsed = parse_days(GOOD + row + "\n2027-03-03,0,x,\n")
    assert [day.date.month for day in parsed.days] == [1, 2, 3]
    ((number, why),) = [(bad.row, bad.reason) for bad in parsed.bad]
    assert number == 4
    assert reason in why


def test_a_file_without_the_columns_is_refused() -> None:
    with pytest.raises(BadInput, match="is_workday"):
        parse_days("date,name\n2027-01-01,x\n")
    with pytest.raises(BadInput, match="date, is_workday, name"):
        parse_days("")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_days("date,is_workday,name\n" + text)
    except BadInput:
        raise AssertionError("the header is there; only rows may be bad") from None


def test_days_go_to_the_year_whose_notice_names_them() -> None:
    days = parse_days(GOOD + "2026-12-31,0,元旦,\n2028-01-01,0,元旦,\n").days
    with pytest.raises(BadInput, match="of 2026 only December"):
        year_lists(days)
    assert [one.year for one in year_lists(days[1:])] == [2027, 2028]
    (whole,) = year_lists(days[:3], 2027)
    assert len(whole.days) == 3
    with pytest.raises(BadInput, match="give its own year"):
        year_lists(days, 2027)


def test_the_package_covers_2004_to_2026_with_names_and_sources() -> None:
    calendar = shipped_calendar()
    assert [one.year for one in calendar.lists] == list(range(2004, 2027))
    assert all(day.name and day.source for one in calendar.lists for day in one.days)
    names = {calendar.name_of(day, "zh") for one in calendar.lists for day in one.days}
    assert {"国庆节", "春节"} <= names
    assert all(not name.isascii() for name in names)
    # every listed day differs from Monday to Friday or is a named holiday; nobody works on a named day off
    assert not calendar.is_workday(date(2025, 10, 6))
    assert calendar.is_workday(date(2025, 9, 28))
    assert calendar.is_workday(date(2025, 10, 11))


def test_chunks_stay_below_an_entrys_size_at_their_longest() -> None:
    longest = [Day(date.fromordinal(date(2027, 1, 1).toordinal() + n), True, "元" * 60, "号" * 200) for n in range(365)]
    (one,) = year_lists(longest, hours=WorkHours.parse("08:00-12:00,14:00-18:00"))
    bodies = list(chunks_of(one, "号" * 200, "0" * 64))
    assert [len(body.rows) for body in bodies] == [ROWS_A_CHUNK] * 6 + [5]
    assert [(body.chunk, body.chunks) for body in bodies] == [(n, 7) for n in range(1, 8)]
    import msgspec

    assert max(len(canonical(msgspec.to_builtins(body))) for body in bodies) < MAX_RAW - 2048
