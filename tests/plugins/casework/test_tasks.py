"""Tasks of a real district node: sent, withdrawn, answered through a real edge's chain, judged once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wanmi_casework
from edge.errands import answered
from edge.street import CITY_POINT, Street
from plugins.casework.test_open_case import received
from wanmi.clock import ManualClock
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.kinds import Attachment, TerminalAdmitted
from wanmi.node import run_action
from wanmi.registry import Draft, NodeContext
from wanmi.reports import read_text
from wanmi.reports.answers import decode_answer
from wanmi.reports.bodies import TaskAnswered, answer_subject
from wanmi.reports.envelope import to_b64
from wanmi.testing import SmallCity, carry, react, replay_differences, small_city
from wanmi_casework.task_views import TaskFilter, TaskLine, list_tasks
from wanmi_casework.tasks import TaskAsk, TaskDesk

START = 1_795_500_000_000_000
MINUTE = 60_000_000
CASE = "210102-E0102-20261124-0001"


def answer_entry(edge: str, street: Street, task_id: str, lies: dict[str, Any] | None = None, **changes: Any) -> Draft:
    """An edge's entry of an answer; ``lies`` change what it says beside the envelope."""
    said, message = answered(street, task_id, **changes)
    wire = decode_answer(message)
    fields: dict[str, Any] = {
        "task_id": task_id, "terminal": said.terminal, "report_id": said.report_id, "envelope": to_b64(wire.envelope),
        "sig": to_b64(wire.signature), "digest": wire.digest, "result": said.result, "made_at": said.made_at,
        "late": False, "attachments": [Attachment(a.role, a.digest, a.size, a.media, "cd" * 32) for a in said.attachments],
        **(lies or {}),
    }  # fmt: skip
    return Draft("task.answered", answer_subject(edge, task_id, said.terminal), TaskAnswered(**fields))


class Town:
    """A small city whose edge writes what terminals say."""

    def __init__(self, city: SmallCity, clock: ManualClock) -> None:
        self.city, self.clock = city, clock
        self.district, self.edge = city.district, city.edge
        self.desk = TaskDesk(self.district)
        self.street = Street("T210102-0001")
        self.admit(self.street)

    def admit(self, street: Street) -> None:
        body = TerminalAdmitted(street.id, street.public.hex(), street.verifier, None)
        self.district.journal.append(Draft("terminal.admitted", f"terminal:210102:{street.id}", body)).result()

    def ask(self, **more: Any) -> str:
        given = {
            "kind": "check", "terminal": self.street.id, "category": "0102", "lon_e7": CITY_POINT[0],
            "lat_e7": CITY_POINT[1], "deadline": self.clock.now() + 60 * MINUTE, "case": CASE, **more,
        }  # fmt: skip
        return self.desk.send(TaskAsk(**given))

    def answer(
        self, task_id: str, street: Street | None = None, lies: dict[str, Any] | None = None, **changes: Any
    ) -> None:
        """The edge's entry of an answer; ``lies`` change what it says beside the envelope."""
        street = street or self.street
        changes = {"made_at": self.clock.now(), "fix_at": self.clock.now(), **changes}
        self.edge.journal.append(answer_entry(self.edge.code, street, task_id, lies, **changes)).result()

    def bring(self) -> None:
        carry(self.district, self.edge)
        carry(self.edge, self.district)
        react(self.district)

    def judged(self) -> list[dict[str, Any]]:
        stored = self.district.journal.read("210102", 0, 10_000, 10**9)
        return [one.entry.body for one in stored if one.entry and one.entry.kind == "task.judged"]


def tasks_of(node: NodeContext, case: str) -> list[TaskLine]:
    """A case's tasks, newest first."""
    return list_tasks(node, TaskFilter(case=case)).tasks


@pytest.fixture
def town(tmp_path: Path, database: Callable[[str], str]) -> Iterator[Town]:
    clock = ManualClock(START)
    with small_city(tmp_path, district=[wanmi_casework], clock=clock, database=database) as city:
        yield Town(city, clock)


def test_an_answer_at_the_place_is_judged_fine(town: Town) -> None:
    task_id = town.ask()
    town.answer(task_id)
    town.bring()
    (body,) = town.judged()
    assert body["presence"] == {"grade": "fine", "distance_m": 0, "speed_mps": None, "reasons": [], "compared": []}
    assert (body["result"], body["case"], body["late"], body["withdrawn"]) == ("yes", CASE, False, False)
    (view,) = tasks_of(town.district, CASE)
    assert (view.state, view.result, view.presence) == ("judged", "yes", "fine")
    carry(town.district, town.edge)
    assert replay_differences(town.district) == replay_differences(town.edge) == []


