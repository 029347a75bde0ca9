"""Divisions: the shipped table hangs together; a city's own file is taken row by row."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.codes import (
    LEVELS,
    CommunityCode,
    Division,
    Divisions,
    UnitGridCode,
    load_district_facts,
    parse_divisions,
    short_code,
)
from wanmi.codes.resources import folder_named, read_rows
from wanmi.errors import BadCode, NotFound


@pytest.fixture(name="shenyang")
def _shenyang() -> Divisions:
    return Divisions.load()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_counts_are_those_of_the_source(shenyang: Divisions) -> None:
    counts = {level: len(shenyang.at_level(level)) for level in LEVELS}
    assert counts == {"city": 1, "district": 13, "street": 190, "community": 2703}
    assert len(shenyang) == 2907


def test_every_division_has_its_parent_and_hangs_under_the_city(shenyang: Divisions) -> None:
    for level in LEVELS:
        for one in shenyang.at_level(level):
            chain = shenyang.chain(one.code)
            assert [above.level for above in chain] == list(LEVELS[: LEVELS.index(level) + 1])
            assert (chain[0].code, chain[-1]) == ("210100", one)
            assert one.name
            assert one.source
            assert one.confidence


def test_every_community_can_hold_unit_grids(shenyang: Divisions) -> None:
    for one in shenyang.at_level("community"):
        assert str(CommunityCode.parse(one.code)) == one.code == one.code12
        assert UnitGridCode.of(one.code, 999).community_code == one.code


def test_children_and_levels_under_a_division(shenyang: Divisions) -> None:
    assert [one.name for one in shenyang.children("210100")][:3] == ["和平区", "沈河区", "大东区"]
    assert len(shenyang.children("210102")) == 10
    assert len(shenyang.at_level("community", under="210102")) == 125
    assert len(shenyang.at_level("community", under="210100")) == 2703
    assert shenyang.at_level("street", under="210102") == shenyang.children("210102")
    assert shenyang.children("210102001002") == ()


def test_short_and_12_digit_codes_are_one(shenyang: Divisions) -> None:
    assert shenyang.find("210102000000") is shenyang.find("210102")
    assert shenyang.find("210102001000") is shenyang.find("210102001")
    assert "210102001002" in shenyang
    assert "210102001999" not in shenyang
    assert [shenyang.find(code).code12 for code in ("210102", "210102001")] == ["210102000000", "210102001000"]


@given(st.text("0123456789", max_size=13))
def test_short_code_can_be_filled_up_again(code: str) -> None:
    assert short_code(code) == code or short_code(code).ljust(12, "0") == code


def test_names_in_english_where_there_are_any(shenyang: Divisions) -> None:
    assert shenyang.find("210100").in_lang("en") == "Shenyang 沈阳市"
    assert shenyang.find("210102").in_lang("en") == "Heping District 和平区"
    assert shenyang.find("210102001").in_lang("en") == "浑河湾街道"
    assert shenyang.find("210102").in_lang("zh") == "和平区"
    assert all(one.name_en for one in shenyang.at_level("district"))


def test_unknown_division_and_table_are_told(shenyang: Divisions) -> None:
    assert shenyang.get("999999") is None
    with pytest.raises(BadCode, match="division '999999': not in the division table"):
        shenyang.chain("999999")
    with pytest.raises(NotFound, match=r"there are: .*cjt-2007, .*shenyang"):
        Divisions.load("atlantis")


def test_shipped_rows_pass_the_import_s_own_parser() -> None:
    rows = read_rows(folder_named("shenyang"), "divisions.csv")
    good, bad = parse_divisions(rows)
    assert (len(good), bad) == (2906, [])


def test_parents_may_come_after_their_children() -> None:
    rows = read_rows(folder_named("shenyang"), "divisions.csv")[:400]
    forward, backward = parse_divisions(rows), parse_divisions(reversed(rows))
    assert {one.code: one for one in forward[0]} == {one.code: one for one in backward[0]}


def test_bad_rows_are_refused_one_by_one_with_their_numbers() -> None:
    good, bad = parse_divisions(
        rows_of(
            "level,code12,code,name,parent\n"
            "district,210102000000,210102,和平区,210100\n"
            "street,210102001000,210102001,浑河湾街道,210102\n"
            "street,210102001000,210102001,浑河湾街道,210102\n"
            "community,210102001002,210102001002,,210102001\n"
            "community,210103001002,210103001002,别处社区,210103001\n"
            "community,210102001003,210102001003,砂阳南社区,210102002\n"
            "street,210102001005,210102001005,南京南社区,210102001\n"
            "community,21010200100x,21010200100x,坏社区,210102001\n"
            "street,210102002000,210102003,错街道,210102\n"
            "community,210102001006,210102001006,乙社区,210102001,甲\n"
            "\n"
            "community,210102001007,210102001007, 丙社区 ,210102001\n"
        )
    )
    assert [one.name for one in good] == ["和平区", "浑河湾街道", "丙社区"]
    expected = {
        4: "stands twice",
        5: "needs a name of 1 to 60 characters, has 0",
        6: "its parent 210103001 is neither in the file nor known",
        7: "column parent says '210102002', the code means '210102001'",
        8: "column level says 'street', the code means 'community'",
        9: "community code '21010200100x'",
        10: "column code12 says '210102002000', the code means '210102003000'",
        11: "more columns than the header",
    }
    assert [one.row for one in bad] == list(expected)
    for refused in bad:
        assert expected[refused.row] in refused.reason


def test_child_of_a_refused_parent_is_refused_too() -> None:
    good, bad = parse_divisions(rows_of("code,name\n210102001,\n210102001002,水源地社区\n210102,和平区\n"))
    assert [one.code for one in good] == ["210102"]
    assert [one.row for one in bad] == [2, 3]
    assert "add it first" in bad[1].reason


def test_known_divisions_serve_as_parents(shenyang: Divisions) -> None:
    rows = rows_of("code12,name\n210102001888,新社区\n")
    assert parse_divisions(rows)[0] == []
    good, bad = parse_divisions(rows, {"210102001": shenyang.find("210102001")})
    assert (good, bad) == ([Division("210102001888", "community", "新社区", "210102001")], [])


cell = st.one_of(st.none(), st.text(max_size=14), st.text("0123456789", min_size=5, max_size=13))


@given(
    st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(("code", "code12", "name", "level"), cell)), max_size=6)
)
def test_any_rows_are_each_taken_or_refused(rows: list[dict[str, str | None]]) -> None:
    good, bad = parse_divisions(rows)
    assert len(good) + len(bad) == len(rows)
    assert all(one.reason and 2 <= one.row < len(rows) + 2 for one in bad)


def test_district_facts_agree_with_the_divisions(shenyang: Divisions) -> None:
    facts = load_district_facts()
    assert [one.code for one in facts] == [one.code for one in shenyang.at_level("district")]
    communities = Counter(one.code[:6] for one in shenyang.at_level("community"))
    for one in facts:
        assert shenyang.find(one.code).name == one.name
        assert len(shenyang.children(one.code)) == one.streets
        assert communities[one.code] == one.communities
        assert one.south_west.lon_e7 < one.centroid.lon_e7 < one.north_east.lon_e7
        assert one.south_west.lat_e7 < one.centroid.lat_e7 < one.north_east.lat_e7
        assert one.source
        assert one.confidence
    heping = facts[0]
    assert (heping.area_amap_ha, heping.area_tianditu_ha) == (6010, 6020)
    assert str(heping.centroid) == "123.3829000,41.7436000"
