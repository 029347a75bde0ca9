"""The desk over HTTP where people get in each other's way: keys, two at once, merges, splits, reviewers, strange cursors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import wanmi_casework
import wanmi_console
from core.cases.worked import START
from plugins.casework.office import DEPARTMENT, HOUR, Office
from plugins.casework.test_desk_api import DISPATCH, FILED, PASSWORD, Client
from support.browser import Browser
from wanmi.clock import ManualClock
from wanmi.identity import add_person
from wanmi.identity.units import add_unit, set_unit
from wanmi.testing import replay_differences, small_node
from wanmi.web import build_app

PEOPLE = {
    "operator": "operator", "operator.2": "operator", "leader": "shift_leader", "dispatcher": "dispatcher",
    "department": "department", "other": "department", "collector": "collector",
    "assessor": "assessor", "supervisor": "supervisor",
}  # fmt: skip


class Desks:
    """An office whose people are logged in, each in a browser of its own."""

    def __init__(self, dir: Path) -> None:
        node = small_node(dir / "node", plugins=[wanmi_casework, wanmi_console], clock=ManualClock(START))
        self.office = Office(dir, node)
        self.office.clock = node.clock  # type: ignore[assignment]
        for unit in (DEPARTMENT, "dep-2"):
            add_unit(node, code=unit, name=unit)
        for login, post in PEOPLE.items():
            add_person(node, login=login, name=login, posts=[post], password=PASSWORD)
        set_unit(node, "department", DEPARTMENT)
        set_unit(node, "other", "dep-2")
        app = build_app(node)
        self.clients = {login: Client(Browser(app), login) for login in PEOPLE}

    def __call__(self, login: str) -> Client:
        return self.clients[login]

    def steps(self, number: str, *steps: tuple[str, str, dict[str, Any]]) -> None:
        """Take steps, each by somebody with what is said."""
        for login, step, more in steps:
            self(login).post(f"/cases/{number}/steps", {"step": step, "opinion": step, **more})


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    made = Desks(tmp_path_factory.mktemp("desks"))
    yield made
    for one in made.clients.values():
        one.browser.close()
    assert replay_differences(made.office.node) == []
    assert made.office.rows_that_do_not_fit() == []
    made.office.node.close()


ACCEPT, FILE = FILED[0], ("leader", *FILED[1][1:])


def test_a_key_belongs_to_who_sent_it(desks: Desks) -> None:
    one, other = desks.office.open_case(), desks.office.open_case()
    ask = {"step": "accept", "opinion": "seen"}
    desks("operator").post(f"/cases/{one}/steps", ask, key="same")
    again = desks("operator.2").send(f"/cases/{one}/steps", ask, key="same")
    assert (again.status_code, "cannot go from pending_file" in again.text) == (403, True), "no other's answer"
    assert desks("operator.2").post(f"/cases/{other}/steps", ask, key="same")["number"] == other


def test_of_two_operators_at_once_one_wins_and_the_other_is_told(desks: Desks) -> None:
    for _ in range(5):
        number = desks.office.open_case()
        ask = {"step": "accept", "opinion": "seen", "expect": 1}
        with ThreadPoolExecutor(2) as pool:
            who = ("operator", "operator.2")
            found = list(pool.map(lambda login: desks(login).send(f"/cases/{number}/steps", ask), who))  # noqa: B023
        won, lost = sorted(found, key=lambda answer: answer.status_code)
        assert (won.status_code, lost.status_code) == (200, 409)
        assert "(operator) did accept (受理) at" in lost.json()["detail"]


def test_a_merge_is_undone_after_the_other_case_moved_on(desks: Desks) -> None:
    one, other = desks.office.open_case(), desks.office.open_case()
    desks.steps(other, ACCEPT)
    merged = desks("operator").post(f"/cases/{one}/merge", {"other": other, "opinion": "the same"})
    assert merged["state"] == "merged"
    desks.steps(other, FILE, DISPATCH)
    undone = desks("operator").post(f"/cases/{one}/unmerge", {"opinion": "not the same"})
    assert (undone["state"], undone["merged_into"]) == ("reported", None)
    work = desks("operator").get(f"/cases/{other}/work")
    assert (work["state"], [link["live"] for link in work["links"]]) == ("pending_handle", [False])
    twice = desks("operator").send(f"/cases/{one}/unmerge", {"opinion": "not the same"})
    assert (twice.status_code, "nothing to undo" in twice.json()["detail"]) == (403, True)


def test_merges_make_neither_chains_nor_circles(desks: Desks) -> None:
    x, y, z = (desks.office.open_case() for _ in range(3))
    merge = {"opinion": "the same"}
    desks("operator").post(f"/cases/{x}/merge", {"other": y, **merge})
    for one, other in ((y, x), (y, z), (z, x), (x, x)):
        assert desks("operator").send(f"/cases/{one}/merge", {"other": other, **merge}).status_code == 403


def test_the_other_case_of_a_merge_may_be_made_void_and_the_merge_undone(desks: Desks) -> None:
    one, other = desks.office.open_case(), desks.office.open_case()
    desks.steps(other, ACCEPT, FILE)
    desks("operator").post(f"/cases/{one}/merge", {"other": other, "opinion": "the same"})
    merged = desks("operator").send(f"/cases/{one}/requests", {"what": "void", "opinion": "no"})
    assert (merged.status_code, f"merged into {other}" in merged.json()["detail"]) == (403, True)
    desks("operator").post(f"/cases/{other}/requests", {"what": "void", "opinion": "no", "id": "v-1"})
    void = desks("leader").post(f"/cases/{other}/requests/v-1/decision", {"granted": True, "opinion": "no"})
    assert void["state"] == "cancelled"
    assert desks("operator").post(f"/cases/{one}/unmerge", {"opinion": "it is real"})["state"] == "reported"
    late = desks("operator").send(f"/cases/{one}/merge", {"other": other, "opinion": "the same"})
    assert (late.status_code, "cancelled" in late.json()["detail"]) == (403, True)


def test_parts_of_a_split_are_merged_again(desks: Desks) -> None:
    whole = desks.office.open_case()
    parts = [{"kind": "event", "category": "0103"}, {"kind": "event", "category": "0102"}]
    made = desks("operator").post(f"/cases/{whole}/split", {"parts": parts, "opinion": "two things"})
    for part in (case["number"] for case in made):
        merged = desks("operator").post(f"/cases/{part}/merge", {"other": whole, "opinion": "one thing after all"})
        assert merged["merged_into"] == whole
    first = made[0]["number"]
    undone = desks("operator").post(f"/cases/{first}/unmerge", {"opinion": "two"})
    assert [(link["other"], link["kind"]) for link in undone["links"]] == [(whole, "split")]


def test_a_part_is_about_something_that_the_catalogue_holds(desks: Desks) -> None:
    whole = desks.office.open_case()
    for part in ({"kind": "event", "category": "9999"}, {"kind": "component", "category": "9999"}):
        refused = desks("operator").send(f"/cases/{whole}/split", {"parts": [part], "opinion": "two things"})
        assert (refused.status_code, "9999" in refused.json()["detail"]) == (422, True), refused.text
    assert desks("operator").get(f"/cases/{whole}/work")["links"] == []


def test_bulk_tells_of_each_case_by_itself(desks: Desks) -> None:
    one, other = desks.office.open_case(), desks.office.open_case()
    strangers = ["210102-E0102-20261124-9999", "nonsense", ""]
    found = desks("operator").post(
        "/cases/bulk/steps", {"step": "accept", "opinion": "seen", "numbers": [one, *strangers, other]}
    )
    assert [(line["number"], line["status"]) for line in found] == [
        (one, 200), *((number, 404) for number in strangers), (other, 200),
    ]  # fmt: skip
    [hidden] = desks("other").post("/cases/bulk/steps", {"step": "take", "numbers": [one]})
    assert hidden["error"] == f"case {one}: not known at this node"


def test_strange_cursors_are_bad_input(desks: Desks) -> None:
    for path in ("/cases", "/tasks", "/arbitration"):
        for cursor in ("x", "1:", "1:\x00", "9223372036854775808:x", "-1", "9" * 30):
            answer = desks("operator").browser.get(f"/api/v1{path}", params={"cursor": cursor})
            assert answer.status_code == 422, (path, cursor, answer.text)


def test_another_department_learns_nothing_of_a_case(desks: Desks) -> None:
    number = desks.office.open_case()
    desks.steps(number, ACCEPT, FILE, DISPATCH)
    for path in ("", "/work", "/can", "/clock"):
        hidden = desks("other").browser.get(f"/api/v1/cases/{number}{path}")
        assert (hidden.status_code, hidden.json()["detail"]) == (404, f"case {number}: not known at this node")
    for path in ("/cases?limit=200", f"/cases?q={number}", "/requests", "/exports/cases.csv", "/exports/cases.geojson"):
        assert number not in desks("other").browser.get(f"/api/v1{path}").text, path
    for path in (f"/subjects/entries?subject=case:{number}", "/entries?origin=210102", "/tasks", "/arbitration"):
        assert desks("other").browser.get(f"/api/v1{path}").status_code == 403, path
    assert desks("collector").browser.get("/api/v1/exports/cases.csv").status_code == 403


def test_an_appeal_needs_two_people_whatever_their_posts(desks: Desks) -> None:
    number, office = desks.office.open_case(), desks.office
    office.to(number, "handling")
    office.clock.advance(5 * HOUR)
    office.timer.tick()
    office.to(number, "closed")
    appeal = {"what": "overdue_appeal", "opinion": "a flood", "id": "ap-1"}
    assert desks("other").send(f"/cases/{number}/requests", appeal).status_code == 404
    desks("department").post(f"/cases/{number}/requests", appeal)
    path, granted = f"/cases/{number}/requests/ap-1/decision", {"granted": True, "opinion": "the road was closed"}
    for login in ("operator", "dispatcher", "department"):
        assert desks(login).send(path, granted).status_code == 403, login
    half = desks("assessor").post(path, granted)["requests"][-1]
    assert (half["state"], len(half["reviews"])) == ("open", 1)
    again = desks("assessor").send(path, granted)
    assert (again.status_code, "the next reviewer is another person" in again.json()["detail"]) == (403, True)
    assert desks("assessor").send(path, {"granted": False, "opinion": "no"}).status_code == 403
    whole = desks("supervisor").post(path, granted)
    assert (whole["requests"][-1]["state"], whole["counts"]["overdue_excused"]) == ("granted", 1)


def test_a_bound_holds_on_the_short_way_to_a_step_too(desks: Desks) -> None:
    number = desks.office.open_case()
    for path, ask, where in (
        ("x" * 201, {"step": "accept"}, "path.number"),
        (number, {"step": "x" * 201}, "body.step"),
        (number, {"step": "accept", "fields": {"n": 2**53}}, "body.fields"),
    ):
        answer = desks("operator").send(f"/cases/{path}/steps", ask)
        assert (answer.status_code, where in answer.json()["detail"]) == (422, True), answer.text


def test_an_attachment_may_be_named_by_its_blob_alone(desks: Desks) -> None:
    number = desks.office.open_case()
    ask = {"step": "accept", "opinion": "seen", "attachments": [{"blob": "f" * 64}]}
    unknown = desks("operator").send(f"/cases/{number}/steps", ask)
    assert 400 <= unknown.status_code < 500, unknown.text
