"""Requests sent twice are done once; reports over the API become cases, once; bulk steps tell of no foreign case."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

import wanmi_casework
import wanmi_console
from core.cases.worked import opened
from support.browser import Browser
from wanmi.clock import ManualClock
from wanmi.coords import Point, distance_m
from wanmi.entries import Entry
from wanmi.identity import add_person, add_token, add_unit, list_people, set_unit
from wanmi.identity.request_keys import KEPT, RequestKeyRow
from wanmi.models import CaseRow, table
from wanmi.node import Node
from wanmi.registry import Draft
from wanmi.reports import read_text
from wanmi.testing import react, replay_differences, small_node
from wanmi.web import build_app

PASSWORD = "a long enough secret"
START = 1_795_500_000_000_000
REPORT: dict[str, Any] = {
    "source": "leader", "kind": "event", "category": "0102", "text": "垃圾成堆", "address": "中山路 1 号",
    "point": {"lon_e7": 1_234_330_000, "lat_e7": 417_900_000},
}  # fmt: skip


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with small_node(tmp_path / "node", plugins=[wanmi_casework, wanmi_console], clock=ManualClock(START)) as made:
        add_unit(made, code="roads", name="roads")
        for post in ("operator", "department", "administrator"):
            add_person(made, login=post, name=post, posts=[post], password=PASSWORD)
        set_unit(made, "department", "roads")
        yield made


@pytest.fixture
def app(node: Node) -> Any:
    return build_app(node)


@pytest.fixture
def machine(node: Node, app: Any) -> Iterator[Browser]:
    scopes = ["reports:write", "cases:read", "admin"]
    with Browser(app, token=add_token(node, name="office", scopes=scopes).secret) as made:
        yield made


def send(browser: Browser, path: str, body: Any, key: str = "") -> httpx.Response:
    return browser.request("POST", f"/api/v1{path}", json=body, headers={"idempotency-key": key} if key else {})


def entries(node: Node, kind: str) -> list[Entry]:
    return [one.entry for one in node.journal.read(node.code, 0) if one.entry is not None and one.entry.kind == kind]


def kept(node: Node) -> int:
    with node.store.reader() as tx:
        return len(tx.execute(table(RequestKeyRow).select()).all())


def test_a_report_becomes_a_case(node: Node, machine: Browser) -> None:
    answer = send(machine, "/reports", REPORT)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["case"] is None
    assert machine.get(f"/api/v1/reports/{made['id']}").status_code == 404
    react(node)
    found = machine.get(f"/api/v1/reports/{made['id']}?wait=1").json()
    case = machine.get(f"/api/v1/cases/{found['case']}").json()["case"]
    assert (case["source"], case["category"], case["lon_e7"]) == ("leader", "0102", 1_234_330_000)
    [entry] = entries(node, "report.registered")
    blob = entry.body["attachments"][0]["blob"]
    assert read_text(node.blobs.open(blob)) == "垃圾成堆"
    assert "垃圾" not in str(entry.body).replace("中山路", "")
    assert replay_differences(node) == []


def test_a_report_with_a_key_is_registered_once(node: Node, machine: Browser) -> None:
    first = send(machine, "/reports", REPORT, "letter-1").json()
    react(node)
    again = send(machine, "/reports", REPORT, "letter-1").json()
    assert again["id"] == first["id"]
    assert again["case"] is not None
    other = send(machine, "/reports", {**REPORT, "text": "something else"}, "letter-1")
    assert (other.status_code, "another report" in other.json()["detail"]) == (422, True)
    for change in ({"point": {"lon_e7": 0, "lat_e7": 0}}, {"source": "media"}, {"address": ""}):
        assert send(machine, "/reports", {**REPORT, **change}, "letter-1").status_code == 422, change
    assert len(entries(node, "report.registered")) == 1
    assert send(machine, "/reports", REPORT, "letter-2").json()["id"] != first["id"]


def test_what_is_near_in_place_and_time_is_told_to_the_unit(node: Node, app: Any, machine: Browser) -> None:
    """50 m and 24 hours, to the 1e-7 degree and the microsecond; an operator links what is the same."""
    here, day = REPORT["point"], 24 * 3_600_000_000
    at = Point(here["lon_e7"], here["lat_e7"])
    edge = max(n for n in range(4000, 5000) if distance_m(at, Point(at.lon_e7, at.lat_e7 + n)) <= 50)
    made = {
        "first": {"made_at": START},
        "at 50 m": {"made_at": START, "point": here | {"lat_e7": here["lat_e7"] + edge}},
        "beyond": {"made_at": START, "point": here | {"lat_e7": here["lat_e7"] - edge - 1}},
        "other": {"made_at": START, "category": "0103"},
        "a day ago": {"made_at": START - day},
        "longer ago": {"made_at": START - day - 1},
    }
    ids = {name: send(machine, "/reports", REPORT | more).json()["id"] for name, more in made.items()}
    react(node)
    number = {name: machine.get(f"/api/v1/reports/{id}").json()["case"] for name, id in ids.items()}
    told = {name: machine.get(f"/api/v1/cases/{one}").json()["case"]["similar"] for name, one in number.items()}
    name_of = {one: name for name, one in number.items()}
    assert {name: {name_of[one] for one in similar} for name, similar in told.items()} == {
        "first": set(), "at 50 m": {"first"}, "beyond": set(), "other": set(), "a day ago": {"first", "at 50 m"},
        "longer ago": {"a day ago"},
    }  # fmt: skip
    with Browser(app) as operator:
        assert operator.log_in("operator", PASSWORD).status_code == 303
        headers = {"x-csrf-token": operator.form_token()}
        path = f"/api/v1/cases/{number['at 50 m']}/links"
        linked = operator.request("POST", path, json={"other": number["first"]}, headers=headers).json()
    assert [(one["other"], one["kind"]) for one in linked["links"]] == [(number["first"], "similar")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": "collector"}, "terminals sign"),
        ({"source": "hotline"}, "hotline"),
        ({"source": "Leader!"}, "source"),
        ({"category": "9999"}, "9999"),
        ({"area": "210102001001001"}, "one of them"),
        ({"point": None}, "one of them"),
        ({"point": None, "area": "210102001001001"}, "not known here"),
        ({"text": ""}, "text"),
        ({"made_at": START + 10**9}, "future"),
        ({"more": 1}, "more"),
    ],
)
def test_a_report_that_does_not_fit_is_refused(machine: Browser, change: dict[str, Any], said: str) -> None:
    answer = send(machine, "/reports", {**REPORT, **change})
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]


def test_a_node_that_opens_no_cases_takes_no_reports(tmp_path: Path) -> None:
    with ExitStack() as opened_now:
        bare = opened_now.enter_context(small_node(tmp_path / "bare"))
        secret = add_token(bare, name="x", scopes=["write"]).secret
        machine = opened_now.enter_context(Browser(build_app(bare), token=secret))
        answer = send(machine, "/reports", REPORT)
        assert (answer.status_code, "casework" in answer.json()["detail"]) == (409, True)


def test_any_post_with_a_key_is_done_once(node: Node, machine: Browser) -> None:
    lock = {"seconds": 60, "reason": "lost badge"}
    first = send(machine, "/people/operator/lock", lock, "k1")
    assert first.status_code == 200, first.text
    node.clock.advance(5_000_000)  # type: ignore[attr-defined]
    again = send(machine, "/people/operator/lock", lock, "k1")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    without = send(machine, "/people/operator/lock", lock)
    assert without.json()["locked_until"] > first.json()["locked_until"]
    other = send(machine, "/people/operator/lock", {**lock, "seconds": 61}, "k1")
    assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)
    assert other.headers["content-type"] == "application/problem+json"


def test_an_answer_without_body_is_kept_too(node: Node, machine: Browser) -> None:
    for _ in range(2):
        assert send(machine, "/people/operator/release", None, "k2").status_code == 204
    assert kept(node) == 1


def test_a_refusal_is_not_kept(node: Node, machine: Browser) -> None:
    assert send(machine, "/people/newcomer/lock", {"seconds": 60}, "k3").status_code == 404
    add_person(node, login="newcomer", name="new", posts=["operator"], password=PASSWORD)
    assert send(machine, "/people/newcomer/lock", {"seconds": 60}, "k3").status_code == 200


def test_keys_are_each_ones_own(node: Node, app: Any, machine: Browser) -> None:
    assert send(machine, "/people/operator/lock", {"seconds": 60}, "k4").status_code == 200
    with Browser(app, token=add_token(node, name="other", scopes=["admin"]).secret) as other:
        answer = send(other, "/people/operator/lock", {"seconds": 90}, "k4")
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (200, False)


@pytest.mark.parametrize("key", ["x" * 101, "a\tb"])
def test_a_key_that_is_none_is_refused(machine: Browser, key: str) -> None:
    assert send(machine, "/people/operator/lock", {"seconds": 60}, key).status_code == 422


def test_old_answers_are_forgotten(node: Node, machine: Browser) -> None:
    send(machine, "/people/operator/lock", {"seconds": 60}, "k5")
    node.clock.advance(KEPT + 1)  # type: ignore[attr-defined]
    send(machine, "/people/operator/lock", {"seconds": 60}, "k6")
    assert kept(node) == 1


def test_secrets_are_never_kept(node: Node, app: Any) -> None:
    with Browser(app) as browser:
        browser.log_in("operator", PASSWORD)
        headers = {"x-csrf-token": browser.get("/api/v1/self").json()["csrf"], "idempotency-key": "k7"}
        one = browser.request("POST", "/api/v1/self/code", headers=headers)
        assert one.status_code == 200, one.text
        assert kept(node) == 0


def test_one_key_at_two_moments_is_one_lock(node: Node, app: Any) -> None:
    secret = add_token(node, name="twins", scopes=["admin"]).secret
    answers: list[httpx.Response] = []

    def work() -> None:
        with Browser(app, token=secret) as browser:
            answers.append(send(browser, "/people/operator/lock", {"seconds": 60}, "k8"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.status_code for one in answers} <= {200, 409}
    assert len({one.content for one in answers if one.status_code == 200}) == 1


def test_who_am_i(node: Node, app: Any, machine: Browser) -> None:
    with Browser(app) as browser:
        browser.log_in("department", PASSWORD)
        told = browser.get("/api/v1/self").json()
        person = next(one for one in list_people(node) if one.login == "department")
        assert (told["actor"], told["post"], told["unit"], told["axis"]) == (
            person.id, "department", "roads", "command",
        )  # fmt: skip
    assert machine.get("/api/v1/self").status_code == 403, "a machine is no person"


def test_a_bulk_step_tells_a_department_of_no_foreign_case(node: Node, app: Any) -> None:
    numbers = [f"210102-E0102-20261124-{n:04d}" for n in (1, 2, 3)]
    for n, number in enumerate(numbers[:2], 1):
        node.journal.append(Draft("case.opened", f"case:{number}", opened(number, day_seq=n), expect=0)).result()
    cases = table(CaseRow)
    own = update(cases).where(cases.c.number == numbers[0]).values(department="roads")
    node.store.write(lambda tx: tx.execute(own)).result()
    with Browser(app) as browser:
        browser.log_in("department", PASSWORD)
        headers = {"x-csrf-token": browser.get("/api/v1/self").json()["csrf"]}
        ask = {"numbers": numbers, "step": "take"}
        told = browser.request("POST", "/api/v1/cases/bulk/steps", json=ask, headers=headers).json()
    mine, foreign, none = told
    assert mine["status"] in (403, 409, 422)
    assert "not known" not in mine["error"]
    assert foreign["status"] == none["status"] == 404
    assert foreign["error"].replace(numbers[1], numbers[2]) == none["error"]
