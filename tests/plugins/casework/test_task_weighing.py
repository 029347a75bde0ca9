"""What a terminal's answer does to its case: it moves it when it may be believed, else it waits and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete

import wanmi_casework
from edge.street import CITY_POINT
from plugins.casework.office import DISPATCHER, LEADER, OPERATOR, OTHER_OPERATOR, Office
from plugins.casework.test_tasks import START, Town, tasks_of
from wanmi.cases import Case, StepTable
from wanmi.clock import ManualClock
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.hookspecs import Actor
from wanmi.kinds import TerminalAdmitted
from wanmi.models import ReactorRow, table
from wanmi.profiles import ProfileStore
from wanmi.registry import Draft
from wanmi.testing import react, replay_differences, small_city
from wanmi_casework.task_weighing import decide_answer

HOLDER = "p-77"
FAR = CITY_POINT[1] + 30_000
"""A latitude some 330 m from the place."""


RESULTS = (
    ("verify", "yes", "reported"),
    ("verify", "no", "reported"),
    ("verify", "unclear", "reported"),
    ("check", "yes", "check_passed"),
    ("check", "no", "check_failed"),
)


class Round:
    """A town with an office at its district: cases that wait for a collector, whose terminal answers."""

    def __init__(self, town: Town, dir: Path) -> None:
        self.town = town
        self.office = Office(dir, town.district)
        self.office.clock = town.clock
        self.desk = self.office.desk

    def sent(self, kind: str, holder: str | None = HOLDER, collector: str | None = None) -> tuple[str, str]:
        """A case that waits for the answer to its task: (case, task)."""
        self.assign(holder)
        number = self.office.open_case(source="hotline" if kind == "verify" else "collector", terminal=None)
        self.office.to(number, "reported" if kind == "verify" else "pending_check")
        self.desk.step(number, f"send_{kind}", OPERATOR, collector=collector or holder or self.town.street.id)
        return number, self.town.ask(kind=kind, case=number)

    def assign(self, holder: str | None) -> None:
        street = self.town.street
        body = TerminalAdmitted(street.id, street.public.hex(), street.verifier, holder)
        self.town.district.journal.append(Draft("terminal.admitted", f"terminal:210102:{street.id}", body)).result()

    def answered(self, kind: str, result: str = "yes", photo: bytes = b"\xff\xd8\xff photo", **more: Any) -> Case:
        """The case after its task was answered."""
        number, task = self.sent(kind)
        self.town.answer(task, result=result, photo=photo, **more)
        self.town.bring()
        return self.desk.case(number)

    def weighed(self) -> list[dict[str, Any]]:
        stored = self.town.district.journal.read("210102", 0, 10_000, 10**9)
        return [one.entry.body for one in stored if one.entry and one.entry.kind == "task.weighed"]

    def last_step(self, number: str) -> Any:
        steps = [s.entry for s in self.town.district.journal.subject(f"case:{number}") if s.entry is not None]
        return steps[-1]


@pytest.fixture
def round_(tmp_path: Path, database: Callable[[str], str]) -> Iterator[Round]:
    clock = ManualClock(START)
    with small_city(tmp_path / "city", district=[wanmi_casework], clock=clock, database=database) as city:
        made = Round(Town(city, clock), tmp_path)
        yield made
        assert replay_differences(city.district) == []
        assert made.office.rows_that_do_not_fit() == []


def test_an_answer_takes_the_step_of_its_result(round_: Round) -> None:
    for n, (kind, result, state) in enumerate(RESULTS):
        case = round_.answered(kind, result)
        assert case.state == state
        said = {"yes": "exists", "no": "does_not_exist", "unclear": "cannot_tell"}[result]
        assert case.fields.get("answer_verify.result") == (said if kind == "verify" else None)
        entry = round_.last_step(case.number)
        assert (entry.actor, entry.body["post"], entry.body["axis"]) == (HOLDER, "collector", "supervision")
        assert entry.cause.endswith("#casework.move_by_answer")
        assert [one["role"] for one in entry.body["attachments"]] == ["photo"]
        assert "confirmed_by" not in entry.body
        body = round_.weighed()[n]
        assert (body["outcome"], body["why"], body["step"]) == ("moved", "", entry.body["step"])
        assert body["task_id"] == entry.body["fields"]["task"]


def test_once_also_when_the_reactor_forgets(round_: Round) -> None:
    case = round_.answered("check", "no")
    round_.town.district.store.write(lambda tx: tx.execute(delete(table(ReactorRow)))).result()
    react(round_.town.district)
    assert round_.desk.case(case.number).version == case.version
    assert len(round_.weighed()) == 1


def test_a_failed_check_is_worked_again_and_passes(round_: Round) -> None:
    case = round_.answered("check", "no")
    assert case.counts["check_failed"] == 1
    assert "未处置到位" in round_.last_step(case.number).body["opinion"]
    for step in ("rework", "take", "answer", "pass_on"):
        round_.office.step(case.number, step)
    round_.desk.step(case.number, "send_check", OPERATOR, collector=HOLDER)
    task = round_.town.ask(kind="check", case=case.number)
    round_.town.answer(task, result="yes", photo=b"\xff\xd8\xff after")
    round_.town.bring()
    assert round_.desk.case(case.number).state == "check_passed"


def test_who_was_not_there_is_not_believed_by_itself(round_: Round) -> None:
    case = round_.answered("check", lat_e7=FAR)
    assert case.state == "checking"
    (body,) = round_.weighed()
    assert (body["outcome"], body["why"], body["step"]) == ("waits", "presence", "answer_check_passed")
    assert "too_far" in body["told"]
    (view,) = tasks_of(round_.town.district, case.number)
    assert (view.outcome, view.why) == ("waits", "presence")


def test_an_operator_accepts_what_waits(round_: Round) -> None:
    case = round_.answered("check", lat_e7=FAR)
    (view,) = tasks_of(round_.town.district, case.number)
    decide_answer(round_.desk, view.task_id, True, OTHER_OPERATOR, "电话核实过")
    after = round_.desk.case(case.number)
    entry = round_.last_step(case.number)
    assert (after.state, entry.actor, entry.body["confirmed_by"]) == ("check_passed", HOLDER, OTHER_OPERATOR.id)
    assert after.axes_of(OTHER_OPERATOR.id) == {"supervision"}
    with pytest.raises(NotAllowed, match="may not act on command"):
        round_.office.ask(case.number, "forced_close", Actor(OTHER_OPERATOR.id, "dispatcher"))
    with pytest.raises(Conflict, match=f"it was accepted by {OTHER_OPERATOR.id}"):
        decide_answer(round_.desk, view.task_id, False, LEADER, "again")
    waits, accepted = round_.weighed()
    assert (accepted["outcome"], accepted["why"], accepted["opinion"]) == ("accepted", waits["why"], "电话核实过")


def test_what_is_set_aside_moves_nothing_and_another_is_sent(round_: Round) -> None:
    case = round_.answered("check", lat_e7=FAR)
    (view,) = tasks_of(round_.town.district, case.number)
    with pytest.raises(BadInput, match="needs opinion"):
        decide_answer(round_.desk, view.task_id, False, OPERATOR, " ")
    with pytest.raises(NotAllowed, match="not for the post dispatcher"):
        decide_answer(round_.desk, view.task_id, False, DISPATCHER, "x")
    decide_answer(round_.desk, view.task_id, False, OPERATOR, "不在现场")
    assert round_.desk.case(case.number).state == "checking"
    assert round_.desk.step(case.number, "send_check", OPERATOR, collector="p-78").collector == "p-78"


def test_a_case_that_moved_on_keeps_the_answer_as_late(round_: Round) -> None:
    number, task = round_.sent("check")
    holder = Actor(HOLDER, "collector")
    said = round_.office.said("answer", holder, **round_.office.photos(number, "answer", holder))
    round_.desk.step(number, "answer_check_passed", holder, said)
    round_.town.answer(task, result="no")
    round_.town.bring()
    (body,) = round_.weighed()
    assert (body["outcome"], body["why"]) == ("late", "moved_on")
    assert f"{HOLDER} (collector) did answer_check_passed" in body["told"]
    assert round_.desk.case(number).state == "check_passed"
    with pytest.raises(Conflict, match="it was late"):
        decide_answer(round_.desk, task, True, OPERATOR, "x")


def test_what_the_table_does_not_let_pass_waits(round_: Round) -> None:
    assert round_.answered("check", result="unclear").state == "checking"
    assert round_.answered("check", photo=b"").state == "checking"
    unclear, bare = round_.weighed()
    assert (unclear["outcome"], unclear["why"]) == ("waits", "no_step")
    assert "says no step for the answer unclear" in unclear["told"]
    assert (bare["outcome"], bare["why"]) == ("waits", "refused")
    assert "needs photo_after" in bare["told"]


def test_both_axes_and_another_collector_are_refused_and_told(round_: Round) -> None:
    number, task = round_.sent("check", holder=DISPATCHER.id)
    other, second = round_.sent("check", holder=DISPATCHER.id, collector="p-1")
    for one in (task, second):
        round_.town.answer(one, photo=b"\xff\xd8\xff")
    round_.town.bring()
    told = [body["told"] for body in round_.weighed()]
    assert "has acted on its command axis" in told[0]
    assert "has acted on its command axis" in told[1] or "the task was given to p-1" in told[1]
    assert {round_.desk.case(one).state for one in (number, other)} == {"checking"}


def test_a_terminal_without_a_holder_answers_for_itself(round_: Round) -> None:
    number, task = round_.sent("check", holder=None)
    round_.town.answer(task, photo=b"\xff\xd8\xff")
    round_.town.bring()
    assert round_.last_step(number).actor == round_.town.street.id


def test_two_answers_of_one_batch_move_the_case_once(round_: Round) -> None:
    number, first = round_.sent("check")
    second = round_.town.ask(kind="check", case=number)
    for task in (first, second):
        round_.town.answer(task, photo=b"\xff\xd8\xff")
    round_.town.bring()
    assert sorted(body["outcome"] for body in round_.weighed()) == ["late", "moved"]


def test_a_city_may_have_every_answer_confirmed(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = StepTable.load()
    rules = {kind: msgspec.structs.replace(rule, confirmed=True) for kind, rule in shipped.answers.items()}
    careful = msgspec.structs.replace(shipped, answers=rules)
    monkeypatch.setattr(ProfileStore, "steps", lambda _self, _profile: careful)
    assert round_.answered("check").state == "checking"
    assert [(body["outcome"], body["why"]) for body in round_.weighed()] == [("waits", "confirm")]


def test_a_case_that_is_not_there_and_tasks_without_answers(round_: Round) -> None:
    task = round_.town.ask()
    with pytest.raises(Conflict, match="no answer to decide on"):
        decide_answer(round_.desk, task, True, OPERATOR, "x")
    with pytest.raises(NotFound, match="sent no such task"):
        decide_answer(round_.desk, "nothing", True, OPERATOR, "x")
    round_.town.answer(task)
    survey = round_.town.ask(kind="survey", case=None)
    round_.town.answer(survey)
    round_.town.bring()
    (body,) = round_.weighed()
    assert (body["task_id"], body["why"]) == (task, "no_case")


def test_the_shipped_tables_say_what_answers_do() -> None:
    for name in ("cjt-2007", "gbt-47678"):
        steps = StepTable.load(name)
        assert set(steps.answers) == {"verify", "check"}
        broken = replace_rule(steps, "check", send="send_chek", posts=["dispatcher"])
        told = "; ".join(broken.check())
        assert "answer check: step 'send_chek' is not in [steps]" in told
        assert "answer check: the command axis cannot decide" in told


def replace_rule(steps: StepTable, kind: Any, **changes: Any) -> StepTable:
    rule = msgspec.structs.replace(steps.answers[kind], **changes)
    return msgspec.structs.replace(steps, answers={**steps.answers, kind: rule})
