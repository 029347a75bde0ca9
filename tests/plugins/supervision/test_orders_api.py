"""Orders over HTTP, as people of city and district logged in under their posts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import wanmi_console
from support.browser import Browser
from support.two_tiers import (
    DEPARTMENT,
    DISTRICT,
    FILED,
    HOUR,
    OPERATOR,
    WORKED,
    TwoTiers,
    small_tiers,
)
from wanmi.identity import add_person
from wanmi.identity.units import add_unit, set_unit
from wanmi.models import CaseRow
from wanmi.node import Node
from wanmi.testing import replay_differences
from wanmi.web import build_app

PASSWORD = "a long enough secret"
POSTS = ("operator", "shift_leader", "dispatcher", "department", "supervisor", "collector")


class Client:
    """Somebody logged in: JSON in, JSON out."""

    def __init__(self, browser: Browser, login: str) -> None:
        self.browser = browser
        assert browser.log_in(login, PASSWORD).status_code == 303, login
        self._token = browser.form_token()

    def ask(self, path: str) -> httpx.Response:
        return self.browser.get(f"/api/v1{path}")

    def get(self, path: str) -> Any:
        answer = self.ask(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, path: str, ask: dict[str, Any], key: str = "") -> httpx.Response:
        headers = {"x-csrf-token": self._token, **({"idempotency-key": key} if key else {})}
        return self.browser.request("POST", f"/api/v1{path}", json=ask, headers=headers)

    def post(self, path: str, ask: dict[str, Any]) -> Any:
        answer = self.send(path, ask)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class Desks:
    """Both nodes with everybody's browser."""

    tiers: TwoTiers
    browsers: list[Browser] = field(default_factory=list)
    made: dict[tuple[str, str], Client] = field(default_factory=dict)
    apps: dict[str, Any] = field(default_factory=dict)

    def at(self, node: Node, post: str) -> Client:
        """Somebody in a post at a node, logged in."""
        key = (node.code, post)
        if key not in self.made:
            app = self.apps.setdefault(node.code, build_app(node))
            self.browsers.append(Browser(app))
            self.made[key] = Client(self.browsers[-1], post.replace("_", "."))
        return self.made[key]

    def above(self, post: str) -> Client:
        return self.at(self.tiers.city, post)

    def below(self, post: str) -> Client:
        return self.at(self.tiers.district, post)


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    dir: Path = tmp_path_factory.mktemp("tiers")
    with small_tiers(dir, wanmi_console) as tiers:
        for node in (tiers.city, tiers.district):
            add_unit(node, code=DEPARTMENT, name="Streets")
            for post in POSTS:
                add_person(node, login=post.replace("_", "."), name=post, posts=[post], password=PASSWORD)
            set_unit(node, "department", DEPARTMENT)
        made = Desks(tiers)
        yield made
        for browser in made.browsers:
            browser.close()
        for node in (tiers.city, tiers.district):
            assert replay_differences(node) == []


def given(client: Client, ask: dict[str, Any], key: str = "") -> Any:
    answer = client.send("/orders", ask, key)
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(send: Callable[[], Any], status: int, why: str) -> None:
    answer = send()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert why in answer.json()["detail"]


def test_handed_down_and_answered_over_http(desks: Desks) -> None:
    tiers = desks.tiers
    above = tiers.case_from()
    tiers.work(tiers.city, above, *FILED)
    ask = {
        "kind": "hand_down", "case": above, "district": DISTRICT, "demand": "请处理", "reply_by": tiers.now + 8 * HOUR,
    }  # fmt: skip
    order = given(desks.above("dispatcher"), ask, "key-1")
    assert given(desks.above("dispatcher"), ask, "key-1")["order_id"] == order["order_id"]
    refused(lambda: desks.above("dispatcher").send("/orders", {**ask, "demand": "!"}, "key-1"), 422, "take a new key")
    refused(lambda: desks.above("dispatcher").send("/orders", ask), 403, "cannot go from handed_down")
    refused(lambda: desks.above("operator").send("/orders", ask), 403, "cannot go from handed_down")
    tiers.exchange()
    waiting = desks.below("operator").get("/orders?state=open")["orders"]
    assert [(one["order_id"], one["case"], one["late"]) for one in waiting] == [(order["order_id"], above, False)]
    below = waiting[0]["accepted_case"]
    assert tiers.number(tiers.district, CaseRow.report_id, order["order_id"]) == below
    tiers.work(tiers.district, below, *WORKED)
    tiers.exchange()
    took = {"step": "take_answer", "fields": {"order": order["order_id"]}}
    assert desks.above("dispatcher").post(f"/cases/{above}/steps", took)["state"] == "handled"
    tiers.exchange()
    shown = desks.below("shift_leader").get(f"/orders/{order['order_id']}")
    assert (shown["state"], shown["result"], shown["answer"]) == ("closed", "done", "done")
    history = desks.above("supervisor").get(f"/cases/{above}/history")
    assert history["cases"] == [above, below]
    assert {line["node"] for line in history["lines"]} == {"210100", DISTRICT}


