"""A guest's report: taken by another district's edge, relayed by the city, a case at home, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

import wanmi_casework
from edge.street import CITY_POINT, Street
from plugins.casework.test_open_case import received
from plugins.casework.test_tasks import answer_entry
from wanmi.kinds import TerminalAdmitted, home_district
from wanmi.models import CaseRow, table
from wanmi.node import Node, node_card
from wanmi.registry import Draft
from wanmi.reports.bodies import answer_subject
from wanmi.testing import admit, carry, react, replay_differences, small_node
from wanmi_casework.task_views import find_view
from wanmi_casework.tasks import TaskAsk, TaskDesk

CITY, HOME, OTHER = "210100", "210102", "210103"
OWN_EDGE, FOREIGN_EDGE = "21010201", "21010301"


@dataclass
class Towns:
    nodes: dict[str, Node]
    street: Street

    def carry_up(self) -> None:
        for source, target in ((OWN_EDGE, HOME), (FOREIGN_EDGE, OTHER)):
            carry(self.nodes[source], self.nodes[target])
        for code in (HOME, OTHER, CITY):
            react(self.nodes[code])
        for source in (HOME, OTHER):
            carry(self.nodes[source], self.nodes[CITY])
        react(self.nodes[CITY])

    def carry_down(self) -> None:
        for target in (HOME, OTHER):
            carry(self.nodes[CITY], self.nodes[target])
            react(self.nodes[target])

    def receive(self, edge: str, message: bytes) -> None:
        self.nodes[edge].journal.append(received(edge, message)).result()

    def cases(self, code: str) -> list[tuple[str, str]]:
        row = table(CaseRow).c
        with self.nodes[code].store.reader() as connection:
            return [(r.owner, r.report_id) for r in connection.execute(select(row.owner, row.report_id))]


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[Towns]:
    nodes: dict[str, Node] = {}
    for code, role, parent, port in (
        (CITY, "city", "", 7401), (HOME, "district", CITY, 7402), (OTHER, "district", CITY, 7403),
        (OWN_EDGE, "edge", HOME, 0), (FOREIGN_EDGE, "edge", OTHER, 0),
    ):  # fmt: skip
        sections = {"link": {"listen": f"tcp://127.0.0.1:{port}"}} if port else {}
        nodes[code] = small_node(
            tmp_path / code,
            role=role,  # type: ignore[arg-type]
            code=code,
            plugins=[] if role == "edge" else [wanmi_casework],
            sections=sections,
            parent=node_card(nodes[parent].dir) if parent else "",
        )
        if parent:
            admit(nodes[parent], nodes[code])
    street = Street("T210102-0001")
    for code in (HOME, OTHER):
        body = TerminalAdmitted(street.id, street.public.hex(), street.verifier, None)
        nodes[code].journal.append(Draft("terminal.admitted", f"terminal:{code}:{street.id}", body)).result()
    yield Towns(nodes, street)
    for node in nodes.values():
        node.close()


def test_a_report_that_only_the_other_districts_edge_heard(towns: Towns) -> None:
    report, message = towns.street.with_text("井盖丢失")
    towns.receive(FOREIGN_EDGE, message)
    towns.carry_up()
    assert towns.cases(OTHER) == []
    assert towns.cases(HOME) == []
    towns.carry_down()
    assert towns.cases(HOME) == [(HOME, report.report_id)]
    assert towns.cases(OTHER) == []
    towns.carry_up()
    assert towns.cases(CITY) == [(HOME, report.report_id)]
    for node in towns.nodes.values():
        assert replay_differences(node) == []


@pytest.mark.parametrize("first", [OWN_EDGE, FOREIGN_EDGE])
def test_both_edges_heard_it_whichever_was_first(towns: Towns, first: str) -> None:
    report, message = towns.street.signed()
    second = FOREIGN_EDGE if first == OWN_EDGE else OWN_EDGE
    for edge in (first, second, first):
        if edge == first or towns.nodes[edge].journal.cursor(edge).seq < 3:
            towns.receive(edge, message)
        towns.carry_up()
        towns.carry_down()
    towns.carry_up()
    assert towns.cases(HOME) == [(HOME, report.report_id)]
    assert towns.cases(CITY) == [(HOME, report.report_id)]


def test_the_relayed_report_is_addressed_to_its_home_only(towns: Towns) -> None:
    _, message = towns.street.signed()
    towns.receive(FOREIGN_EDGE, message)
    towns.carry_up()
    towns.carry_down()
    relayed = [s for s in towns.nodes[CITY].journal.read(CITY, 0) if s.entry and s.entry.kind == "report.relayed"]
    assert [s.audience for s in relayed] == [(home_district("T210102-0001"),)]
    seen = towns.nodes[OTHER].journal.entry(CITY, relayed[0].seq)
    assert seen is not None
    assert seen.raw is None


@pytest.mark.parametrize("edges", [(FOREIGN_EDGE,), (FOREIGN_EDGE, OWN_EDGE)])
def test_an_answer_that_another_districts_edge_heard_is_judged_at_home_once(
    towns: Towns, edges: tuple[str, ...]
) -> None:
    home = towns.nodes[HOME]
    ask = TaskAsk("survey", towns.street.id, "0102", *CITY_POINT, home.clock.now() + 3_600_000_000)
    task = TaskDesk(home).send(ask)
    drafts = answer_entry(FOREIGN_EDGE, towns.street, task, photo=b"\xff\xd8\xff")
    for edge in edges:
        own = msgspec.structs.replace(drafts, subject=answer_subject(edge, task, towns.street.id))
        towns.nodes[edge].journal.append(own).result()
    towns.carry_up()
    towns.carry_down()
    line = find_view(home, task)
    assert (line.state, line.result, line.presence) == ("judged", "yes", "fine")
    assert line.answer is not None
    assert line.answer.entry.partition(":")[0] in edges
    kinds = [s.entry.kind for s in home.journal.read(HOME, 0, 1000, 10**8) if s.entry is not None]
    assert kinds.count("task.judged") == 1
    assert {one.blob for one in home.blobs.missing()} == {"cd" * 32}, "the photo comes by the city"
    towns.carry_up()
    towns.carry_down()
    relayed = [s for s in towns.nodes[OTHER].journal.read(CITY, 0) if s.audience == (HOME,)]
    assert [s.raw for s in relayed] == [None], "addressed to its home only"
    for node in towns.nodes.values():
        assert replay_differences(node) == []
