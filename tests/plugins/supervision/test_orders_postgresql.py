"""Orders on PostgreSQL at both nodes: the same queues, counters and history as on SQLite, and replay agrees."""

from __future__ import annotations

from pathlib import Path

import pytest

import wanmi_casework
import wanmi_supervision
from core.cases.worked import START
from support.postgres import new_database, postgresql
from support.two_tiers import HOUR, SUPERVISOR, WORKED, TwoTiers
from wanmi.clock import ManualClock
from wanmi.models import CaseRow
from wanmi.node import node_card
from wanmi.testing import SmallCity, admit, replay_differences, small_node
from wanmi_supervision.asking import IssueAsk
from wanmi_supervision.history import history_of
from wanmi_supervision.issuing import issue
from wanmi_supervision.queues import list_orders

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]


def test_handed_down_pressed_and_answered(tmp_path: Path) -> None:
    plugins, clock = [wanmi_casework, wanmi_supervision], ManualClock(START)
    with postgresql() as server:
        sections = {name: {"database": {"url": new_database(server, name)}} for name in ("city", "district")}
        link = {"link": {"listen": "tcp://127.0.0.1:1"}}
        with (
            small_node(
                tmp_path / "city", role="city", code="210100", plugins=plugins, sections={**link, **sections["city"]},
                clock=clock,
            ) as city,
            small_node(
                tmp_path / "district", plugins=plugins, sections={**link, **sections["district"]},
                parent=node_card(city.dir), clock=clock,
            ) as district,
        ):  # fmt: skip
            admit(city, district)
            tiers = TwoTiers(SmallCity(city, district, district))
            above, order = tiers.handed_down()
            tiers.exchange()
            below = tiers.number(district, CaseRow.report_id, order.order_id)
            ask = IssueAsk("press", "快", tiers.now + HOUR, district_case=below, press="leader")
            pressed = issue(city, ask, SUPERVISOR)
            tiers.advance(2 * HOUR)
            tiers.work(district, below, *WORKED)
            tiers.exchange()
            assert [one.order_id for one in list_orders(city, state="late").orders] == [pressed.order_id]
            assert [one.order_id for one in list_orders(city, state="answered").orders] == [order.order_id]
            page = list_orders(city, limit=1)
            assert page.next is not None
            assert [one.order_id for one in list_orders(city, cursor=page.next).orders] == [order.order_id]
            assert (tiers.count().pressed, tiers.count().orders_late) == (1, 1)
            assert history_of(city, above).lines == history_of(district, above).lines
            for node in (city, district):
                assert replay_differences(node) == []
