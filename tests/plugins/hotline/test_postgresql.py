"""The hotline and erasure on PostgreSQL: a call becomes a case, the caller is erased, replay agrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.hotline.desk import PLUGINS, REPORT, START, Desk, popup, send
from support.postgres import new_database, postgresql
from wanmi.clock import ManualClock
from wanmi.node import run_action
from wanmi.testing import react, replay_differences, small_node

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]


def test_a_call_a_case_an_erasure(tmp_path: Path) -> None:
    clock = ManualClock(START)
    with postgresql() as base:
        sections = {"database": {"url": new_database(base, "hotline")}}
        made = Desk(small_node(tmp_path / "n", plugins=PLUGINS, sections=sections, clock=clock), clock)
        try:
            pbx, operator = made.machine(), made.operator()
            events = [
                made.event("ringing"),
                made.event("answered", seat="8001"),
                made.event("held"),
                made.event("ended"),
            ]
            for known in (0, 4):
                answer = send(pbx, "POST", "/api/v1/hotline/events", {"events": events})
                assert answer.json() == {"taken": 4 - known, "known": known}
            [call] = popup(operator)["calls"]
            assert send(operator, "POST", f"/api/v1/hotline/calls/{call['call']}/wrap-up", REPORT).status_code == 200
            react(made.node)
            assert len(made.cases()) == 1
            [result] = [
                one for one in run_action(made.node, "person.erase", {"number": "13940012345"}) if isinstance(one, dict)
            ]
            assert len(result["blobs"]) == 3
            react(made.node)
            assert operator.get(f"/api/v1/hotline/calls/{call['call']}/caller").status_code == 404
            assert replay_differences(made.node) == []
        finally:
            made.close()
