"""A district and an edge at which terminals ask to be admitted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import wanmi_edge
from edge.street import EDGE
from wanmi.clock import ManualClock, SystemClock
from wanmi.ids import SystemIds
from wanmi.node import Node, node_card
from wanmi.reports.asks import AskAnswer, ask_topic, read_ask
from wanmi.testing import admit, carry, replay_differences, small_node
from wanmi_edge.asks.desk import AskDesk
from wanmi_edge.settings import AskSettings
from wanmi_terminal.asking import Asking, begin_asking


@dataclass
class Town:
    """A district and an edge."""

    dir: Path
    district: Node
    edge: Node

    def exchange(self) -> None:
        carry(self.edge, self.district)
        carry(self.district, self.edge)

    def asking(self, name: str = "T", *, again: bool = False) -> Asking:
        return begin_asking(self.dir / name, "phone 9", SystemIds(), self.edge.clock.now(), again=again)

    def desk(self, **settings: object) -> AskDesk:
        return AskDesk(self.edge, AskSettings(**{"open": "anybody", **settings}), lambda: "mqtt://127.0.0.1:1883")

    def said(self, desk: AskDesk, asking: Asking, code: str = "") -> AskAnswer:
        return desk.answer(*read_ask(ask_topic(asking.key_id), asking.message("app/1", code)))

    def asks(self, name: str) -> Asking:
        """A terminal asked, and the district has heard of it."""
        asking = self.asking(name)
        assert self.said(self.desk(), asking).status == "pending"
        self.exchange()
        return asking

    def entries(self) -> int:
        return sum(s.entry is not None and s.entry.kind == "terminal.asked" for s in self.edge.journal.read(EDGE, 0))


@contextmanager
def town_of(
    dir: Path, clock: ManualClock | SystemClock, plugins: tuple[ModuleType, ...] = (), **asks: object
) -> Iterator[Town]:
    """Both nodes; ``plugins`` of the district, ``asks`` settings of the edge."""
    listen = {"link": {"listen": "tcp://127.0.0.1:7403"}}
    with small_node(dir / "district", clock=clock, sections=listen, plugins=list(plugins)) as district:
        edge = small_node(
            dir / "edge", role="edge", code=EDGE, plugins=[wanmi_edge], parent=node_card(district.dir), clock=clock,
            sections={"edge.asks": asks} if asks else None,
        )  # fmt: skip
        admit(district, edge)
        carry(district, edge)
        yield Town(dir, district, edge)
        assert replay_differences(district) == []
