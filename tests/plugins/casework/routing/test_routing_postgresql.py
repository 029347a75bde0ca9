"""Routing's tables on PostgreSQL: the same imports, queue and decision as on SQLite, and replay agrees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import wanmi_casework
from plugins.casework.routing.test_routing_node import CASE, CONTEST, NOW, opened, result
from support.postgres import new_database, postgresql
from wanmi.clock import ManualClock
from wanmi.testing import replay_differences, small_node
from wanmi_casework.routing import arbitrate, contest_draft, queue, suggest

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as base:
        yield base


def test_import_contest_and_decide(server: str, tmp_path: Path) -> None:
    sections = {"database": {"url": new_database(server, "routing")}}
    departments, rules = tmp_path / "d.csv", tmp_path / "r.csv"
    departments.write_text(
        "code,name,kind,tier,begins\nD1,环卫,centre,district,2026-01-01\nD2,执法,bureau,district,2026-01-01\n"
    )
    rules.write_text(CONTEST)
    with small_node(tmp_path / "node", plugins=[wanmi_casework], sections=sections, clock=ManualClock(NOW)) as node:
        assert result(node, "route.import", {"shipped": True})["refused"] == []
        done = result(node, "route.import", {"files": [str(departments), str(rules)]})
        assert (done["journaled"], done["refused"]) == (4, [])
        numbers = [CASE[:-1] + str(n) for n in (1, 2, 3)]
        for number in numbers:
            draft = contest_draft(node, number, suggest(node, opened(number), NOW))
            assert draft is not None
            node.journal.append(draft).result()
        (first,) = queue(node, limit=1)
        rest = queue(node, after=(first.contested_at, first.case))
        assert [first.case, *(one.case for one in rest)] == numbers
        assert arbitrate(node, first.case, "D2", "属地", "p-1").state == "decided"
        assert [one.case for one in queue(node)] == numbers[1:]
        assert replay_differences(node) == []
