"""Every kind of code: text to code and back, near misses refused, numbers that grow, words for the parts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.codes import (
    CODE_KINDS,
    CaseKind,
    CaseNumber,
    Code,
    CommunityCode,
    ComponentId,
    Divisions,
    EventCode,
    NodeCode,
    Profile,
    RegionCode,
    StreetCode,
    TerminalId,
    UnitGridCode,
    local_date,
    matching_kinds,
)
from wanmi.errors import BadCode, BadInput

NOON_2026_11_24 = 1_795_492_800_000_000  # 2026-11-24 12:00 in Shanghai


def number(width: int, grows: bool = False) -> st.SearchStrategy[str]:
    most = 10 ** (9 if grows else width) - 1
    return st.integers(1, most).map(lambda value: f"{value:0{width}d}")


region = st.integers(100_000, 999_999).map(str)
category = st.tuples(number(2), number(2)).map("".join)
community = st.tuples(region, number(3), number(3)).map("".join)
node = st.one_of(region, st.tuples(region, number(2)).map("".join))
day = st.dates().map(lambda value: f"{value.year:04d}{value.month:02d}{value.day:02d}")

TEXTS: dict[type[Code], st.SearchStrategy[str]] = {
    RegionCode: region,
    StreetCode: st.tuples(region, number(3)).map("".join),
    CommunityCode: community,
    UnitGridCode: st.tuples(community, number(3)).map("".join),
    ComponentId: st.tuples(region, category, number(6)).map("".join),
    EventCode: st.tuples(region, category).map("".join),
    CaseNumber: st.tuples(node, st.sampled_from("CE"), category, day, number(4, grows=True)).map(
        lambda parts: "{}-{}{}-{}-{}".format(*parts)
    ),
    NodeCode: node,
    TerminalId: st.tuples(region, number(4, grows=True)).map(lambda parts: "T{}-{}".format(*parts)),
}

any_code = st.sampled_from(CODE_KINDS).flatmap(lambda kind: st.tuples(st.just(kind), TEXTS[kind]))


def test_every_kind_is_generated() -> None:
    assert set(TEXTS) == set(CODE_KINDS)


@given(any_code)
def test_text_to_code_and_back(made: tuple[type[Code], str]) -> None:
    kind, text = made
    code = kind.parse(text)
    assert str(code) == text
    assert kind.parse(str(code)) == code
    assert hash(kind.parse(text)) == hash(code)
    kind.check(text)
    assert kind in matching_kinds(text)


@given(any_code, st.sampled_from([" {}", "{} ", "{}\n", "\t{}", "{}\x00", "{}０", "-{}", "{}-", "{}x"]))
def test_anything_put_around_a_code_is_refused(made: tuple[type[Code], str], around: str) -> None:
    kind, text = made
    with pytest.raises(BadCode, match=re.escape(kind.shape().en)):
        kind.parse(around.format(text))


@given(any_code, st.data())
def test_other_scripts_digits_are_refused(made: tuple[type[Code], str], data: st.DataObject) -> None:
    kind, text = made
    at = data.draw(st.sampled_from([i for i, char in enumerate(text) if char.isdigit()]))
    zero = data.draw(st.sampled_from("０٠०０𝟎"))
    with pytest.raises(BadCode, match="ASCII"):
        kind.parse(text[:at] + chr(ord(zero) + int(text[at])) + text[at + 1 :])


@given(any_code)
def test_a_character_less_is_refused_or_another_text(made: tuple[type[Code], str]) -> None:
    """Cut short, a code never comes back as itself: nothing is filled up."""
    kind, text = made
    shorter = text[:-1]
    if kind.shape().fits(shorter):
        assert kind in (CaseNumber, TerminalId)
        assert str(kind.parse(shorter)) == shorter
    else:
        with pytest.raises(BadCode, match=re.escape(repr(shorter))):
            kind.parse(shorter)


@given(st.text(max_size=40))
def test_any_text_is_a_code_or_a_bad_code_and_nothing_else(text: str) -> None:
    for kind in CODE_KINDS:
        if kind.shape().fits(text):
            assert str(kind.parse(text)) == text
        else:
            with pytest.raises(BadCode, match=kind.shape().en):
                kind.check(text)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (RegionCode, "010102", "6 region, like 210102"),
        (RegionCode, "21010", "has 5 characters"),
        (RegionCode, "", "has 0 characters"),
        (StreetCode, "210102000", "street 000 is not used, numbers begin at 001"),
        (CommunityCode, "210102001000", "community 000 is not used"),
        (UnitGridCode, "210102001002000", "grid number 000 is not used, numbers begin at 001"),
        (UnitGridCode, "21010200100201", "has 14 characters and must be 6 district + 3 street + 3 community"),
        (ComponentId, "2101020102000000", "number 000000 is not used"),
        (ComponentId, "2101020100000001", "category 00 is not used"),
        (ComponentId, "21010201020000001", "has 17 characters"),
        (EventCode, "2101020002", "major class 00 is not used"),
        (NodeCode, "21010200", "edge number 00 is not used"),
        (NodeCode, "2101021", "6 region + 2 edge number (or no edge number)"),
        (TerminalId, "T210102-0000", "terminal number 0000 is not used"),
        (TerminalId, "T210102-00001", "must be"),
        (TerminalId, "t210102-0001", 'must be "T"'),
        (TerminalId, "T210102-001", "4+ terminal number"),
        (CaseNumber, "210102-E0102-20261124-0000", "number of the day 0000 is not used"),
        (CaseNumber, "210102-E0102-20261124-00007", "4+ number of the day"),
        (CaseNumber, "210102-E0102-20261124-007", "4+ number of the day"),
        (CaseNumber, "210102-E0102-20261131-0007", "20261131 is no day of the calendar"),
        (CaseNumber, "210102-E0102-00001124-0007", "00001124 is no day of the calendar"),
        (CaseNumber, "210102-X0102-20261124-0007", "C or E"),
        (CaseNumber, "210102-e0102-20261124-0007", "C or E"),
        (CaseNumber, "21010200-E0102-20261124-0007", "6 or 8 owner node"),
        (CaseNumber, "210102-E0102-20261124-" + "9" * 5000, "must be"),
    ],
)
def test_near_misses_say_what_is_wrong(kind: type[Code], text: str, told: str) -> None:
    with pytest.raises(BadCode, match=re.escape(told)) as caught:
        kind.check(text)
    assert len(str(caught.value)) < 400


def test_examples_of_the_profile_are_codes_of_their_kind() -> None:
    profile = Profile.load()
    assert set(profile.shapes) == {kind.kind for kind in CODE_KINDS}
    for kind in CODE_KINDS:
        assert str(kind.parse(profile.shape(kind.kind).example, profile)) == profile.shape(kind.kind).example


@given(community, st.integers(1, 999))
def test_grid_is_built_from_community_and_number(code: str, grid: int) -> None:
    built = UnitGridCode.of(code, grid)
    assert (built.community_code, built.number, len(str(built))) == (code, grid, 15)


@pytest.mark.parametrize("grid", [0, -1, 1000])
def test_grid_number_beyond_a_community_is_refused(grid: int) -> None:
    with pytest.raises(BadCode, match=f"grid number {grid} does not fit; it runs from 1 to 999"):
        UnitGridCode.of("210102001002", grid)


def test_building_refuses_parts_that_do_not_fit() -> None:
    with pytest.raises(BadCode, match="unit grid code"):
        UnitGridCode.of("210102001", 1)
    with pytest.raises(BadCode, match="edge number 100 does not fit"):
        NodeCode.of("210102", 100)
    with pytest.raises(BadCode, match="event class code"):
        EventCode.of("210102", "102")
    with pytest.raises(BadCode, match="must be component or event"):
        CaseNumber.of("210102", "stage", "0102", NOON_2026_11_24, 1)  # type: ignore[arg-type]


def test_built_codes_read_as_written() -> None:
    assert str(ComponentId.of("210102", "0102", 1)) == "2101020102000001"
    assert (ComponentId.parse("2101020102000001").category, ComponentId.parse("2101020102000001").number) == ("0102", 1)
    assert str(EventCode.of("210102", "0102")) == "2101020102"
    assert EventCode.parse("2101020102").category == "0102"
    assert str(NodeCode.of("210102")) == "210102"
    assert str(NodeCode.of("210102", 1)) == "21010201"
    assert str(TerminalId.of("210102", 1)) == "T210102-0001"
    assert TerminalId.of("210102", 12_345).number == 12_345


@given(
    node,
    st.sampled_from(["component", "event"]),
    category,
    st.integers(0, 4_102_444_800_000_000),
    st.integers(1, 10**12 - 1),
)
def test_case_number_is_built_and_read_back(owner: str, kind: CaseKind, code: str, at_us: int, sequence: int) -> None:
    case = CaseNumber.parse(str(CaseNumber.of(owner, kind, code, at_us, sequence)))
    assert (case.owner, case.case_kind, case.category, case.number) == (owner, kind, code, sequence)
    assert case.local_day == local_date(at_us)


@pytest.mark.parametrize(
    ("sequence", "text"),
    [(1, "0001"), (7, "0007"), (9999, "9999"), (10_000, "10000"), (1_234_567, "1234567")],
)
def test_day_s_number_grows_past_four_digits(sequence: int, text: str) -> None:
    case = CaseNumber.of("210102", "event", "0102", NOON_2026_11_24, sequence)
    assert str(case) == f"210102-E0102-20261124-{text}"


@pytest.mark.parametrize("sequence", [0, -3, 10**12])
def test_day_s_number_has_bounds(sequence: int) -> None:
    with pytest.raises(BadCode, match="number of the day"):
        CaseNumber.of("210102", "event", "0102", NOON_2026_11_24, sequence)


def test_day_turns_at_local_midnight() -> None:
    midnight = int(datetime(2026, 11, 24, 16, tzinfo=UTC).timestamp()) * 1_000_000
    assert local_date(midnight - 1).isoformat() == "2026-11-24"
    assert local_date(midnight).isoformat() == "2026-11-25"
    assert local_date(midnight, "UTC").isoformat() == "2026-11-24"
    assert CaseNumber.of("210102", "component", "0101", midnight, 1).day == "20261125"


@given(st.datetimes(min_value=datetime(1992, 1, 1), max_value=datetime(2100, 1, 1)))
def test_local_day_is_eight_hours_ahead_of_utc(at: datetime) -> None:
    """China has had no summer time since 1991."""
    at_us = (at - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    assert local_date(at_us) == at.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=8))).date()


@pytest.mark.parametrize("zone", ["Asia/Shenyang", "", "../etc/passwd"])
def test_unknown_zone_is_told(zone: str) -> None:
    with pytest.raises(BadInput, match="time zone"):
        local_date(0, zone)


@pytest.mark.parametrize("at_us", [10**18, -(10**18), 10**30])
def test_time_beyond_the_calendar_is_told(at_us: int) -> None:
    with pytest.raises(BadInput, match="microseconds since 1970"):
        local_date(at_us)


def test_explained_in_chinese_with_real_names() -> None:
    told = CaseNumber.explain("210102-E0102-20261124-0007", Profile.load(), Divisions.load())
    assert told == [
        ("案卷编号", "210102-E0102-20261124-0007"),
        ("所属节点", "210102 和平区"),
        ("案卷类型", "E 事件"),
        ("大类", "01 市容环境类"),
        ("小类", "0102 暴露垃圾"),
        ("日期", "2026-11-24"),
        ("当日顺序号", "0007"),
    ]


def test_explained_in_english() -> None:
    told = ComponentId.explain("2101030102000031", Profile.load(), Divisions.load(), "en")
    assert told == [
        ("component id", "2101030102000031"),
        ("district", "210103 Shenhe District 沈河区"),
        ("major class", "01 Public utilities"),
        ("category", "0102 Sewage manhole cover"),
        ("number", "000031"),
    ]


def test_grid_is_explained_down_to_its_community() -> None:
    told = UnitGridCode.explain("210102001002017", Profile.load(), Divisions.load())
    assert [meaning for _, meaning in told] == [
        "210102001002017",
        "210102 和平区",
        "210102001 浑河湾街道",
        "210102001002 水源地社区",
        "017",
    ]


def test_edge_and_city_are_explained() -> None:
    profile, divisions = Profile.load(), Divisions.load()
    assert NodeCode.explain("21010201", profile, divisions)[1:] == [("行政区划", "210102 和平区"), ("边缘节点号", "01")]
    assert NodeCode.explain("210100", profile, divisions)[1:] == [("行政区划", "210100 沈阳市")]
    assert ("owner node", "210102 Heping District 和平区 (edge 01)") in CaseNumber.explain(
        "21010201-C2101-20261124-0001", profile, divisions, "en"
    )


def test_what_the_tables_do_not_know_is_said_and_no_error() -> None:
    profile, divisions = Profile.load(), Divisions.load()
    assert [meaning for _, meaning in EventCode.explain("9999990788", profile, divisions)] == [
        "9999990788",
        "999999 未登记",
        "07 未登记",
        "0788 未登记",
    ]
    assert ("category", "2107 not in the tables") in ComponentId.explain("2101022107000001", profile, divisions, "en")
    with pytest.raises(BadCode):
        EventCode.explain("21010201", profile, divisions)


@given(any_code, st.sampled_from(["zh", "en"]))
def test_every_code_can_be_explained(made: tuple[type[Code], str], lang: str) -> None:
    kind, text = made
    told = kind.explain(text, Profile.load(), Divisions.load(), "zh" if lang == "zh" else "en")
    assert told[0][1] == text
    assert all(label and meaning for label, meaning in told)


def test_a_text_may_be_several_kinds() -> None:
    assert matching_kinds("210102") == (RegionCode, NodeCode)
    assert matching_kinds("2101020102") == (EventCode,)
    assert matching_kinds("hello") == ()
