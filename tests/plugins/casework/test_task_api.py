"""Tasks over HTTP: sent with their case or as a survey, listed, recalled, an answer decided on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import wanmi_casework
import wanmi_console
from edge.street import CITY_POINT
from plugins.casework.test_desk_api import PASSWORD, POSTS, Client
from plugins.casework.test_task_weighing import HOLDER, Round
from plugins.casework.test_tasks import MINUTE, START, Town
from support.browser import Browser
from wanmi.clock import ManualClock
from wanmi.codes import local_date
from wanmi.identity import add_person
from wanmi.registry import Draft
from wanmi.reports import read_text
from wanmi.testing import replay_differences, small_city
from wanmi.web import build_app
from wanmi_casework.routing.kinds import ResponsibilitySet

AWAY = 30_000
"""Degrees e-7 to the north: some 330 m."""
People = Callable[[str], Client]


@pytest.fixture(scope="module")
def round_(tmp_path_factory: pytest.TempPathFactory, database: Callable[[str], str]) -> Iterator[Round]:
    dir: Path = tmp_path_factory.mktemp("tasks")
    plugins = [wanmi_casework, wanmi_console]
    clock = ManualClock(START)
    with small_city(dir / "city", city=plugins, district=plugins, clock=clock, database=database) as city:
        for post in (*POSTS, "collector"):
            add_person(city.district, login=post.replace("_", "."), name=post, posts=[post], password=PASSWORD)
        made = Round(Town(city, clock), dir)
        made.assign(HOLDER)
        yield made
        assert replay_differences(city.district) == []


@pytest.fixture(scope="module")
def people(round_: Round) -> Iterator[People]:
    app, made, browsers = build_app(round_.town.district), {}, []

    def login(post: str) -> Client:
        if post not in made:
            browsers.append(Browser(app))
            made[post] = Client(browsers[-1], post.replace("_", "."))
        return made[post]

    yield login
    for browser in browsers:
        browser.close()


def pending(round_: Round) -> str:
    """A case that waits to be checked."""
    number = round_.office.open_case(terminal=None)
    round_.office.to(number, "pending_check")
    return number


def test_a_case_goes_out_with_its_task_and_comes_back(round_: Round, people: People) -> None:
    number, operator = pending(round_), people("operator")
    ask = {"kind": "check", "case": number, "terminal": round_.town.street.id, "remark": "看看井盖"}
    sent = operator.send("/tasks", ask, key="send-1")
    assert sent.status_code == 201, sent.text
    assert operator.send("/tasks", ask, key="send-1").json() == sent.json()
    task = sent.json()["task"]
    assert (sent.json()["by"], task["state"], task["holder"], task["overdue"]) == ("asked", "open", HOLDER, False)
    case = operator.get(f"/cases/{number}/work")
    assert (case["state"], case["collector"], case["deadline"]) == ("checking", HOLDER, task["deadline"])
    assert read_text(round_.town.district.blobs.open(task["remark"])) == "看看井盖"
    round_.town.answer(task["task_id"], lon_e7=task["lon_e7"], lat_e7=task["lat_e7"] + AWAY, photo=b"\xff\xd8\xff")
    round_.town.bring()
    waits = operator.get("/tasks?outcome=waits")["tasks"]
    assert [one["task_id"] for one in waits] == [task["task_id"]]
    seen = operator.get(f"/tasks/{task['task_id']}")
    answer = seen["answer"]
    assert (answer["result"], answer["presence"], answer["doubts"]) == ("yes", "absent", ["too_far"])
    assert 300 < answer["distance_m"] < 360
    assert [one["role"] for one in answer["attachments"]] == ["photo"]
    assert [(one["outcome"], one["why"]) for one in seen["weighed"]] == [("waits", "presence")]
    for refused in ("dispatcher", "department", "supervisor", "collector"):
        told = people(refused).send(f"/tasks/{task['task_id']}/decision", {"accepted": True, "opinion": "x"})
        assert told.status_code == 403, refused
        assert told.headers["content-type"].startswith("application/problem+json")
    told = people("shift_leader").send(f"/tasks/{task['task_id']}/decision", {"accepted": True, "opinion": "电话核实"})
    assert told.status_code == 200, told.text
    assert [one["outcome"] for one in told.json()["weighed"]] == ["waits", "accepted"]
    assert operator.get(f"/cases/{number}/work")["state"] == "check_passed"
    again = people("shift_leader").send(f"/tasks/{task['task_id']}/decision", {"accepted": False, "opinion": "x"})
    assert again.status_code == 409


def test_lists_are_paged_and_filtered(round_: Round, people: People) -> None:
    operator = people("operator")
    place = {"category": "0102", "lon_e7": CITY_POINT[0], "lat_e7": CITY_POINT[1], "terminal": round_.town.street.id}
    made = []
    for _ in range(5):
        round_.town.clock.advance(MINUTE)
        made.append(operator.send("/tasks", {"kind": "survey", **place}).json()["task"]["task_id"])
    page = operator.get("/tasks?kind=survey&limit=2")
    found = list(page["tasks"])
    while page["next"]:
        page = operator.get(f"/tasks?kind=survey&limit=2&cursor={page['next']}")
        found += page["tasks"]
    assert [one["task_id"] for one in found] == made[::-1]
    assert operator.get(f"/tasks?terminal={round_.town.street.id}&kind=survey&state=judged")["tasks"] == []
    assert operator.get("/tasks?case=nothing")["tasks"] == []
    recalled = operator.send(f"/tasks/{made[0]}/recall", {"reason": "已由他人处理"})
    assert (recalled.json()["state"], recalled.json()["withdrawn_why"]) == ("withdrawn", "已由他人处理")
    assert operator.send(f"/tasks/{made[0]}/recall", {"reason": "x"}).status_code == 409
    assert operator.send(f"/tasks/{made[1]}/recall", {"reason": " "}).status_code == 422
    assert operator.send("/tasks/nothing/recall", {"reason": "x"}).status_code == 404
    assert people("dispatcher").send(f"/tasks/{made[1]}/recall", {"reason": "x"}).status_code == 403
    browser = operator.browser
    assert browser.get("/api/v1/tasks?cursor=zzz").status_code == 422
    assert people("collector").browser.get("/api/v1/tasks").status_code == 403


def test_routing_proposes_the_collector_of_the_grid(round_: Round, people: People) -> None:
    number, operator = pending(round_), people("operator")
    refused = operator.send("/tasks", {"kind": "check", "case": number})
    assert refused.status_code == 404
    assert "routing names no collector for this place; name the terminal" in refused.json()["detail"]
    grid = ResponsibilitySet(
        "R1", "和平一", ["210102001002"], [HOLDER], ["dep-1"], None, local_date(START).isoformat(), None, "", False
    )
    round_.town.district.journal.append(Draft("responsibility.set", "responsibility:210102:R1", grid)).result()
    assert operator.get(f"/tasks/proposal?case={number}") == {
        "terminal": round_.town.street.id, "by": "rule", "rule": "R:R1",
    }  # fmt: skip
    sent = operator.send("/tasks", {"kind": "check", "case": number}).json()
    assert (sent["by"], sent["rule"], sent["task"]["terminal"]) == ("rule", "R:R1", round_.town.street.id)
    again = operator.send("/tasks", {"kind": "check", "case": number}).json()
    assert (
        operator.get(f"/tasks/{sent['task']['task_id']}")["withdrawn_why"]
        == f"replaced by task {again['task']['task_id']}"
    )
    assert [one["state"] for one in operator.get(f"/tasks?case={number}")["tasks"]] == ["open", "withdrawn"]


def test_what_is_refused_explains_itself(round_: Round, people: People) -> None:
    number, operator = pending(round_), people("operator")
    terminal = round_.town.street.id
    for ask, status, told in (
        ({"kind": "verify", "case": number, "terminal": terminal}, 403, "cannot go from pending_check to verifying"),
        ({"kind": "check", "terminal": terminal}, 422, "belongs to a case"),
        ({"kind": "check", "case": number, "terminal": "T210102-9999"}, 404, "is not admitted by 210102"),
        ({"kind": "check", "case": number, "terminal": terminal, "deadline": 5}, 422, "its deadline is over"),
        ({"kind": "check", "case": number, "terminal": terminal, "expect": 1}, 409, "you looked at 1"),
        ({"kind": "survey", "case": number, "terminal": terminal}, 422, "belongs to no case"),
        ({"kind": "survey", "terminal": terminal}, 422, "needs category, lon_e7 and lat_e7"),
        ({"kind": "check", "case": "210103-E0102-20261124-0001", "terminal": terminal}, 404, "not known"),
    ):
        answer = operator.send("/tasks", ask)
        assert (answer.status_code, told in answer.text) == (status, True), answer.text
    refused = people("supervisor").send("/tasks", {"kind": "check", "case": number, "terminal": terminal})
    assert refused.status_code == 403
    assert "it is for: operator" in refused.json()["detail"]
