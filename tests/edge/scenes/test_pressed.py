"""The city presses a case; the panel at the district's edge goes to it. Real nodes, an emulated panel, no HTTP between them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import wanmi_casework
from core.cases.worked import opened
from edge.devices.line_device import lines_plugin
from edge.devices.test_devices import until
from edge.scenes.test_scenes import Hall, HallPlugin, Moved, quick, scene
from wanmi.case_kinds import CaseBecameOverdue
from wanmi.clock import SECOND
from wanmi.codes import Profile
from wanmi.node import Node
from wanmi.order_kinds import OrderAnswered, OrderIssued, order_subject
from wanmi.registry import Draft
from wanmi.testing import SmallCity, carry, react, reopen, replay_differences, small_city
from wanmi_edge.scenes.rows import Trigger

__all__ = ["quick"]
CASE = "210102-E0102-20261124-0007"
DAY = 24 * 3600 * SECOND
RULES = """
[[casework.edge_events]]
on = "press"
levels = ["urgent", "critical"]
[[casework.edge_events]]
on = "overdue"
clocks = ["handle"]
categories = ["E01"]
"""


class Tiers:
    """City, district, edge with its hall."""

    def __init__(self, nodes: SmallCity, hall: Hall) -> None:
        self.nodes, self.hall = nodes, hall

    def press(self, order: str, level: Any) -> None:
        body = OrderIssued(
            order, "press", "210102", None, CASE, "leader", level, "市领导关注, 请立即处置", 2**50, None, None, None
        )
        self.nodes.city.journal.append(
            Draft("order.issued", order_subject("210100", order), body, ("210102",))
        ).result()
        self.carry()

    def carry(self) -> None:
        carry(self.nodes.city, self.nodes.district)
        react(self.nodes.district)
        hand_down(self.nodes.district, self.nodes.edge)


def hand_down(parent: Node, child: Node) -> None:
    """The parent's own chain to its child, as a link sends it."""
    while batch := parent.journal.batch_for(child.code, parent.code, child.journal.cursor(parent.code).seq):
        child.journal.apply(batch, parent.code).result()


@pytest.fixture
def tiers(tmp_path: Path, quick: None) -> Iterator[Tiers]:
    made, clock = HallPlugin(), Moved()
    nodes = small_city(tmp_path, district=[wanmi_casework], edge=[lines_plugin(), made.plugin()], clock=clock)
    with (nodes.district.dir / "node.toml").open("a", encoding="utf-8") as settings:
        settings.write(RULES)
    nodes = replace(nodes, district=reopen(nodes.district))
    body = opened(CASE, profile=Profile.load().ref, lon_e7=1_234_330_000, lat_e7=417_968_000)
    nodes.district.journal.append(Draft("case.opened", f"case:{CASE}", body, expect=0)).result()
    try:
        yield Tiers(nodes, Hall(nodes.edge, made.devices, made.stages[-1], clock))
    finally:
        nodes.close()


def test_a_press_calls_the_scene_and_its_answer_ends_it(tiers: Tiers) -> None:
    hall = tiers.hall
    page = "https://n/map?lon={lon}&lat={lat}&case={ref}&{severity}"

    async def play() -> None:
        async with hall.open():
            hall.book.keep(
                scene("press", Trigger("event", events=["case.pressed"]), ["D0003"], page=page, minutes=60), None
            )
            await asyncio.to_thread(tiers.press, "o-1", "normal")
            await asyncio.to_thread(tiers.press, "o-2", "urgent")
            wanted = f"https://n/map?lon=123.4330000&lat=41.7968000&case={CASE}&warning"
            await until(lambda: hall.screen.panel.url == wanted)
            assert "市领导关注" in hall.book.calls()[0].why
            answer = OrderAnswered("o-2", "answered", CASE, "已处置")
            tiers.nodes.district.journal.append(
                Draft("order.answered", order_subject("210100", "o-2"), answer, ("210100",))
            ).result()
            await asyncio.to_thread(tiers.carry)
            await until(lambda: hall.screen.panel.input == 0x21 and not hall.book.calls())

    asyncio.run(play())
    told = [one.entry.body["over"] for one in tiers.nodes.district.journal.read("210102", 0)
            if one.entry is not None and one.entry.kind == "event.told"]  # fmt: skip
    assert told == [False, True], "the press that no rule names is told to nobody"
    for node in (tiers.nodes.district, tiers.nodes.edge):
        assert replay_differences(node) == []


def test_an_overdue_case_calls_too_and_what_comes_days_late_calls_nothing(tiers: Tiers) -> None:
    hall = tiers.hall
    late = scene(
        "late",
        Trigger("event", events=["case.*"], severities=["warning"]),
        ["D0003"],
        page="https://n/{ref}",
        minutes=60,
    )

    async def play() -> None:
        async with hall.open():
            hall.book.keep(late, None)
            for clock in ("file", "handle"):
                body = CaseBecameOverdue(clock, hall.clock.now())
                tiers.nodes.district.journal.append(Draft("case.became_overdue", f"case:{CASE}", body)).result()
            await asyncio.to_thread(tiers.carry)
            await until(lambda: hall.screen.panel.url == f"https://n/{CASE}")
            (call,) = hall.book.calls()
            assert call.key == f"event:case.overdue:{CASE}"
            hall.clock.ahead += 2 * 3600 * SECOND
            await until(lambda: not hall.book.calls())

    asyncio.run(play())
    before = len(hall.kinds())
    tiers.press("o-4", "urgent")
    hall.clock.ahead += 10 * DAY
    react(tiers.nodes.edge)
    assert hall.kinds()[before:] == [], "ten days late"
