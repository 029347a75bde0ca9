"""The step table as data: the shipped one holds; what a city could break is told."""

from __future__ import annotations

from importlib.resources import files

import pytest

from wanmi.cases import STAGES, StepTable
from wanmi.errors import BadInput, NotFound

TEXT = (files("wanmi") / "data" / "cjt-2007" / "steps.toml").read_text(encoding="utf-8")
UNION = {
    "draft", "reported", "verifying", "pending_file", "rejected", "pending_dispatch", "pending_handle", "handling",
    "suspended", "handled", "pending_check", "checking", "check_passed", "check_failed", "rework", "pending_close",
    "closed", "forced_closed", "cancelled", "returned",
}  # fmt: skip
"""States of R5, R6 and R7 together (standards' facts, section e)."""


def broken(old: str, new: str) -> list[str]:
    """What the check says once a piece of the shipped table is replaced."""
    assert TEXT.count(old) >= 1, old
    return StepTable.parse(TEXT.replace(old, new, 1)).check()


def test_the_shipped_table_holds() -> None:
    table = StepTable.load()
    assert table.check() == []
    assert table.states.keys() >= UNION
    assert {state.stage for state in table.states.values()} == {stage.id for stage in STAGES}


def test_every_flow_of_the_standards_is_there() -> None:
    table = StepTable.load()
    assert set(table.requests) == {
        "return", "extension", "suspension", "deferral", "void", "forced_close", "reopen", "overdue_appeal",
        "self_handled",
    }  # fmt: skip
    assert (table.request("extension").max_granted, table.request("suspension").max_granted) == (2, 1)
    assert (table.request("suspension").max_days, table.request("overdue_appeal").reviewers) == (366, 2)
    assert {"send_verify", "reject", "rework"} <= set(table.steps)


def test_supervision_and_command_are_told_apart() -> None:
    table = StepTable.load()
    commanding = {post for post, rule in table.posts.items() if rule.axis == "command"}
    assert commanding == {"dispatcher", "department"}
    for name, step in table.steps.items():
        if table.states[step.to].final and name != "give_up":
            assert not commanding.intersection(step.posts), name


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('posts = ["operator", "collector"]', "posts = []", "step submit: no post may take it; name at least one"),
        ('to = "verifying"', 'to = "reported"', "state verifying: no step leads to it"),
        ('from = ["verifying"]', 'from = ["reported"]', "state verifying: a dead end"),
        ('from = ["verifying"]', 'from = ["verifing"]', "step answer_verify: state 'verifing' is not in [states]"),
        ('guards = ["own_task"]', 'guards = ["own"]', "step answer_verify: guard 'own' is not known; there are"),
        ('posts = ["dispatcher"]', 'posts = ["chief"]', "posts chief are not in [posts]"),
        ('clocks = ["start accept"]', 'clocks = ["start acept"]', "step submit: clock 'acept' is not in [clocks]"),
        ('clocks = ["start accept"]', 'clocks = ["begin accept"]', "'begin accept' is not such as"),
        ('stage = "collect", start = true }\nverifying', 'stage = "collected" }\nverifying', "stage 'collected' is not one"),
        ('posts = ["shift_leader", "operator"]\nrequires = ["opinion"]\ncounts', 'posts = ["department"]\ncounts', "step close: the command axis cannot end a case"),
        ('to = "pending_dispatch"\nposts = ["shift_leader", "operator"]', 'to = "forced_closed"\nposts = ["dispatcher"]', "step file: the command axis cannot end a case"),
        ('posts = ["collector"]\nguards = ["own_task"]\nrequires = ["photo_after"]', 'posts = ["department"]\nrequires = ["photo_after"]', "step answer_check_passed: the command axis cannot judge its own work"),
        ('posts = ["operator", "dispatcher"]\napprovers = ["shift_leader"]', 'posts = ["operator"]\napprovers = ["department"]', "request void: department of the command axis cannot decide on the end of a case"),
        ('approvers = ["assessor", "supervisor", "shift_leader"]', 'approvers = ["assessor", "dispatcher"]', "request overdue_appeal: dispatcher of the command axis cannot decide"),
        ('approvers = ["dispatcher"]\nrequires = ["opinion"]\nexpires_hours = 24\nmax_granted = 2', 'approvers = ["department"]\nrequires = ["opinion"]\nexpires_hours = 24\nmax_granted = 2', "request extension: department would decide on its own kind of request"),
        ("max_granted = 2\nmax_days = 30", "max_days = 30", "request deferral: could stop the clock again and again without end"),
        ('guards = ["district_case", "ordered_up"]', 'guards = ["district_case"]', "step give_up: names an order that nothing looks up"),
        ('guards = ["own_task"]', 'guards = ["ordered_up"]', "step answer_verify: looks up an order that it does not ask for"),
        ('most = { value = 366, unit = "natural_day" }', 'most = { value = 11, unit = "natural_year" }', "clock department: time unit 'natural_year'"),
        ('most = { value = 366, unit', 'most = { value = 9999, unit', "clock department: no clock of a case runs longer than ten years"),
        ("most_percent = 300", "most_percent = -1", "clock department: most_percent is 0"),
        ("reviewers = 2", "reviewers = 0", "request overdue_appeal: reviewers, expires_hours and max_days are at least 1"),
        ('to = "merged"', 'to = "handling"', "act merge: `to` must name a final state"),
        ('sets = ["collector"]', 'sets = ["colour"]', "step send_verify: cannot set 'colour'"),
        ('from = ["reported", "pending_file"]', 'from = ["closed"]', "state closed: is final, but steps lead out of it"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_told(old: str, new: str, told: str) -> None:
    problems = broken(old, new)
    assert any(told in problem for problem in problems), problems


def test_a_text_that_is_no_table_is_refused() -> None:
    with pytest.raises(BadInput, match="step table: "):
        StepTable.parse("name = 7")
    with pytest.raises(BadInput, match="colour"):
        StepTable.parse(TEXT.replace('to = "reported"', 'to = "reported"\ncolour = "red"', 1))


def test_tables_are_found_by_their_profile() -> None:
    assert StepTable.load().digest == StepTable.parse(TEXT).digest
    with pytest.raises(NotFound):
        StepTable.load("no-such-profile")
    with pytest.raises(NotFound, match="copy that of cjt-2007"):
        StepTable.load("shenyang")
