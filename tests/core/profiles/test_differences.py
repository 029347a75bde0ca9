"""Every edit of content is told, nothing else is, and what is told names the thing."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.codes import Profile, shipped_profiles
from wanmi.errors import BadInput
from wanmi.profiles import Change, differences
from wanmi.profiles.differences import summary

FILES = dict(Profile.load().files)
TABLES = ["components.csv", "events.csv", "time_limits.csv"]
WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=12)


def rows_of(name: str) -> tuple[list[str], list[list[str]]]:
    head, *rows = csv.reader(FILES[name].decode().splitlines())
    return head, rows


def table(head: list[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    return out.getvalue().encode()


@pytest.mark.parametrize("name", shipped_profiles())
def test_nothing_differs_from_itself(name: str) -> None:
    files = Profile.load(name).files
    assert differences(files, dict(files)) == []


@given(name=st.sampled_from(TABLES), data=st.data(), word=WORDS)
def test_a_changed_cell_is_told_once(name: str, data: st.DataObject, word: str) -> None:
    head, rows = rows_of(name)
    n = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from([i for i, one in enumerate(head) if one not in ("code", "minor_code")]))
    changed = [list(row) for row in rows]
    changed[n][column] = word
    found = differences(FILES, FILES | {name: table(head, changed)})
    if word == rows[n][column]:
        assert [one.area for one in found] in ([], ["layout"])
        return
    lines = " ".join(one.told() for one in found)
    assert rows[n][0] in lines
    assert word in lines or len(found) == 2
    assert {one.area for one in found} == {"limit" if name == "time_limits.csv" else "category"}


@given(name=st.sampled_from(TABLES), data=st.data())
def test_a_row_more_or_less_is_told(name: str, data: st.DataObject) -> None:
    head, rows = rows_of(name)
    n = data.draw(st.integers(0, len(rows) - 1))
    less = FILES | {name: table(head, rows[:n] + rows[n + 1 :])}
    (gone,) = [one for one in differences(FILES, less) if one.what == "removed"]
    (come,) = [one for one in differences(less, FILES) if one.what == "added"]
    assert gone.name == come.name
    assert rows[n][0] in gone.name


EDITS = [
    ("profile.toml", 'version = "1"', 'version = "2"', "profile changed: version: 1 → 2"),
    ("profile.toml", "seconds = 28800", "seconds = 25200", "unit changed: work_day seconds: 28800 → 25200"),
    ("profile.toml", 'point = { zh = "点", en = "point" }', 'point = { zh = "点位", en = "point" }',
     "word changed: geometry point.zh: 点 → 点位"),
    ("profile.toml", '"0129", "0130",', '"0129",', "group changed: cover-group members"),
    ("profile.toml", 'name = "sequence", form = "number", width = 6', 'name = "sequence", form = "number", width = 7',
     "code changed: component parts"),
    ("steps.toml", 'posts = ["shift_leader", "operator"]', 'posts = ["shift_leader"]',
     "step changed: file posts: shift_leader, operator → shift_leader"),
    ("steps.toml", "max_granted = 2", "max_granted = 1", "request changed: extension max_granted: 2 → 1"),
    ("steps.toml", "max_granted = 2\n", "", "request removed: extension max_granted: 2"),
    ("steps.toml", 'en = "acceptance"\nlimit = { value = 15,',
     'en = "acceptance"\nlimit = { value = 30,', "clock changed: accept limit.value: 15 → 30"),
    ("steps.toml", "yellow_after = 80", "yellow_after = 60", "clock changed: accept yellow_after: 80 → 60"),
    ("steps.toml", 'earlier_department = "goes_on"', 'earlier_department = "anew"',
     "step changed: dispatch earlier_department: goes_on → anew"),
    ("steps.toml", 'assessor = { zh = "考评员", en = "assessor", axis = "supervision" }\n', "", "post removed: assessor"),
    ("steps.toml", "[steps.put_back]", "[steps.put_away]", "step added: put_away"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "told"), EDITS)
def test_edits_are_told_in_words(name: str, old: str, new: str, told: str) -> None:
    text = FILES[name].decode()
    assert old in text
    found = differences(FILES, FILES | {name: text.replace(old, new, 1).encode()})
    assert any(one.told().startswith(told) for one in found), [one.told() for one in found]
    assert all(one.told("zh") for one in found)


def test_a_comment_is_only_layout() -> None:
    changed = FILES | {"profile.toml": b"# a word more\n" + FILES["profile.toml"]}
    assert differences(FILES, changed) == [Change("layout", "changed", "profile.toml")]


def test_files_come_and_go() -> None:
    less = {name: content for name, content in FILES.items() if name != "steps.toml"}
    assert [one.told() for one in differences(less, FILES)] == ["file added: steps.toml"]
    assert [one.told("zh") for one in differences(FILES, less)] == ["文件删除：steps.toml"]


@given(st.binary(max_size=40))
def test_any_other_bytes_are_a_difference_or_an_error(content: bytes) -> None:
    """Nothing slips through: whatever stands in a file, it is told or refused by name."""
    for name in ("steps.toml", "events.csv"):
        found: list[Change] = []
        with suppress(BadInput):
            found = differences(FILES, FILES | {name: content})
            assert found
        if not found:
            with pytest.raises(BadInput, match=name):
                differences(FILES, FILES | {name: content})


def test_an_official_reads_chinese_words_and_how_much_differs() -> None:
    found = differences(Profile.load("cjt-2007").files, Profile.load("gbt-47678").files)
    told = [one.told("zh") for one in found]
    assert "类别删除：部件 0102 污水井盖：公用设施类" in told
    coded = [line for line in told if re.search(r"\b(work_hour|urgent_hour|component|minor_zh)\b", line, re.ASCII)]
    assert [line for line in coded if line.startswith(("类别", "时限"))] == []
    assert summary(found, "zh")[0].startswith(f"共 {len(found)} 处差异：类别删除 142、类别新增 418")
    assert summary([], "zh") == ["两者无差异"]
    assert summary(found, "en")[0].startswith(f"{len(found)} differences: category removed 142, category added 418")


def test_a_limit_is_named_by_its_filing_condition_in_the_readers_language() -> None:
    old = dict(Profile.load().files)
    header, *rows = old["time_limits.csv"].decode().splitlines(keepends=True)
    gone = next(row for row in rows if next(csv.DictReader([header, row]))["filing_zh"])
    new = {**old, "time_limits.csv": "".join([header, *(row for row in rows if row != gone)]).encode()}
    named = next(csv.DictReader([header, gone]))
    [change] = differences(old, new)
    assert named["filing_zh"] in change.told("zh")
    assert named["filing_criterion"] not in change.told("zh")
    assert named["filing_criterion"] in change.told("en")
