"""The city takes the catalogue of 2026: terminals report by it, cases are worked by it, old cases stay as they were."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core.cases.worked import DOES, LIMIT, WAY
from flow.test_profile_change import Town
from support.browser import Browser
from support.pictures import JPEG
from wanmi.codes import Profile
from wanmi.hookspecs import Actor
from wanmi.identity import add_token
from wanmi.profiles import activate_profile, check_profile
from wanmi.testing import replay_differences
from wanmi.web import build_app
from wanmi_casework.attached import upload
from wanmi_casework.desk import CaseDesk, Said

OLD, NEW = "0102", "06010"
NEW_PROFILE = Profile.load("gbt-47678")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A case by the old catalogue, then the new one is activated and a case is reported by it."""
    town = Town(tmp_path)
    assert town.report(OLD).status == "kept"
    town.up()
    activate_profile(town.city, NEW_PROFILE.files, actor="person:7", opinion="换用新国标")
    town.down()
    assert town.report(NEW).status == "kept"
    town.up()
    yield town
    for node in (town.city, town.district, town.edge):
        assert replay_differences(node) == []
    town.nodes.close()


def work_to_the_end(desk: CaseDesk, number: str) -> list[str]:
    """Walk a case through all stages; the stages it came through."""
    stages = [desk.case(number).stage]
    for step in WAY:
        actor = Actor(*DOES[step])
        extra: dict[str, Any] = {"department": "dep-1", "limit": LIMIT} if step == "dispatch" else {}
        said = Said(
            unit="dep-1" if actor.post == "department" else None,
            opinion="已办理",
            attachments=(upload(desk.node, number, actor.id, JPEG, "image/jpeg"),)
            if step in ("answer", "answer_check_passed")
            else (),
        )
        stages.append(desk.step(number, step, actor, said, **extra).stage)
    return list(dict.fromkeys(stages))


def test_a_case_of_the_new_catalogue_goes_through_all_stages(town: Town) -> None:
    cases, desk = town.cases(town.district), CaseDesk(town.district)
    new, old = cases[NEW], cases[OLD]
    assert new.number.split("-")[:2] == ["210102", f"E{NEW}"]
    assert new.profile == NEW_PROFILE.ref != old.profile
    for case in (new, old):
        assert work_to_the_end(desk, case.number) == [
            "collect", "file", "dispatch", "handle", "feedback", "close", "evaluate",
        ]  # fmt: skip
    names = [desk.profile(desk.case(one.number)).category("event", one.category).name_zh for one in (new, old)]
    assert names == ["暴露垃圾", "暴露垃圾"]


def test_a_terminal_with_the_old_catalogue_is_told_to_update(town: Town) -> None:
    receipt = town.report("0504")
    assert (receipt.status, receipt.reason, receipt.passing) == ("refused", "unknown_category", False)
    assert town.report("09005").status == "kept"


def test_files_name_each_case_by_its_own_catalogue_and_by_the_one_in_force(town: Town) -> None:
    token = add_token(town.district, name="files", scopes=["read"]).secret
    with Browser(build_app(town.district), token=token) as api:
        text = api.get("/api/v1/exports/cases.csv").text.removeprefix("\ufeff")
        features = api.get("/api/v1/exports/cases.geojson").json()["features"]
        book = openpyxl.load_workbook(io.BytesIO(api.get("/api/v1/exports/cases.xlsx").content))
    told = {row["category"]: row for row in csv.DictReader(io.StringIO(text))}
    for code, kind in ((OLD, "事件"), (NEW, "管理事项")):
        row = told[code]
        assert (row["category_name"], row["kind_name"], row["state_name"]) == ("暴露垃圾", kind, "待受理")
        assert row["category_now"] == f"{NEW} 暴露垃圾"
    by_code = {one["properties"]["category"]: one["properties"] for one in features}
    assert {code: one["kind_name"] for code, one in by_code.items()} == {OLD: "事件", NEW: "管理事项"}
    heads, *rows = book.active.iter_rows(values_only=True)
    assert {row[heads.index("现行小类")] for row in rows} == {f"{NEW} 暴露垃圾"}


@pytest.mark.parametrize("code", [OLD, NEW])
def test_a_filter_by_either_code_finds_both(town: Town, code: str) -> None:
    token = add_token(town.district, name="list", scopes=["read"]).secret
    with Browser(build_app(town.district), token=token) as api:
        page = api.get(f"/api/v1/cases?kind=event&category={code}&count=true").json()
    assert {one["category"] for one in page["cases"]} == {OLD, NEW}
    assert {f"event:{OLD}", f"event:{NEW}"} <= set(page["alike"])
    assert (page["count"], page["unmapped"]) == (2, [])


def test_a_category_without_a_counterpart_says_so(town: Town) -> None:
    mapped = {row.split(",")[2] for row in NEW_PROFILE.text("from_cjt-2007.csv").splitlines()}
    alone = next(one for one in NEW_PROFILE.catalogue.of_kind("event") if f"event:{one.code}" not in mapped)
    token = add_token(town.district, name="list", scopes=["read"]).secret
    with Browser(build_app(town.district), token=token) as api:
        page = api.get(f"/api/v1/cases?kind=event&category={alone.code}").json()
    assert (page["cases"], page["alike"], page["unmapped"]) == ([], [], ["cjt-2007"])


def changed_steps() -> dict[str, bytes]:
    """A city's own version: acceptance needs an opinion, filing is the shift leader's alone, dispatch has 5 minutes."""
    files = dict(NEW_PROFILE.files)
    steps = files["steps.toml"].decode()
    accept, dispatch = 'zh = "受理"\nen = "accept"\n', 'zh = "派遣"\nen = "dispatch"\nlimit = { value = '
    both = 'posts = ["shift_leader", "operator"]\nclocks = ["start dispatch"]'
    for before, after in (
        (accept, accept + 'requires = ["opinion"]\n'),
        (both, both.replace(', "operator"', "")),
        (dispatch + "15", dispatch + "5"),
    ):
        assert before in steps, before
        steps = steps.replace(before, after, 1)
    return files | {"steps.toml": steps.encode(), "profile.toml": files["profile.toml"].replace(b'"1"', b'"2"', 1)}


def test_running_cases_keep_the_steps_posts_and_limits_they_were_opened_under(town: Town) -> None:
    files = changed_steps()
    assert [one for one in check_profile(files) if one.level == "error"] == []
    old = town.cases(town.district)[NEW].number
    activate_profile(town.city, files, actor="person:7", opinion="细化受理")
    town.down()
    assert town.report(NEW).status == "kept"
    town.up()
    new, desk = town.cases(town.district)[NEW].number, CaseDesk(town.district)
    accept, file = Actor(*DOES["accept"]), Actor("o-9", "operator")
    assert desk.step(old, "accept", accept).state == "pending_file"
    with pytest.raises(Exception, match="opinion"):
        desk.step(new, "accept", accept)
    desk.step(new, "accept", accept, Said(opinion="属实"))
    assert desk.step(old, "file", file).state == "pending_dispatch"
    with pytest.raises(Exception, match="operator"):
        desk.step(new, "file", file)
    desk.step(new, "file", Actor("l-9", "shift_leader"))
    minutes = []
    for number in (old, new):
        case = desk.case(number)
        assert case.deadline is not None
        minutes.append(round((case.deadline - case.changed_at) / 60_000_000))
    assert minutes == [15, 5]
