"""The profile of 2026 is whole, and the mapping accounts for every category of 2007."""

from __future__ import annotations

from collections import Counter

import pytest

from wanmi.codes import CaseNumber, CodeMap, ComponentId, EventCode, Profile, shipped_profiles
from wanmi.codes.mapping import read_mapping
from wanmi.errors import BadCode, BadInput, NotFound

NEW = Profile.load("gbt-47678")
OLD = Profile.load("cjt-2007")
MAP = CodeMap.load()


def test_counts_are_those_of_the_standard() -> None:
    majors = Counter(one.major for one in NEW.catalogue.of_kind("component"))
    assert majors == {"01": 76, "02": 44, "03": 16, "04": 14, "05": 3}
    assert len(NEW.catalogue.of_kind("component")) == 153
    assert len(NEW.catalogue.of_kind("event")) == 250
    assert shipped_profiles() == ("cjt-2007", "gbt-47678")


def test_codes_have_the_new_widths() -> None:
    assert str(ComponentId.of("210102", "01002", 1, NEW)) == "21010201002000001"
    assert str(EventCode.of("210102", "06010", NEW)) == "21010206010"
    number = CaseNumber.of("210102", "event", "06010", 0, 7, profile=NEW)
    assert str(number) == "210102-E06010-19700101-0007"
    for one in NEW.catalogue.categories:
        made = (
            ComponentId.of("210102", one.code, 1, NEW)
            if one.kind == "component"
            else EventCode.of("210102", one.code, NEW)
        )
        assert made.category == one.code
        assert all((one.name_en, one.name_zh, one.source))
        assert NEW.limits(one.kind, one.code), one


def test_every_component_has_its_twin_matter() -> None:
    twins = [NEW.category("event", one.code).name_zh for one in NEW.catalogue.of_kind("component")]
    assert twins == [f"{one.name_zh}异常" for one in NEW.catalogue.of_kind("component")]


def test_minors_from_080_are_the_city_s() -> None:
    with pytest.raises(BadCode, match="minors 080 to 999 of major 01 are the city's own range"):
        NEW.category("component", "01080")
    with pytest.raises(BadCode, match="not in the catalogue of 153"):
        NEW.category("component", "01079")


def test_mapping_accounts_for_every_old_category_once() -> None:
    everything = {(one.kind, one.code): one.name_zh for one in OLD.catalogue.categories}
    first = [one for one in MAP.rows if one.how != "twin"]
    assert {one.source: one.source_zh for one in first} == everything
    assert len(first) == len(everything)
    assert Counter(one.how for one in MAP.rows) == {
        "equal-name": 84,
        "near-name": 27,
        "hand": 10,
        "twin": 81,
        "unmapped": 19,
    }


def test_mapping_names_what_it_means() -> None:
    for one in MAP.rows:
        if one.target is None:
            continue
        target = NEW.category(*one.target)
        assert target.name_zh == one.target_zh
        if one.how == "equal-name":
            assert one.source_zh == one.target_zh
        if one.how == "twin":
            (base,) = [row for row in MAP.forward(*one.source) if row.how != "twin"]
            assert one.target_zh == f"{base.target_zh}异常"
            assert one.confidence == base.confidence


@pytest.mark.parametrize(
    ("old", "new"),
    [("0102", "06010"), ("0103", "06011"), ("0104", "06012"), ("0501", "09001"), ("0504", "09005"),
     ("0505", "09009"), ("0506", "09010"), ("0507", "06036"), ("0511", "06007"), ("0201", "07001")],
)  # fmt: skip
def test_the_ten_by_hand(old: str, new: str) -> None:
    (one,) = MAP.forward("event", old)
    assert (one.target, one.how, one.confidence) == (("event", new), "hand", "inferred")
    assert one in MAP.back("event", new)


def test_a_component_goes_to_itself_and_its_twin() -> None:
    assert [one.target for one in MAP.forward("component", "0101")] == [("component", "01001"), ("event", "01001")]
    assert MAP.forward("event", "0406") == ()
    assert ("event", "0406") in [one.source for one in MAP.unmapped]


def test_no_limit_claims_to_be_the_standard_s() -> None:
    assert {one.confidence for one in NEW.time_limits if one.kind != "stage"} == {"recalled"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"how": "guess"}, "how 'guess' is not one of hand"),
        ({"to": ""}, "equal-name and no target"),
        ({"how": "unmapped"}, "unmapped and yet a target"),
        ({"from": "0101"}, "'0101' is no category"),
        ({"to": "plan:01001"}, "'plan:01001' is no category"),
    ],
)
def test_wrong_mapping_rows_are_refused(change: dict[str, str], told: str) -> None:
    row = {"from": "component:0104", "from_zh": "雨水箅子", "to": "component:01004", "to_zh": "雨水箅子",
           "confidence": "inferred", "how": "equal-name"}  # fmt: skip
    assert read_mapping(row).target == ("component", "01004")
    with pytest.raises(BadInput, match=told):
        read_mapping(row | change)


def test_a_mapping_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="profile cjt-2007: has no mapping from gbt-47678"):
        CodeMap.load("gbt-47678", "cjt-2007")