def test_the_remark_is_sealed(town: Town) -> None:
    town.ask(remark="三楼王女士，看看井盖")
    stored = town.district.journal.read("210102", 0, 10_000, 10**9)
    (entry,) = [one for one in stored if one.entry and one.entry.kind == "task.sent"]
    assert entry.raw is not None
    assert entry.entry is not None
    assert "王女士" not in entry.raw.decode()
    assert read_text(town.district.blobs.open(entry.entry.body["remark"]["blob"])) == "三楼王女士，看看井盖"
    carry(town.district, town.edge)
    (missing,) = town.edge.blobs.missing()
    assert missing.blob == entry.entry.body["remark"]["blob"]
    wrapped = town.district.blobs.wrap_key(missing.blob, town.edge.keys.seal_public)
    town.edge.blobs.accept(missing.blob, town.district.blobs.read(missing.blob, 0, 10**6), wrapped).result()
    assert read_text(town.edge.blobs.open(missing.blob)) == "三楼王女士，看看井盖"


def test_a_jump_from_the_last_report_is_seen(town: Town) -> None:
    """10 km in a minute: the report before says where the terminal was."""
    _, message = town.street.signed(made_at=START, fix_at=START, lon_e7=CITY_POINT[0], lat_e7=CITY_POINT[1] + 900_000)
    town.edge.journal.append(received(town.edge.code, message)).result()
    town.clock.advance(MINUTE)
    task_id = town.ask()
    town.answer(task_id)
    town.bring()
    (body,) = town.judged()
    assert body["presence"]["grade"] == "absent"
    assert body["presence"]["reasons"] == ["impossible_speed"]
    assert 160 < body["presence"]["speed_mps"] < 170
    seq = town.edge.journal.cursor(town.edge.code).seq - 1
    assert body["presence"]["compared"] == [f"{town.edge.code}:{seq}"]


def test_far_late_and_withdrawn_are_in_the_entry(town: Town) -> None:
    task_id = town.ask(kind="survey", case=None)
    town.desk.withdraw(task_id, "the department said no")
    town.clock.advance(61 * MINUTE)
    town.answer(task_id, lat_e7=CITY_POINT[1] + 30_000)
    town.bring()
    (body,) = town.judged()
    assert (body["late"], body["withdrawn"], body["case"]) == (True, True, None)
    assert body["presence"]["grade"] == "absent"
    assert body["presence"]["reasons"] == ["too_far"]
    assert 330 < body["presence"]["distance_m"] < 337
    with pytest.raises(Conflict, match="is judged"):
        town.desk.withdraw(task_id, "again")


def test_only_the_first_answer_counts(town: Town) -> None:
    task_id = town.ask()
    town.answer(task_id)
    town.answer(task_id, result="no")
    town.bring()
    town.answer(task_id, result="unclear")
    town.bring()
    assert [body["result"] for body in town.judged()] == ["yes"]


@pytest.mark.parametrize("how", ["key", "result", "task", "terminal"])
def test_what_the_terminal_did_not_sign_is_not_judged(town: Town, how: str) -> None:
    task_id = town.ask()
    other = Street("T210102-0009")
    town.admit(other)
    if how == "key":
        town.answer(task_id, Street(town.street.id))
    elif how == "result":
        town.answer(task_id, lies={"result": "no"})
    elif how == "task":
        second = town.ask()
        town.answer(second, lies={"task_id": task_id})
    else:
        town.answer(task_id, other)
    town.bring()
    assert town.judged() == []
    town.answer(task_id)
    town.bring()
    assert [body["terminal"] for body in town.judged()] == [town.street.id]


def test_what_cannot_be_sent_is_told(town: Town) -> None:
    with pytest.raises(BadInput, match="deadline is over"):
        town.ask(deadline=town.clock.now())
    with pytest.raises(BadInput, match="only a survey"):
        town.ask(case=None)
    with pytest.raises(BadInput, match="at most 2000"):
        town.ask(remark="长" * 2001)
    with pytest.raises(NotFound, match="not admitted"):
        town.ask(terminal="T210102-0404")
    with pytest.raises(NotFound, match="no such task"):
        town.desk.withdraw("task-0404", "?")


def test_the_actions_do_the_same(town: Town) -> None:
    given = {
        "kind": "verify", "terminal": town.street.id, "category": "0102", "lon_e7": CITY_POINT[0],
        "lat_e7": CITY_POINT[1], "deadline": town.clock.now() + MINUTE, "case": CASE, "remark": "真的吗",
    }  # fmt: skip
    (sent,) = [item for item in run_action(town.district, "task.send", given) if isinstance(item, dict)]
    (done,) = list(run_action(town.district, "task.withdraw", {"task_id": sent["task_id"], "reason": "no"}))
    assert done == {"task_id": sent["task_id"], "state": "withdrawn"}
    (listed,) = [item for item in run_action(town.district, "task.list", {"case": CASE}) if isinstance(item, dict)]
    assert [(one["task_id"], one["state"]) for one in listed["tasks"]] == [(sent["task_id"], "withdrawn")]
    with pytest.raises(BadInput, match="task: "):
        list(run_action(town.district, "task.send", {"kind": "look"}))
