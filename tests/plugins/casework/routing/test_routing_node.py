"""Routing at a node: imports, the queue of contested cases, what an earlier answer was based on; replay agrees."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import wanmi_casework
from support.browser import Browser
from wanmi.case_kinds import CaseStepped
from wanmi.clock import ManualClock
from wanmi.codes import Divisions
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.identity import add_token
from wanmi.kinds import CaseOpened
from wanmi.node import Node, run_action
from wanmi.registry import Draft
from wanmi.testing import carry, react, reopen, replay_differences, small_city, small_node
from wanmi.web import build_app
from wanmi_casework.routing import (
    Facts,
    arbitrate,
    book_of_version,
    contest_draft,
    current_book,
    queue,
    route,
    suggest,
)
from wanmi_casework.routing.asking import time_of

NOW = time_of("2026-11-24T12:00")
GRID, OTHER = "210102001002007", "210102001002008"
DEPARTMENTS = "code,name,kind,tier,begins\nD1,环卫,centre,district,2026-01-01\nD2,执法,bureau,district,20260101\n"
SETS = f"code,name,grids,departments,begins\nZ1,一,{GRID},D1,2026-01-01\nZ2,二,{OTHER},D2,2026-01-01\n"
RULES = "id,categories,places,department,limit,unit,begins\nR1,event:0102,,@,4,work_hour,2026-01-01\nR2,event:0505,,D2,1,work_day,2026-01-01\n"  # fmt: skip
CONTEST = "id,categories,department,begins\nA,event:0507,D1,2026-01-01\nB,event:0507,D2,2026-01-01\n"
CASE = "210102-E0507-20261124-0001"

Import = Callable[..., dict[str, Any]]


@pytest.fixture
def district(tmp_path: Path) -> Iterator[Node]:
    with small_node(tmp_path / "node", plugins=[wanmi_casework], clock=ManualClock(NOW)) as node:
        yield node


@pytest.fixture
def take(tmp_path: Path) -> Import:
    """Import texts as CSV files; ``check=True`` only looks."""

    def run(node: Node, *texts: str, check: bool = False, **options: Any) -> dict[str, Any]:
        paths = []
        for n, text in enumerate(texts):
            paths.append(tmp_path / f"{n}.csv")
            paths[-1].write_text(text, encoding="utf-8")
        arguments = {"files": [str(path) for path in paths], **options}
        return result(node, "route.check" if check else "route.import", arguments)

    return run


def result(node: Node, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    *_, last = run_action(node, action, arguments)
    assert isinstance(last, dict)
    return last


def opened(number: str = CASE, category: str = "0507", grid: str | None = GRID, kind: str = "event") -> CaseOpened:
    return CaseOpened(
        number=number, district="210102", day="20261124", day_seq=1, kind=kind, category=category, profile="p",  # type: ignore[arg-type]
        component=None, grid=grid, grid_version=None, lon_e7=0, lat_e7=0, source="collector", terminal=None, report_id=None,
        report=None, reported_at=NOW, stage="collect", state="reported", similar=[], attachments=[],
    )  # fmt: skip


def test_files_come_in_any_order_and_once(district: Node, take: Import) -> None:
    looked = take(district, RULES, SETS, DEPARTMENTS, check=True)
    assert (looked["changed"], looked["journaled"], looked["refused"]) == (6, 0, [])
    assert current_book(district).version == ""
    first = take(district, RULES, SETS, DEPARTMENTS)
    assert (first["journaled"], first["unchanged"], first["refused"], first["contested"]) == (6, 0, [], [])
    seq = district.journal.cursor("210102").seq
    again = take(district, RULES, SETS, DEPARTMENTS)
    assert (again["journaled"], again["unchanged"]) == (0, 6)
    assert district.journal.cursor("210102").seq == seq
    found = suggest(district, opened(category="0102"), NOW)
    assert (found.department, found.rule, found.version) == ("D1", "R1", f"210102:{seq}")
    assert replay_differences(district) == []


BAD = [
    ("code,name,kind,tier,begins\nD 1,x,bureau,district,2026-01-01\n", "code 'D 1'"),
    ("code,name,kind,tier,begins\nD3,x,palace,district,2026-01-01\n", "palace"),
    ("code,name,kind,tier,begins\nD3,,bureau,district,2026-01-01\n", "name is empty"),
    ("code,name,kind,tier,begins\nD3,x,bureau,district,24.11.2026\n", "not a date"),
    ("code,name,kind,tier,begins,ends\nD3,x,bureau,district,2026-01-02,2026-01-01\n", "before it begins"),
    ("code,name,grids,departments,begins\nZ3,x,210103001002007,D1,2026-01-01\n", "not in the region"),
    ("code,name,grids,departments,begins\nZ3,x,,D1,2026-01-01\n", "grids is empty"),
    (f"code,name,grids,departments,begins\nZ3,x,{GRID},D7,2026-01-01\n", "department 'D7' is not known"),
    ("id,categories,department,begins\nX,event:0999,D1,2026-01-01\n", "0999"),
    ("id,categories,department,begins\nX,event:98*,D1,2026-01-01\n", "begins so"),
    ("id,categories,department,begins\nX,matter:0101,D1,2026-01-01\n", "matter:0101"),
    ("id,categories,department,begins\nX,event:0102,D7,2026-01-01\n", "department 'D7' is not known"),
    ("id,categories,places,department,begins\nX,*,R:Z9,D1,2026-01-01\n", "responsibility grid 'Z9' is not known"),
    ("id,categories,places,department,begins\nX,*,2101,D1,2026-01-01\n", "place '2101'"),
    ("id,categories,department,begins\nX,*,,2026-01-01\n", "gives nothing"),
    ("id,categories,department,hours,begins\nX,*,D1,8-18,2026-01-01\n", "hours '8-18'"),
    ("id,categories,department,limit,unit,begins\nX,*,D1,0.5,work_hour,2026-01-01\n", "limit '0.5'"),
    ("id,categories,department,limit,unit,begins\nX,*,D1,5,fortnight,2026-01-01\n", "fortnight"),
    ("id,categories,department,begins\nX,*,D1\n", "begins is empty"),
    ("id,categories,department,begins\nX,*,D1,2026-01-01,and,more\n", "more cells"),
]


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_a_bad_row_is_named_and_costs_itself_only(district: Node, take: Import, text: str, reason: str) -> None:
    take(district, DEPARTMENTS, SETS)
    head = text.partition("\n")[0]
    good = {"c": "D5,x,bureau,district,2026-01-01", "g": f"Z5,x,{OTHER},D1,2026-01-01", "r": "Y,*,D1,,,,2026-01-01"}
    kind = "r" if "categories" in head else "g" if "grids" in head else "c"
    if kind == "r":
        head, good["r"] = "id,categories,department,begins", "Y,*,D1,2026-01-01"
    done = take(district, text, f"{head.split(',ends')[0]}\n{good[kind]}\n")
    assert done["journaled"] == 1
    (refused,) = done["refused"]
    assert (refused["file"], refused["row"]) == ("0.csv", 2)
    assert reason in refused["reason"]


def test_strict_takes_nothing_and_a_stranger_file_is_refused(district: Node, take: Import) -> None:
    done = take(district, DEPARTMENTS, BAD[0][0], strict=True)
    assert (done["taken"], done["journaled"], len(done["refused"])) == (False, 0, 1)
    assert current_book(district).departments("2026-11-24") == []
    for text in ("a,b\n1,2\n", "", '"x\n'):
        with pytest.raises(BadInput, match=r"file 0\.csv"):
            take(district, text)
    twice = take(district, DEPARTMENTS + DEPARTMENTS.splitlines()[1] + "\n")
    assert "stands twice" in twice["refused"][0]["reason"]


def test_redrawn_cells_keep_old_answers_by_day_and_by_version(district: Node, take: Import) -> None:
    take(district, DEPARTMENTS, SETS, RULES)
    case = opened(category="0102")
    before = suggest(district, case, NOW)
    moved = f"code,name,grids,departments,begins\nZ1,一,{GRID}1,D1,2026-12-01\n".replace(f"{GRID}1", "210102001002009")
    take(district, moved, f"code,name,grids,departments,begins\nZ2,二,{GRID};{OTHER},D2,2026-12-01\n")
    assert suggest(district, case, NOW).department == "D1"
    later = time_of("2026-12-01T09:00")
    assert suggest(district, case, later).department == "D2"
    wrong = f"code,name,grids,departments,begins\nZ1,一,210102001002009,D1,2026-01-01\nZ2,二,{GRID},D2,2026-01-01\n"
    take(district, wrong)
    assert suggest(district, case, NOW).department == "D2", "a correction of the past is taken"
    assert route(before.facts, book_of_version(district, before.version), before.at) == before, (
        "but the old book stands"
    )
    for version in ("210102:1", "210103:5", "x"):
        with pytest.raises(BadInput, match="version"):
            book_of_version(district, version)
    assert replay_differences(district) == []


def test_a_contested_case_waits_for_an_arbiter(district: Node, take: Import) -> None:
    assert take(district, DEPARTMENTS, CONTEST)["contested"] == [{"rules": ["A", "B"], "where": "event:0507 @ *"}]
    found = suggest(district, opened(), NOW)
    draft = contest_draft(district, CASE, found, "p-1")
    assert draft is not None
    district.journal.append(draft).result()
    assert contest_draft(district, CASE, suggest(district, opened(), NOW), "p-1") is None, "it waits already"
    (waiting,) = queue(district)
    assert (waiting.case, waiting.state, [claim.department for claim in waiting.claims]) == (CASE, "open", ["D1", "D2"])
    with pytest.raises(BadInput, match="not in force"):
        arbitrate(district, CASE, "D9", "属地", "p-2")
    with pytest.raises(BadInput, match="opinion"):
        arbitrate(district, CASE, "D2", "  ", "p-2")
    decided = arbitrate(district, CASE, "D2", "在责任范围内", "p-2")
    assert (decided.state, decided.department, decided.arbiter) == ("decided", "D2", "p-2")
    with pytest.raises(Conflict, match="p-2 gave it to D2"):
        arbitrate(district, CASE, "D1", "再议", "p-3")
    with pytest.raises(NotFound):
        arbitrate(district, "210102-E0507-20261124-0002", "D1", "x", "p-3")
    settled = suggest(district, opened(), NOW)
    assert (settled.department, settled.contested, settled.arbitrated) == ("D2", (), decided.entry)
    assert any("裁定：D2" in line.zh for line in settled.why)
    assert contest_draft(district, CASE, settled) is None
    assert suggest(district, opened("210102-E0507-20261124-0003"), NOW).contested, (
        "the next case is as open as this was"
    )
    assert queue(district) == []
    assert replay_differences(district) == []


def stepped(step: str, before: str, state: str, stage: str, department: str | None = None) -> CaseStepped:
    return CaseStepped(
        step=step, from_state=before, state=state, stage=stage, final=False, axis="supervision", post="operator", unit=None,
        opinion="", department=department, collector=None, clock=None, limit=None, deadline=None, warn=None, clocks=[],
        counts=[], fields={}, attachments=[], reason=None,
    )  # fmt: skip


def test_a_case_that_comes_to_be_dispatched_is_put_into_the_queue_and_lapses_when_it_goes_on(
    district: Node, take: Import
) -> None:
    take(district, DEPARTMENTS, SETS, RULES)
    take(district, CONTEST)
    numbers = {CASE: "0507", "210102-E0102-20261124-0002": "0102"}
    for number, category in numbers.items():
        body = replace(opened(number, category), day_seq=int(number[-4:]))
        district.journal.append(Draft("case.opened", f"case:{number}", body)).result()
    react(district)
    assert queue(district) == [], "it may still be refused"
    filed = stepped("file", "reported", "pending_dispatch", "dispatch")
    for number in numbers:
        district.journal.append(Draft("case.stepped", f"case:{number}", filed)).result()
    assert react(district) == 1
    (waiting,) = queue(district)
    assert (waiting.case, [claim.department for claim in waiting.claims]) == (CASE, ["D1", "D2"])
    assert react(district) == 0
    sent = stepped("dispatch", "pending_dispatch", "pending_handle", "handle", "D1")
    district.journal.append(Draft("case.stepped", f"case:{CASE}", sent)).result()
    assert queue(district) == []
    assert [one.case for one in queue(district, "lapsed")] == [CASE]
    back = stepped("redispatch", "pending_handle", "returned", "dispatch")
    district.journal.append(Draft("case.stepped", f"case:{CASE}", back)).result()
    assert react(district) == 2, "it is contested again, and D1 is told that it left"
    assert [one.case for one in queue(district)] == [CASE], "it came back and nobody decided yet"
    arbitrate(district, CASE, "D2", "属地", "p-1")
    assert replay_differences(district) == []


def test_only_the_owner_has_a_case_arbitrated(district: Node, take: Import) -> None:
    take(district, DEPARTMENTS, CONTEST)
    found = suggest(district, opened(), NOW)
    foreign = contest_draft(district, "210103-E0507-20261124-0001", found)
    assert foreign is not None
    with pytest.raises(BadInput, match="only its owner"):
        district.journal.append(foreign).result()
    undecided = {"case": CASE, "department": "D1", "opinion": "x"}
    with pytest.raises(BadInput, match="waits for no arbitration"):
        district.journal.append(Draft("route.arbitrated", f"arbitration:{CASE}", undecided)).result()


def test_the_city_sees_the_queue_and_edges_only_digests(tmp_path: Path, take: Import) -> None:
    plugins = [wanmi_casework]
    with small_city(tmp_path, city=plugins, district=plugins, clock=ManualClock(NOW)) as town:
        take(town.district, DEPARTMENTS, CONTEST)
        draft = contest_draft(town.district, CASE, suggest(town.district, opened(), NOW))
        assert draft is not None
        town.district.journal.append(draft).result()
        carry(town.district, town.city)
        carry(town.district, town.edge)
        assert [one.case for one in queue(town.city)] == [CASE]
        with pytest.raises(NotFound, match="at node 210100"):
            arbitrate(town.city, CASE, "D1", "x", "p-1")
        assert current_book(town.city).departments("2026-11-24") == [], "a district's rules are not the city's"
        assert all(one.entry is None for one in town.edge.journal.read("210102", 0) if one.audience != "*")
        with pytest.raises(NotFound, match="no action"):
            result(town.edge, "route.import", {"shipped": True})
        assert replay_differences(town.city) == []


@pytest.mark.parametrize("code", ["210102", "210103"])
def test_the_shipped_rules_know_every_category_everywhere(tmp_path: Path, code: str) -> None:
    with small_node(tmp_path / "node", code=code, plugins=[wanmi_casework], clock=ManualClock(NOW)) as node:
        done = result(node, "route.import", {"shipped": True})
        assert (done["refused"], done["contested"]) == ([], [])
        assert result(node, "route.import", {"shipped": True})["journaled"] == 0
        from wanmi.codes import CASE_KINDS, Profile

        communities = [
            one.code for street in Divisions.load().children(code) for one in Divisions.load().children(street.code)
        ]
        for kind in CASE_KINDS:
            for category in Profile.load().catalogue.of_kind(kind):
                for community in communities[::17]:
                    found = suggest(node, Facts(kind, category.code, f"{community}001", "collector"), NOW)
                    assert found.department is not None
                    assert found.limit is not None
                    assert "（示意）" in found.why[1].zh
        assert replay_differences(node) == []


def test_the_citys_own_rules_are_shipped_too(tmp_path: Path) -> None:
    with small_node(tmp_path / "city", role="city", code="210100", plugins=[wanmi_casework], clock=ManualClock(NOW)) as city:  # fmt: skip
        done = result(city, "route.import", {"shipped": True})
        assert done["refused"] == []
        assert suggest(city, Facts("event", "0505", GRID, "hotline"), NOW).department == "210100-JJ"


def test_nobody_else_has_shipped_rules_and_edges_route_nothing(tmp_path: Path) -> None:
    with small_node(tmp_path / "d", code="210111", plugins=[wanmi_casework]) as node:
        with pytest.raises(NotFound, match="there are: 210100, 210102, 210103"):
            result(node, "route.import", {"shipped": True})
        with pytest.raises(BadInput, match="no file is named"):
            result(node, "route.import", {})
    sections = {"link": {"listen": "tcp://127.0.0.1:1"}}
    with small_city(tmp_path / "town", edge=[wanmi_casework], sections=sections) as town, pytest.raises(NotAllowed):
        result(town.edge, "route.import", {"shipped": True})


def test_the_book_outlives_the_process(district: Node, take: Import) -> None:
    take(district, DEPARTMENTS, SETS, RULES)
    before = suggest(district, opened(category="0102"), NOW)
    with reopen(district) as again:
        assert suggest(again, opened(category="0102"), NOW) == before


@pytest.fixture
def api(district: Node, take: Import) -> Iterator[Browser]:
    take(district, DEPARTMENTS, SETS, RULES)
    take(district, CONTEST)
    with machine(district, "read", "write") as browser:
        yield browser


def machine(node: Node, *scopes: str) -> Browser:
    return Browser(build_app(node), token=add_token(node, name="test", scopes=list(scopes)).secret)


def test_explaining_over_http(district: Node, api: Browser) -> None:
    asked = {"category": "event:0102", "grid": GRID, "at": "2026-11-24T17:30"}
    found = api.get("/api/v1/routes/explain", params=asked).json()
    assert (found["department"], found["rule"], found["responsibility"]) == ("D1", "R1", ["Z1"])
    assert found["limit"] == {"value": 4, "unit": "work_hour", "area_class": None}
    assert found["at"] == time_of("2026-11-24T17:30")
    assert [line["en"] for line in found["why"]][1] == "rule R1 matches: category event:0102, anywhere"
    assert api.get("/api/v1/routes/explain", params={**asked, "version": found["version"]}).json() == found
    for wrong in ({"category": "0102"}, {"category": "event:0999"}, {"grid": "21"}, {"at": "noon"}, {"version": "z"},
                  {"at": "9" * 30}, {"version": "210102:²"}, {"grid": "²" * 15}, {"at": "0001-01-01T00:00"}):  # fmt: skip
        answer = api.get("/api/v1/routes/explain", params={**asked, **wrong})
        assert answer.status_code == 422, (wrong, answer.text)
    assert {one["code"] for one in api.get("/api/v1/departments").json()} == {"D1", "D2"}


def test_the_queue_and_the_decision_over_http(district: Node, api: Browser) -> None:
    numbers = [f"210102-E0507-20261124-000{n}" for n in (1, 2, 3)]
    for number in numbers:
        draft = contest_draft(district, number, suggest(district, opened(number), NOW))
        assert draft is not None
        district.journal.append(draft).result()
    first = api.get("/api/v1/arbitration", params={"limit": 2}).json()
    rest = api.get("/api/v1/arbitration", params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["case"] for one in [*first["cases"], *rest["cases"]]] == numbers
    assert rest["next"] is None
    said = {"department": "D1", "opinion": "属地优先"}
    done = api.request("POST", f"/api/v1/arbitration/{numbers[0]}", json=said)
    assert (done.status_code, done.json()["department"], done.json()["arbiter"][:6]) == (200, "D1", "token:")
    assert api.request("POST", f"/api/v1/arbitration/{numbers[0]}", json=said).status_code == 409
    assert api.request("POST", "/api/v1/arbitration/nothing", json=said).status_code == 404
    assert api.request("POST", f"/api/v1/arbitration/{numbers[1]}", json={**said, "opinion": ""}).status_code == 422
    assert [one["case"] for one in api.get("/api/v1/arbitration?state=decided").json()["cases"]] == numbers[:1]
    assert api.get("/api/v1/arbitration", params={"cursor": "x"}).status_code == 422
    with machine(district, "read") as reader:
        assert reader.request("POST", f"/api/v1/arbitration/{numbers[1]}", json=said).status_code == 403
        assert len(reader.get("/api/v1/arbitration").json()["cases"]) == 2


def test_the_action_explains_as_the_api_does(district: Node, take: Import) -> None:
    take(district, DEPARTMENTS, SETS, RULES)
    found = result(district, "route.explain", {"category": "event:0505", "grid": GRID})
    assert (found["department"], found["rule"], found["at"]) == ("D2", "R2", NOW)
    assert json.dumps(found)


def test_who_may_ask_and_who_may_decide(district: Node, take: Import) -> None:
    take(district, DEPARTMENTS, CONTEST)
    draft = contest_draft(district, CASE, suggest(district, opened(), NOW))
    assert draft is not None
    district.journal.append(draft).result()
    said = {"department": "D1", "opinion": "属地"}
    with machine(district, "cases:read") as reader, machine(district, "cases:step") as stepper:
        assert [one["case"] for one in reader.get("/api/v1/arbitration").json()["cases"]] == [CASE]
        assert reader.request("POST", f"/api/v1/arbitration/{CASE}", json=said).status_code == 403
        assert stepper.get("/api/v1/departments").status_code == 403
        assert stepper.request("POST", f"/api/v1/arbitration/{CASE}", json=said).status_code == 200
