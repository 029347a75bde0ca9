"""A check names file, line and what to do; the shipped profiles are clean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wanmi.codes import Profile, shipped_profiles
from wanmi.errors import BadInput
from wanmi.identity import POSTS
from wanmi.profiles import Finding, check_profile, must_be_good

Files = dict[str, bytes]


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_profiles_are_clean(name: str) -> None:
    assert check_profile(Profile.load(name).files) == []
    assert must_be_good(Profile.load(name).files).digest == Profile.load(name).digest


def test_both_shipped_profiles_are_worked_by_one_table() -> None:
    """Copy the steps of cjt-2007 to gbt-47678 when they change, with its name."""
    old, new = (Profile.load(name).text("steps.toml") for name in ("cjt-2007", "gbt-47678"))
    assert new == old.replace('name = "cjt-2007"', 'name = "gbt-47678"', 1)


FAULTS = [
    ("profile.toml", 'name = "cjt-2007"', 'name = "CJT 2007"', "name 'CJT 2007' is missing or no such name"),
    ("profile.toml", 'version = "1"', "version = 1", "version 1 is missing"),
    ("profile.toml", 'title_en = "Components and events after CJ/T 214-2007"', "", "title_en is missing"),
    ("profile.toml", "[codes.grid]", "[codes.grids]", "codes.grid is missing"),
    ("profile.toml", 'example = "2101020102000001"', 'example = "21010201020000"', "the example does not fit"),
    ("profile.toml", 'name = "sequence", form = "number", width = 6', 'name = "number", form = "number", width = 6',
     "code component: has parts major, minor, number, region"),
    ("profile.toml", "seconds = 28800", "seconds = 0", "unit work_day: 0 seconds"),
    ("profile.toml", 'clock = "working"', 'clock = "idle"', "units work_hour"),
    ("profile.toml", '"0129", "0130"', '"0129", "0199"', "group cover-group: 0199 not in the catalogue"),
    ("profile.toml", 'point = { zh = "点", en = "point" }', 'point = { zh = "点" }', "label geometry.point"),
    ("profile.toml", "[labels.stage]", "[labels.stages]", "labels.stage is missing"),
    ("profile.toml", "[units.work_day]", "[units.work_day", "Expected"),
    ("events.csv", "\n0102,01,", "\n0102,02,", "code 0102 is not major 02 and minor 02"),
    ("events.csv", "\n0102,01,市容环境类,02,", "\n0101,01,市容环境类,01,", "code 0101 stands in line 2 too"),
    ("events.csv", "\n0102,01,市容环境类,02,", "\n01002,01,市容环境类,002,", "minor '002' is not 2 digits from 01"),
    ("events.csv", ",暴露垃圾,", ",,", "minor_zh of 0102 is empty"),
    ("events.csv", ",Exposed refuse,point,", ",Exposed refuse,dot,", "geometry 'dot'"),
    ("events.csv", ",Exposed refuse,point,", ",Exposed, refuse,point,", "10 cells where the first line names 9"),
    ("events.csv", "\n0102,01,市容环境类,", "\n0102,01,市容类,", "major 01 is called 市容类"),
    ("events.csv", "code,major,", "code,class,", "columns major are missing"),
    ("time_limits.csv", "event:0102,暴露垃圾", "event:0198,暴露垃圾", "event 0198 is not in the catalogue and no group"),
    ("time_limits.csv", "event:0102,暴露垃圾", "plan:0102,暴露垃圾", "minor_code 'plan:0102'"),
    ("time_limits.csv", "stage:accept", "stage:accepting", "stage 'accepting' has no words"),
    ("time_limits.csv", ",4,work_hour,", ",4,fortnight,", "limit_unit 'fortnight'"),
    ("time_limits.csv", ",4,work_hour,", ",-4,work_hour,", "limit_value '-4'"),
    ("time_limits.csv", ",4,work_hour,", ",NaN,work_hour,", "limit_value 'NaN'"),
    ("steps.toml", 'posts = ["dispatcher"]', 'posts = ["dispatchers"]', "posts dispatchers are not in [posts]"),
    ("steps.toml", 'to = "pending_file"', 'to = "pending"', "state 'pending' is not in [states]"),
    ("steps.toml", 'name = "cjt-2007"', 'name = "other"', "name 'other', though the profile is 'cjt-2007'"),
    ("steps.toml", "yellow_after = 80", "yellow_after = 100", "clock accept: yellow_after 100"),
    ("steps.toml", "yellow_after = 80", 'yellow_after = "80"', "clocks accept: Expected `int`"),
    ("steps.toml", "expires_hours = 24", 'expires_hours = "24"', "Expected `int`"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "told"), FAULTS)
def test_a_fault_is_told_with_its_line(change: Callable[..., Files], name: str, old: str, new: str, told: str) -> None:
    files = change(name, old, new)
    found = [one for one in check_profile(files) if told in str(one)]
    assert found, [str(one) for one in check_profile(files)]
    assert found[0].file == name
    assert found[0].do
    if name.endswith(".csv") and found[0].line != 1:
        before = Profile.load().files[name].decode().partition(old)[0]
        assert found[0].line == 1 + before.count("\n") + new.startswith("\n")
    with pytest.raises(BadInput, match=r"profile: [0-9]+ errors: "):
        must_be_good(files)


def test_lines_are_known_for_most_faults(change: Callable[..., Files]) -> None:
    """Where a thing is missing altogether there may be no line; else there is one."""
    without = [
        fault[3]
        for fault in FAULTS
        if not any(one.line for one in check_profile(change(*fault[:3])) if fault[3] in str(one))
    ]
    assert without == ["title_en is missing", "codes.grid is missing", "labels.stage is missing"]


def test_a_missing_file_and_other_encodings_are_told(files: Files) -> None:
    less = {name: content for name, content in files.items() if name != "events.csv"}
    assert Finding(
        "error", "events.csv", None, "is missing", "copy that of the profile you began with"
    ) in check_profile(less)
    gbk = files | {"events.csv": files["events.csv"].decode().encode("gb18030")}
    (found,) = check_profile(gbk)
    assert "line 2: not UTF-8" in str(found)


def test_a_category_without_a_limit_is_a_warning(change: Callable[..., Files]) -> None:
    files = change(
        "events.csv",
        "\n0199,",
        "\n0198,01,市容环境类,98,共享单车淤积,Piled-up shared bicycles,point,the city,verified\n0199,",
    )
    (found,) = check_profile(files)
    assert (found.level, found.file) == ("warning", "events.csv")
    assert "0198 共享单车淤积 has no limit" in found.what
    assert must_be_good(files).category("event", "0198").name_en == "Piled-up shared bicycles"


def test_a_city_s_own_category_of_2026_is_marked() -> None:
    files = dict(Profile.load("gbt-47678").files)
    row = "06080,06,市容环境类,080,雪堆{},Heap of snow,point,the city,verified\n"
    limit = "event:06080,雪堆,Heap,Gone,有雪堆,清除,4,work_hour,the city,verified\n"
    for mark, count in (("（自定义）", 0), ("", 1)):
        changed = files | {
            "events.csv": files["events.csv"] + row.format(mark).encode(),
            "time_limits.csv": files["time_limits.csv"] + limit.encode(),
        }
        found = check_profile(changed)
        assert [one.level for one in found] == ["warning"] * count, found


def test_a_mapping_names_categories_that_are_there() -> None:
    files = dict(Profile.load("gbt-47678").files)
    text = files["from_cjt-2007.csv"].decode()
    for old, new, told in (
        ("component:01001", "component:01016", "component:01016 is not in the catalogue"),
        ("component:0101,", "component:0199,", "component:0199 is not in cjt-2007"),
        (",equal-name", ",guess", "how 'guess' is not one of"),
    ):
        found = check_profile(files | {"from_cjt-2007.csv": text.replace(old, new, 1).encode()})
        assert [told in str(one) for one in found if one.level == "error"] == [True], found


def test_without_steps_the_shipped_table_is_named(files: Files) -> None:
    del files["steps.toml"]
    (found,) = check_profile(files)
    assert (found.level, found.file) == ("warning", "steps.toml")


def test_a_clock_that_does_not_tell_what_it_counts_is_warned_of(change: Callable[..., Files]) -> None:
    """Versions from before these words may be activated again; their clocks are told by the steps that move them."""
    [found] = check_profile(change("steps.toml", 'rule_zh = "从上报到受理，连续计时"\n', ""))
    assert (found.level, found.file, found.what) == (
        "warning",
        "steps.toml",
        "clock accept: does not tell what it counts",
    )
    assert found.line == Profile.load().text("steps.toml").partition("[clocks.accept]")[0].count("\n") + 1


def test_a_post_that_nobody_can_hold_is_warned_of() -> None:
    files = dict(Profile.load().files)
    steps = files["steps.toml"].decode()
    added = steps.replace(
        "[posts]\n", '[posts]\ninspector = { zh = "巡查员", en = "inspector", axis = "supervision" }\n'
    )
    files["steps.toml"] = added.encode()
    [found] = [one for one in check_profile(files, held=tuple(POSTS)) if "inspector" in one.what]
    assert (found.level, found.file, found.what) == ("warning", "steps.toml", "post inspector: nobody can hold it")
    assert found.line == added[: added.index("inspector")].count("\n") + 1
    assert check_profile(Profile.load().files, held=tuple(POSTS)) == []
