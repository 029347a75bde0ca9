"""The desk over HTTP, as people logged in under their posts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import wanmi_casework
import wanmi_console
from core.cases.worked import START
from plugins.casework.office import DAY, DEPARTMENT, HOUR, Office
from support.browser import Browser
from support.pictures import JPEG
from wanmi.clock import ManualClock
from wanmi.identity import add_person, add_token
from wanmi.identity.units import add_unit, set_unit
from wanmi.testing import replay_differences, small_node
from wanmi.web import build_app

PASSWORD = "a long enough secret"
POSTS = ("operator", "shift_leader", "dispatcher", "department", "assessor", "supervisor")


class Client:
    """Somebody at a desk: JSON in, JSON out."""

    def __init__(self, browser: Browser, login: str) -> None:
        self.browser = browser
        assert browser.log_in(login, PASSWORD).status_code == 303, login
        self.token = browser.form_token()

    def get(self, path: str) -> Any:
        answer = self.browser.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, path: str, ask: dict[str, Any], key: str = "") -> httpx.Response:
        headers = {"x-csrf-token": self.token, **({"idempotency-key": key} if key else {})}
        return self.browser.request("POST", f"/api/v1{path}", json=ask, headers=headers)

    def post(self, path: str, ask: dict[str, Any], key: str = "") -> Any:
        answer = self.send(path, ask, key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def attach(self, number: str, content: bytes, media: str = "image/jpeg") -> httpx.Response:
        headers = {"x-csrf-token": self.token, "content-type": media}
        return self.browser.request("POST", f"/api/v1/cases/{number}/attachments", content=content, headers=headers)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    dir: Path = tmp_path_factory.mktemp("office")
    node = small_node(dir / "node", plugins=[wanmi_casework, wanmi_console], clock=ManualClock(START))
    made = Office(dir, node)
    made.clock = node.clock  # type: ignore[assignment]
    for post in POSTS:
        add_person(node, login=post.replace("_", "."), name=post, posts=[post], password=PASSWORD)
    add_unit(node, code=DEPARTMENT, name="Streets")
    set_unit(node, "department", DEPARTMENT)
    yield made
    assert replay_differences(node) == []
    node.close()


@pytest.fixture(scope="module")
def people(office: Office) -> Iterator[Callable[[str], Client]]:
    app, made, browsers = build_app(office.node), {}, []

    def login(post: str) -> Client:
        if post not in made:
            browsers.append(Browser(app))
            made[post] = Client(browsers[-1], post.replace("_", "."))
        return made[post]

    yield login
    for browser in browsers:
        browser.close()


People = Callable[[str], Client]


def walk(people: People, number: str, *steps: tuple[str, str, dict[str, Any]]) -> Any:
    """Take steps, each by a post with what it says."""
    case = None
    for post, step, more in steps:
        case = people(post).post(f"/cases/{number}/steps", {"step": step, "opinion": step, **more})
    return case


FILED = (("operator", "accept", {}), ("shift_leader", "file", {}))
DISPATCH = ("dispatcher", "dispatch", {"department": DEPARTMENT, "limit": {"value": 4, "unit": "work_hour"}})


def test_a_case_is_worked_by_its_people(office: Office, people: People) -> None:
    number = office.open_case()
    case = walk(people, number, *FILED, DISPATCH, ("department", "take", {}))
    assert (case["state"], case["department"], case["clock"], case["limit"]) == (
        "handling", DEPARTMENT, "department", {"value": 4, "unit": "work_hour"},
    )  # fmt: skip
    photo = people("department").attach(number, JPEG)
    assert photo.status_code == 200, photo.text
    done = walk(people, number, ("department", "answer", {"attachments": [photo.json()]}))
    assert done["state"] == "handled"
    assert [one["what"] for one in done["history"]] == ["case.opened", "accept", "file", "dispatch", "take", "answer"]
    evidence = people("operator").get(f"/cases/{number}")["evidence"]
    assert photo.json()["blob"] in {one["blob"] for one in evidence}
    assert office.node.blobs.open(photo.json()["blob"]) == JPEG


def test_refusals_are_problems_that_explain_themselves(office: Office, people: People) -> None:
    number = office.open_case()
    wrong = people("operator").send(f"/cases/{number}/steps", {"step": "close", "opinion": "done"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (403, "application/problem+json")
    assert "cannot go from reported to closed; from reported it can be: send_verify" in wrong.json()["detail"]
    people("operator").post(f"/cases/{number}/steps", {"step": "accept", "expect": 1})
    late = people("operator").send(f"/cases/{number}/steps", {"step": "reject", "opinion": "no", "expect": 1})
    assert late.status_code == 409
    assert "(operator) did accept (受理) at" in late.json()["detail"]
    unfit = people("dispatcher").send(f"/cases/{number}/steps", {"step": "file"})
    assert (unfit.status_code, "not for the post dispatcher" in unfit.json()["detail"]) == (403, True)
    missing = people("shift_leader").send(f"/cases/{number}/steps", {"step": "reject"})
    assert (missing.status_code, "reject needs opinion" in missing.json()["detail"]) == (422, True)
    unknown = people("operator").send("/cases/210102-E0102-20261124-9999/steps", {"step": "accept"})
    assert unknown.status_code == 404
    strange = people("operator").send(f"/cases/{number}/steps", {"step": "fly"})
    assert (strange.status_code, "has submit, send_verify" in strange.json()["detail"]) == (404, True)


def test_what_may_be_done_now_is_told_to_each(office: Office, people: People) -> None:
    number = office.open_case()
    can = people("operator").get(f"/cases/{number}/can")
    allowed = {one["what"]: one["allowed"] for one in can["can"]}
    assert allowed == {
        "send_verify": True, "reject": True, "accept": True, "give_up": True, "self_handled": False,
    }  # fmt: skip
    assert all(one["why"] for one in people("dispatcher").get(f"/cases/{number}/can")["can"] if not one["allowed"])


def test_requests_wait_for_those_who_decide(office: Office, people: People) -> None:
    number = office.open_case()
    walk(people, number, *FILED, DISPATCH)
    until = office.clock.now() + 3 * DAY
    case = people("department").post(
        f"/cases/{number}/requests", {"what": "deferral", "opinion": "rain", "until": until, "id": "q-1"}
    )
    assert [(one["id"], one["state"]) for one in case["requests"]] == [("q-1", "open")]
    waiting = people("dispatcher").get("/requests?what=deferral")
    assert [(one["number"], one["request"], one["approvers"]) for one in waiting] == [(number, "q-1", ["dispatcher"])]
    no = people("operator").send(f"/cases/{number}/requests/q-1/decision", {"granted": True})
    assert (no.status_code, "it is for: dispatcher" in no.json()["detail"]) == (403, True)
    suspended = people("dispatcher").post(f"/cases/{number}/requests/q-1/decision", {"granted": True})
    assert (suspended["state"], suspended["until"], suspended["deadline"]) == ("suspended", until, None)
    assert people("dispatcher").get("/requests?what=deferral") == []
    resumed = people("dispatcher").post(f"/cases/{number}/resume", {"opinion": "dry again"})
    assert resumed["state"] == "pending_handle"


def test_a_clock_is_explained(office: Office, people: People) -> None:
    number = office.open_case()
    walk(people, number, *FILED, DISPATCH)
    clocks = {one["clock"]: one for one in people("operator").get(f"/cases/{number}/clock")}
    assert set(clocks) == {"accept", "dispatch", "department"}
    department = clocks["department"]
    assert (department["phase"], department["light"], department["limit_s"]) == ("running", "green", 4 * 3600)
    assert department["deadline"] == people("operator").get(f"/cases/{number}/work")["deadline"]
    assert len(department["lines_zh"]) == len(department["lines_en"]) >= 2
    later = people("operator").get(f"/cases/{number}/clock?at={office.clock.now() + 48 * HOUR}")
    assert next(one for one in later if one["clock"] == "department")["light"] == "red"


def test_a_key_makes_an_ask_once(office: Office, people: People) -> None:
    number = office.open_case()
    first = people("operator").post(f"/cases/{number}/steps", {"step": "accept"}, key="k-7")
    assert people("operator").post(f"/cases/{number}/steps", {"step": "accept"}, key="k-7") == first
    other = people("operator").send(f"/cases/{number}/steps", {"step": "reject", "opinion": "no"}, key="k-7")
    assert other.status_code == 422
    assert people("operator").send(f"/cases/{number}/steps", {"step": "accept"}, key="x" * 101).status_code == 422


def test_many_cases_at_once(office: Office, people: People) -> None:
    numbers = [office.open_case() for _ in range(3)]
    walk(people, numbers[1], *FILED)
    ask = {"step": "accept", "numbers": numbers}
    found = people("operator").post("/cases/bulk/steps", ask, key="b-1")
    assert [(one["number"], one["status"]) for one in found] == list(zip(numbers, (200, 403, 200), strict=True))
    assert found[0]["case"]["state"] == "pending_file"
    assert "cannot go from pending_dispatch to pending_file" in found[1]["error"]
    assert people("operator").post("/cases/bulk/steps", ask, key="b-1")[0] == found[0]
    assert people("operator").send("/cases/bulk/steps", {"step": "accept", "numbers": []}).status_code == 422


def test_merging_splitting_and_linking(office: Office, people: People) -> None:
    one, other = office.open_case(), office.open_case()
    operator = people("operator")
    linked = operator.post(f"/cases/{one}/links", {"other": other})
    assert [(link["other"], link["kind"]) for link in linked["links"]] == [(other, "similar")]
    merged = operator.post(f"/cases/{one}/merge", {"other": other, "opinion": "the same"})
    assert (merged["state"], merged["merged_into"]) == ("merged", other)
    assert operator.post(f"/cases/{one}/unmerge", {"opinion": "not the same"})["state"] == "reported"
    parts = [{"kind": "event", "category": "0103"}]
    made = operator.post(f"/cases/{one}/split", {"parts": parts, "opinion": "two things"})
    assert [case["state"] for case in made] == ["reported"]
    assert people("dispatcher").send(f"/cases/{one}/split", {"parts": parts}).status_code == 403


def test_a_department_sees_and_works_its_own_only(office: Office, people: People) -> None:
    number = office.open_case()
    walk(people, number, *FILED)
    hidden = people("department").send(f"/cases/{number}/steps", {"step": "take"})
    assert (hidden.status_code, hidden.json()["detail"]) == (404, f"case {number}: not known at this node")


def test_machines_do_not_step_cases(office: Office, people: People) -> None:
    number = office.open_case()
    secret = add_token(office.node, name="a script", scopes=["cases:step", "cases:read"]).secret
    with Browser(build_app(office.node), token=secret) as machine:
        answer = machine.request("POST", f"/api/v1/cases/{number}/steps", json={"step": "accept"})
    assert (answer.status_code, "not for the post machine" in answer.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    ("content", "media"), [(b"", "image/jpeg"), (b"x", "text/html"), (b"x" * 9_000_000, "image/png")]
)
def test_what_is_no_photo_is_refused(office: Office, people: People, content: bytes, media: str) -> None:
    number = office.open_case()
    assert people("operator").attach(number, content, media).status_code == 422


@pytest.mark.parametrize(
    "ask",
    [
        {"step": "reject", "opinion": "\x00"},
        {"step": "reject", "opinion": "no", "fields": {"n": 2**70}},
        {"step": "reject", "opinion": "no", "fields": {"n": 2**60}},
        {"step": "reject", "opinion": "x" * 2001},
        {"step": "reject", "opinion": "no", "fields": {"ключ": 1}},
        {"step": "reject", "opinion": "no", "limit": {"value": 0, "unit": "work_day"}},
        {"step": "reject", "opinion": "no", "expect": "one"},
        {"step": "dispatch", "opinion": "no", "colour": 1, "attachments": [{}]},
    ],
)
def test_what_no_entry_can_hold_is_refused(office: Office, people: People, ask: dict[str, Any]) -> None:
    number = office.open_case()
    answer = people("operator").send(f"/cases/{number}/steps", ask)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert office.desk.case(number).version == 1


def test_hostile_text_is_a_problem_and_no_fault(office: Office, people: People) -> None:
    number, operator = office.open_case(), people("operator")
    raw = b'{"step": "reject", "opinion": "\\ud800"}'
    headers = {"x-csrf-token": operator.token, "content-type": "application/json"}
    lone = operator.browser.request("POST", f"/api/v1/cases/{number}/steps", content=raw, headers=headers)
    assert lone.status_code == 422, lone.text
    assert operator.send("/cases/%00/steps", {"step": "accept"}).status_code == 404
    assert operator.send(f"/cases/{number}/links", {"other": "'; drop table"}).status_code == 422
    reopen = {"what": "void", "opinion": "no", "id": "x" * 41}
    assert operator.send(f"/cases/{number}/requests", reopen).status_code in (403, 422)
    assert operator.browser.get("/api/v1/requests?state=%00").status_code == 422
    for at in (0, 2**53 - 1):
        assert operator.browser.get(f"/api/v1/cases/{number}/clock?at={at}").status_code == 200