def test_who_may_what(desks: Desks) -> None:
    tiers = desks.tiers
    number = tiers.district_case()
    ask = {"kind": "press", "press": "leader", "district_case": number, "demand": "速办", "reply_by": tiers.now + HOUR}
    refused(lambda: desks.below("supervisor").send("/orders", ask), 403, "this one is of district")
    refused(lambda: desks.above("department").send("/orders", ask), 403, "order.issue")
    refused(lambda: desks.above("operator").send("/orders", ask), 403, "it is for: supervisor, shift_leader")
    order = given(desks.above("supervisor"), ask)
    tiers.exchange()
    path = f"/orders/{order['order_id']}"
    said = {"answer": "answered", "opinion": "一小时内到"}
    refused(lambda: desks.above("operator").send(f"{path}/answer", said), 403, "this one is of city")
    refused(
        lambda: desks.below("operator").send(f"{path}/answer", {**said, "answer": "kept"}),
        422,
        "answered with answered",
    )
    refused(lambda: desks.below("operator").send(f"{path}/answer", {**said, "opinion": " "}), 422, "say it in words")
    refused(lambda: desks.above("supervisor").send(f"{path}/close", {"result": "done"}), 403, "has not answered yet")
    assert desks.below("operator").post(f"{path}/answer", said)["state"] == "answered"
    tiers.exchange()
    assert desks.above("supervisor").post(f"{path}/close", {"result": "done"})["closed_by"] is not None
    refused(lambda: desks.above("supervisor").send("/orders/nothing/close", {"result": "done"}), 404, "not known")


def test_a_department_reads_its_own_history_only(desks: Desks) -> None:
    tiers = desks.tiers
    number = tiers.district_case()
    ask = {"kind": "check", "district_case": number, "demand": "请核查", "reply_by": tiers.now + HOUR}
    given(desks.above("supervisor"), ask)
    escalated = desks.below("dispatcher").send(f"/cases/{number}/escalation", {"demand": "请协调"}, "e-1")
    assert escalated.status_code == 201
    tiers.exchange()
    mine = desks.below("department").get(f"/cases/{number}/history")
    assert mine["cases"] == [number]
    all_of_it = desks.below("operator").get(f"/cases/{number}/history")
    assert [one[:6] for one in all_of_it["cases"]] == [DISTRICT, "210100"]
    above = all_of_it["cases"][1]
    hidden = desks.below("department").ask(f"/cases/{above}/history")
    assert hidden.status_code == 404


def test_the_city_sees_what_districts_asked(desks: Desks) -> None:
    tiers, asks = desks.tiers, []
    for n in range(3):
        number = tiers.district_case()
        asks.append(
            desks.below("dispatcher").send(f"/cases/{number}/escalation", {"demand": f"请协调 {n}"}).json()["ask"]
        )
    waiting = desks.below("operator").get("/escalations?state=waiting")["escalations"]
    assert [one["ask"] for one in waiting] == asks[-1:], "those before have reached the city with the other cases"
    tiers.exchange()
    page = desks.above("operator").get("/escalations?limit=2")
    rest = desks.above("operator").get(f"/escalations?limit=2&cursor={page['next']}")
    found = {one["ask"]: one for one in (*page["escalations"], *rest["escalations"])}
    assert (set(asks) <= set(found), rest["next"]) == (True, None)
    last = found[asks[-1]]
    assert (last["district"], last["state"], last["demand"]) == (DISTRICT, "open", "请协调 2")
    assert last["city_case"].startswith("210100-")
    tiers.work(tiers.city, last["city_case"], ("reject", OPERATOR))
    done = desks.above("operator").get(f"/escalations?state=done&district={DISTRICT}")["escalations"]
    assert [(one["ask"], one["city_state"]) for one in done] == [(asks[-1], "rejected")]
    assert desks.above("collector").ask("/escalations").status_code == 403
    assert desks.above("operator").ask("/escalations?cursor=x").status_code == 422


def test_queues_have_pages_and_counters_add_up(desks: Desks) -> None:
    tiers = desks.tiers
    number = tiers.district_case()
    before = {one["node"]: one for one in desks.above("operator").get("/supervision/counters")["counters"]}
    for n in range(5):
        ask = {
            "kind": "press", "press": "important", "district_case": number, "demand": f"第{n}次",
            "reply_by": tiers.now + (n + 1) * HOUR,
        }  # fmt: skip
        given(desks.above("shift_leader"), ask)
    seen: list[str] = []
    path = f"/orders?case={number}&limit=2"
    cursor = ""
    while True:
        page = desks.above("operator").get(path + (f"&cursor={cursor}" if cursor else ""))
        seen += [one["demand"] for one in page["orders"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == [f"第{n}次" for n in (4, 3, 2, 1, 0)]
    counted = {one["node"]: one for one in desks.above("operator").get("/supervision/counters")["counters"]}
    changed = {
        name: counted[DISTRICT][name] - value for name, value in before[DISTRICT].items() if isinstance(value, int)
    }
    assert {name: n for name, n in changed.items() if n} == {"pressed": 1, "orders_open": 5}
    for path, status in (
        ("/orders?state=strange", 422),
        ("/orders?limit=0", 422),
        ("/orders?cursor=nonsense", 422),
        ("/orders?cursor=99999999999999999999.x", 422),
        ("/orders/nothing", 404),
        ("/cases/210102-E0102-20261124-9999/history", 404),
    ):
        answer = desks.above("operator").ask(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path


def test_returned_and_reopened_are_counted(desks: Desks) -> None:
    tiers = desks.tiers
    number = tiers.district_case()
    before = tiers.count()
    asked = desks.below("department").post(
        f"/cases/{number}/requests", {"what": "return", "opinion": "不属我部门", "id": "r1"}
    )
    assert asked["requests"][-1]["state"] == "open"
    desks.below("dispatcher").post(f"/cases/{number}/requests/r1/decision", {"granted": True, "opinion": "同意"})
    tiers.work(tiers.district, number, *WORKED)
    desks.below("operator").post(f"/cases/{number}/requests", {"what": "reopen", "opinion": "复发", "id": "r2"})
    desks.below("shift_leader").post(f"/cases/{number}/requests/r2/decision", {"granted": True, "opinion": "同意"})
    tiers.exchange()
    after = tiers.count()
    assert (after.returned - before.returned, after.reopened - before.reopened) == (1, 1)
    assert after.open == before.open
