"""The shipped profile is whole and agrees with itself; another standard is only another folder."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from wanmi.codes import (
    CASE_KINDS,
    CaseKind,
    CaseNumber,
    Catalogue,
    Category,
    ComponentId,
    EventCode,
    Lang,
    Profile,
    UnitGridCode,
)
from wanmi.codes.resources import folder_named, read_rows
from wanmi.errors import BadCode, BadInput, NotFound

LANGS: tuple[Lang, ...] = ("zh", "en")


@pytest.fixture(name="profile")
def _profile() -> Profile:
    return Profile.load()


def test_counts_are_those_of_the_standard(profile: Profile) -> None:
    by_major = {kind: Counter(one.major for one in profile.catalogue.of_kind(kind)) for kind in CASE_KINDS}
    assert by_major["component"] == {"01": 38, "02": 17, "03": 11, "04": 10, "05": 3, "06": 6}
    assert by_major["event"] == {"01": 19, "02": 6, "03": 6, "04": 10, "05": 14}
    assert len(profile.catalogue.of_kind("component")) == 85
    assert len(profile.catalogue.of_kind("event")) == 55


def test_every_category_is_unique_and_fits_its_code(profile: Profile) -> None:
    codes = [(one.kind, one.code) for one in profile.catalogue.categories]
    assert len(set(codes)) == len(codes) == 140
    for one in profile.catalogue.categories:
        assert profile.category(one.kind, one.code) is one
        assert one.code == one.major + one.minor
        assert all((one.name_zh, one.name_en, one.major_zh, one.source, one.confidence))
        made = ComponentId.of("210102", one.code, 1) if one.kind == "component" else EventCode.of("210102", one.code)
        assert made.category == one.code


def test_cities_own_ranges_are_kept_with_their_sources(profile: Profile) -> None:
    assert [(one.kind, one.major, one.name_zh) for one in profile.catalogue.extensions] == [
        ("component", "21", "扩展部件类"),
        ("event", "21", "扩展事件类"),
    ]
    assert all(one.source and one.confidence for one in profile.catalogue.extensions)


def test_every_row_of_the_files_is_there_with_source_and_confidence(profile: Profile) -> None:
    folder = folder_named("cjt-2007")
    loaded = len(profile.catalogue.categories) + len(profile.catalogue.extensions)
    assert loaded == sum(len(read_rows(folder, f"{kind}s.csv")) for kind in CASE_KINDS)
    assert len(profile.time_limits) == len(read_rows(folder, "time_limits.csv")) == 176
    assert Counter(one.confidence for one in profile.time_limits) == {"verified": 28, "recalled": 148}
    assert all(one.source for one in profile.time_limits)


def test_every_time_limit_refers_to_something_known(profile: Profile) -> None:
    for one in profile.time_limits:
        assert one in profile.limits(one.kind, one.code)
        assert one.unit in profile.units
        assert 0 < one.seconds <= 20 * 8 * 3600 or (one.clock == "running" and one.seconds <= 10 * 86400)


def test_every_category_has_a_limit(profile: Profile) -> None:
    for one in profile.catalogue.categories:
        assert profile.limits(one.kind, one.code), one


def test_members_of_groups_are_categories(profile: Profile) -> None:
    for group in profile.groups.values():
        assert len(set(group.members)) == len(group.members)
        for code in group.members:
            assert "井" in profile.category(group.kind, code).name_zh


def test_limits_of_a_cover_are_its_own_then_the_group_s(profile: Profile) -> None:
    places = [one.code for one in profile.limits("component", "0102")]
    assert places == ["0102"] * 2 + ["cover-group"] * 8
    assert {one.code for one in profile.limits("component", "0104")} == {"0104"}
    assert {one.code for one in profile.limits("event", "0102")} == {"0102"}


def test_limits_are_in_seconds_on_their_clock(profile: Profile) -> None:
    (accept,) = profile.limits("stage", "accept")
    assert (accept.value, accept.unit, accept.seconds, accept.clock) == ("15", "natural_minute", 900, "running")
    half = next(one for one in profile.limits("component", "cover-group") if one.value == "0.5")
    assert (half.seconds, half.clock) == (1800, "running")
    twenty = next(one for one in profile.limits("event", "0101") if one.value == "20")
    assert (twenty.unit, twenty.seconds, twenty.clock) == ("work_day", 20 * 8 * 3600, "working")


@pytest.mark.parametrize(
    ("kind", "code", "told"),
    [
        ("component", "0139", "component category '0139': not in the catalogue of 85 component categories"),
        ("component", "2103", "major 21 is the city's own range"),
        ("event", "0601", "no such event, though the other kind has this code"),
        ("event", "０１０１", "not in the catalogue"),
        ("event", "", "not in the catalogue of 55"),
    ],
)
def test_unknown_category_says_which_and_what_to_do(profile: Profile, kind: CaseKind, code: str, told: str) -> None:
    with pytest.raises(BadCode, match=told):
        profile.category(kind, code)
    with pytest.raises(BadCode, match=told):
        profile.limits(kind, code)


def test_unknown_stage_kind_and_profile_are_told(profile: Profile) -> None:
    with pytest.raises(BadCode, match="stage 'close': has no limits; there are accept, dispatch"):
        profile.limits("stage", "close")
    with pytest.raises(BadCode, match="code kind 'plate': profile cjt-2007 has region, street"):
        profile.shape("plate")
    for name in ("gbt-0000", "", ".", "..", "../wanmi", "cjt-2007/", "shenyang"):
        with pytest.raises(NotFound, match="there are: cjt-2007, gbt-47678"):
            Profile.load(name)


def test_labels_cover_what_is_used(profile: Profile) -> None:
    for one in profile.catalogue.categories:
        assert profile.labels["geometry"][one.geometry].zh
        assert profile.labels["confidence"][one.confidence].en
        assert profile.labels[f"{one.kind}-major"][one.major].zh == one.major_zh
        assert [profile.category_name(one, lang) for lang in LANGS] == [one.name_zh, one.name_en]
    assert profile.label("kind", "event") == "事件"
    assert profile.label("geometry", "polygon", "en") == "area"
    assert profile.label("geometry", "cube") == "cube"
    assert profile.catalogue.majors("event")[0] == ("01", "市容环境类")


def test_profile_is_read_once_and_names_its_bytes(profile: Profile) -> None:
    assert Profile.load("cjt-2007") is profile
    assert (profile.name, profile.version, len(profile.digest)) == ("cjt-2007", "1", 64)


def test_one_code_twice_in_a_kind_is_refused() -> None:
    one = Category("event", "0101", "01", "01", "甲", "乙", "b", "point", "test", "verified")
    with pytest.raises(BadInput, match="stands twice"):
        Catalogue([one, one])


def copied_profile(to: Path) -> Path:
    for name in ("profile.toml", "components.csv", "events.csv", "time_limits.csv"):
        (to / name).write_bytes((folder_named("cjt-2007") / name).read_bytes())
    return to


def test_another_standard_is_only_data(tmp_path: Path) -> None:
    """As in GB/T 47678.5-2026: three-digit minors, 17-digit components, 11-digit matters; no program text changes."""
    folder = copied_profile(tmp_path)
    toml = (folder / "profile.toml").read_text("utf-8")
    toml = toml.replace('name = "minor", form = "number", width = 2', 'name = "minor", form = "number", width = 3')
    (folder / "profile.toml").write_text(toml.replace('name = "cjt-2007"', 'name = "three-digit"'), "utf-8")
    for kind in CASE_KINDS:
        lengthen(folder / f"{kind}s.csv")
    (folder / "time_limits.csv").write_text("minor_code,name_zh,limit_value,limit_unit,source,confidence\n", "utf-8")
    profile = Profile.read(folder)
    assert profile.category("component", "01001").name_zh == "上水井盖"
    assert str(ComponentId.of("210102", "01001", 1, profile)) == "21010201001000001"
    assert str(EventCode.parse("21010206010", profile)) == "21010206010"
    number = CaseNumber.of("210102", "event", "01002", 0, 1, profile=profile)
    assert (str(number), number.category) == ("210102-E01002-19700101-0001", "01002")
    assert CaseNumber.parse(str(number), profile) == number
    with pytest.raises(BadCode, match="3 category"):
        CaseNumber.parse("210102-E0102-19700101-0001", profile)
    assert str(UnitGridCode.parse("210102001002001", profile)) == "210102001002001"
    assert profile.digest != Profile.load().digest


def lengthen(path: Path) -> None:
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        for row in rows:
            if row["code"].isdigit():
                row |= {"minor": "0" + row["minor"], "code": row["major"] + "0" + row["minor"]}
            writer.writerow(row)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("event:0101,x,a,b,3,fortnight,s,verified", "unit 'fortnight' is not one of natural_minute"),
        ("plan:0101,x,a,b,3,work_day,s,verified", "Invalid enum value 'plan'"),
    ],
)
def test_wrong_data_is_refused_when_read(tmp_path: Path, row: str, told: str) -> None:
    folder = copied_profile(tmp_path)
    header = "minor_code,name_zh,filing_criterion,closing_criterion,limit_value,limit_unit,source,confidence\n"
    (folder / "time_limits.csv").write_text(header + row, "utf-8")
    with pytest.raises((BadInput, ValueError), match=told):
        Profile.read(folder)


def test_category_whose_code_is_not_its_parts_is_refused(tmp_path: Path) -> None:
    folder = copied_profile(tmp_path)
    events = (folder / "events.csv").read_text("utf-8").replace("\n0101,01,", "\n0101,02,", 1)
    (folder / "events.csv").write_text(events, "utf-8")
    with pytest.raises(BadInput, match="row 0101: the code is not its major 02 and minor 01"):
        Profile.read(folder)
