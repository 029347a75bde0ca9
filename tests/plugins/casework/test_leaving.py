"""A case that leaves a department is told to it: returned, given to another, voided, merged; not when its work ends well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import wanmi_casework
from core.cases.worked import LIMIT
from plugins.casework.office import DEPARTMENT, DISPATCHER, LEADER, OPERATOR, Office
from plugins.messenger.nodes import SMTP, act, district, messages
from wanmi.testing import react, replay_differences
from wanmi_casework.leaving import LeftLine, list_left


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    assert replay_differences(made.node) == []
    made.node.close()


def left(office: Office) -> list[LeftLine]:
    react(office.node)
    return list_left(office.node, DEPARTMENT).left


def test_work_that_goes_on_or_ends_well_leaves_nobody(office: Office) -> None:
    number = office.open_case()
    office.to(number, "closed")
    assert left(office) == []


def test_what_took_the_case_away_is_told_with_the_reason(office: Office) -> None:
    returned, moved, voided, merged, into = (office.open_case() for _ in range(5))
    for number in (returned, moved, voided, merged, into):
        office.to(number, "pending_handle")
    office.review(returned, office.ask(returned, "return"), True, opinion="归道路所")
    office.step(moved, "redispatch", department="dep-2", limit=LIMIT, opinion="改派二所")
    office.review(voided, office.ask(voided, "void", OPERATOR), True, LEADER, opinion="重复")
    office.desk.merge(merged, into, OPERATOR, office.said("merge", OPERATOR, opinion="同一问题"))
    office.review(into, office.ask(into, "return"), False, DISPATCHER, opinion="属你单位")
    found = {one.case: (one.what, one.to, one.state, one.opinion) for one in left(office)}
    assert found == {
        returned: ("return", None, "returned", "归道路所"),
        moved: ("redispatch", "dep-2", "pending_handle", "改派二所"),
        voided: ("void", None, "cancelled", "重复"),
        merged: ("merge", None, "merged", "同一问题"),
    }
    page = list_left(office.node, DEPARTMENT, limit=3)
    rest = list_left(office.node, DEPARTMENT, page.next or "", limit=3)
    assert {one.case for one in (*page.left, *rest.left)} == set(found)
    assert rest.next is None
    assert list_left(office.node, "dep-2").left == []


def test_a_forced_close_is_told_to_the_department_that_had_the_case(office: Office) -> None:
    number, unsent = office.open_case(), office.open_case()
    office.to(number, "handling")
    office.to(unsent, "pending_dispatch")
    for case in (number, unsent):
        office.review(case, office.ask(case, "forced_close", OPERATOR), True, LEADER, opinion="长期无法处置")
    [line] = left(office)
    assert (line.case, line.what, line.to, line.state, line.opinion) == (
        number, "forced_close", None, "forced_closed", "长期无法处置",
    )  # fmt: skip


def test_a_case_passed_round_is_told_to_everybody_who_loses_it(office: Office) -> None:
    """Also where the clock of whom it goes back to is not started but goes on."""
    number = office.open_case()
    office.to(number, "pending_handle")
    for department in ("dep-2", DEPARTMENT, "dep-2"):
        office.step(number, "redispatch", department=department, limit=LIMIT, opinion=f"改派 {department}")
    assert [(one.what, one.to, one.opinion) for one in left(office)] == [("redispatch", "dep-2", "改派 dep-2")] * 2
    assert [one.to for one in list_left(office.node, "dep-2").left] == [DEPARTMENT]


def test_the_messenger_tells_the_department_s_people(tmp_path: Path) -> None:
    """Each loss is one message to the people of the department that had the case, and to nobody else."""
    sections = {"messenger.smtp": {**SMTP, "port": 9}}
    with district(tmp_path, sections, plugins=[wanmi_casework]) as node:
        act(
            node,
            "message.addresses",
            text="person,channel,address,lang\nd-1,smtp,one@city.example,zh\nd-2,smtp,two@city.example,en\n",
        )
        act(
            node,
            "message.roster",
            text=f"person,post,unit,from,to\nd-1,department,{DEPARTMENT},,\nd-2,department,dep-2,,\n",
        )
        office = Office(tmp_path, node)
        returned, moved = office.open_case(), office.open_case()
        for number in (returned, moved):
            office.to(number, "pending_handle")
        office.review(returned, office.ask(returned, "return"), True)
        office.step(moved, "redispatch", department="dep-2", limit=LIMIT)
        react(node)
        told = [one for one in messages(node) if one.rule == "left-department"]
        assert {(one.address, one.about) for one in told} == {
            ("one@city.example", f"left:{number}") for number in (returned, moved)
        }  # fmt: skip
        assert all("已不再由贵单位处置" in one.text for one in told)
        assert not any("意见" in one.text or "as seen" in one.text for one in told), (
            "opinions are never among the words"
        )
