"""The desk's actions, as the CLI and the demo call them; the timer as a task of a running node; both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import wanmi_casework
from core.cases.worked import START
from plugins.casework.office import DAY, DEPARTMENT, OPERATOR, WORKER, Office
from support.postgres import new_database, postgresql
from wanmi.clock import ManualClock
from wanmi.errors import BadInput, NotAllowed
from wanmi.node import run_action
from wanmi.testing import SmallCity, carry, replay_differences, running, small_city, small_node

PEOPLE = {
    "operator": "o-1",
    "shift_leader": "l-1",
    "dispatcher": "c-1",
    "department": "d-1",
    "collector": "T210102-0001",
}


def act(office: Office, name: str, **args: Any) -> Mapping[str, Any]:
    if "post" in args:
        args = {"actor": PEOPLE[args["post"]], "opinion": "as seen", **args}
    (result,) = [one for one in run_action(office.node, name, args) if isinstance(one, dict)]
    return result


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    assert made.rows_that_do_not_fit() == []
    assert replay_differences(made.node) == []
    made.node.close()


def test_a_case_is_worked_by_actions(office: Office) -> None:
    number = office.open_case()
    offered = act(office, "case.can", number=number, post="operator")["can"]
    assert {one["what"] for one in offered if one["allowed"]} == {"accept", "reject", "send_verify", "give_up"}
    act(office, "case.step", number=number, step="accept", post="operator")
    act(office, "case.step", number=number, step="file", post="shift_leader")
    limit = {"value": 2, "unit": "work_day"}
    act(office, "case.step", number=number, step="dispatch", post="dispatcher", department=DEPARTMENT, limit=limit)
    until = office.clock.now() + DAY
    unit = {"post": "department", "unit": DEPARTMENT}
    asked = act(office, "case.request", number=number, what="suspension", until=until, id="q-1", **unit)
    assert asked["requests"] == [{"id": "q-1", "what": "suspension", "state": "open"}]
    act(office, "case.decide", number=number, request="q-1", granted=True, post="dispatcher")
    assert act(office, "case.resume", number=number, post="dispatcher")["state"] == "pending_handle"
    act(office, "case.step", number=number, step="take", **unit)
    photo = msgspec.to_builtins(office.photos(number, "answer", WORKER)["attachments"])
    act(office, "case.step", number=number, step="answer", attachments=photo, **unit)
    act(office, "case.step", number=number, step="pass_on", post="dispatcher")
    act(office, "case.step", number=number, step="send_check", post="operator", collector=PEOPLE["collector"])
    act(office, "case.step", number=number, step="answer_check_passed", post="collector", attachments=photo)
    closed = act(office, "case.step", number=number, step="close", post="shift_leader")
    assert (closed["state"], closed["final"], closed["counts"]["suspended"]) == ("closed", True, 1)
    assert act(office, "case.show", number=number) == closed


def test_actions_that_join_cases(office: Office) -> None:
    one, other = office.open_case(), office.open_case()
    assert act(office, "case.link", number=one, other=other, post="operator")["links"][0]["other"] == other
    assert act(office, "case.merge", number=one, other=other, post="operator")["merged_into"] == other
    assert act(office, "case.unmerge", number=one, post="operator")["state"] == "reported"
    parts = [{"kind": "event", "category": "0103"}]
    assert len(act(office, "case.split", number=one, parts=parts, post="operator")["cases"]) == 1
    office.clock.advance(DAY)
    assert act(office, "case.tick")["entries"] == 3


def test_actions_say_what_is_wrong_with_their_arguments(office: Office) -> None:
    with pytest.raises(BadInput, match=r"arguments: .*`number`"):
        act(office, "case.step", step="accept", post="operator")
    with pytest.raises(BadInput, match=r"arguments: .*`colour`"):
        act(office, "case.show", number="x", colour="red")


def test_the_timer_runs_with_the_node(office: Office) -> None:
    number = office.open_case()
    office.clock.advance(DAY)
    told = threading.Event()
    office.node.journal.listen(
        lambda new: told.set() if any(s.entry and s.entry.kind == "case.became_overdue" for s in new) else None
    )
    with running(office.node):
        assert told.wait(20)
    assert [clock for clock, _ in office.desk.case(number).overdue] == ["accept"]


def test_the_same_on_postgresql(tmp_path: Path) -> None:
    with postgresql() as server:
        node = small_node(
            tmp_path / "node", plugins=[wanmi_casework], clock=ManualClock(START),
            sections={"database": {"url": new_database(server, "desk")}},
        )  # fmt: skip
        with node:
            office = Office(tmp_path, node)
            number, other = office.open_case(), office.open_case()
            office.to(number, "handling")
            office.review(number, office.ask(number, "extension"), True)
            office.desk.merge(other, number, OPERATOR, office.said("merge", OPERATOR))
            office.desk.unmerge(other, OPERATOR, office.said("unmerge", OPERATOR))
            office.to(number, "closed")
            assert office.desk.case(number).state == "closed"
            assert replay_differences(node) == []


def test_the_city_sees_what_the_district_did_and_may_not_do_it(tmp_path: Path) -> None:
    town: SmallCity = small_city(tmp_path, district=[wanmi_casework], city=[wanmi_casework], clock=ManualClock(START))
    with town:
        office = Office(tmp_path, town.district)
        number = office.open_case()
        office.to(number, "handling")
        request = office.ask(number, "extension")
        carry(town.district, town.city)
        above = Office(tmp_path, town.city)
        assert above.desk.case(number) == office.desk.case(number)
        assert above.desk.case(number).request(request) is not None
        with pytest.raises(NotAllowed, match="it is a case of 210102 and keeps its owner"):
            above.step(number, "answer")
        assert above.timer.tick() == 0
        assert replay_differences(town.city) == []
