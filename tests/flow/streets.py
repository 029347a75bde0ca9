"""A city, a district and an edge as real processes, and a terminal in this one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from wanmi.coords import Point
from wanmi.ids import SystemIds
from wanmi.models import CaseRow, table
from wanmi.node import NewNode, create_node
from wanmi.node.calling import call_action
from wanmi.store import Store
from wanmi_demo.city import DemoCity
from wanmi_demo.ports import free_ports
from wanmi_demo.processes import NodeProcess
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.home import Home, init_home
from wanmi_terminal.maker import Draft, Place
from wanmi_terminal.schedule import Retry

CITY, DISTRICT, EDGE = "210100", "210102", "21010201"
TERMINAL = "T210102-0001"
IMPATIENT = Retry(unkept=2.0, kept=3.0, later=1.0, longest=5.0, reconnect=0.2, reconnect_longest=1.0)
HEPING = Point(1_233_829_000, 417_436_000)


@dataclass
class Streets:
    """The running nodes and the terminal's home."""

    city: DemoCity
    home: Home
    sent: list[str] = field(default_factory=list)

    @contextmanager
    def terminal(self, retry: Retry | None = None, twice_every: int = 10) -> Iterator[FieldTerminal]:
        """The terminal; by default impatient: it sends again within seconds, and every tenth report twice."""
        route = Route(BrokerUrl.parse(self.city.broker(EDGE)), twice_every=twice_every)
        with FieldTerminal(self.home, [route], retry=retry or IMPATIENT) as terminal:
            yield terminal

    def report(self, terminal: FieldTerminal) -> None:
        """One more report, on disk when this returns."""
        at = Point(HEPING.lon_e7 + len(self.sent) * 1000, HEPING.lat_e7)
        self.sent.append(terminal.report(Draft("event", "0102", Place(at, "WGS84"), "流程测试")))

    def kill(self, code: str) -> None:
        """SIGKILL a node and start it again at once."""
        node = self.city.nodes[code]
        node.kill()
        node.start()
        node.wait_ready()

    def held(self, code: str) -> Counter[str]:
        """How often each report has a case at a node."""
        store = Store.open_to_read(f"sqlite:///{self.city.dir(code)}/journal.db")
        row = table(CaseRow).c
        try:
            with store.reader() as connection:
                return Counter(r.report_id for r in connection.execute(select(row.report_id)))
        finally:
            store.close()


@contextmanager
def streets(root: Path) -> Iterator[Streets]:
    """Make and start city, district and edge, with one terminal admitted."""
    city = DemoCity(root)
    ports = free_ports(2)
    card = create_node(city.dir(CITY), NewNode("city", CITY, listen=f"tcp://127.0.0.1:{ports[0]}")).card
    made = create_node(
        city.dir(DISTRICT), NewNode("district", DISTRICT, parent=card, listen=f"tcp://127.0.0.1:{ports[1]}")
    )
    call_action(city.dir(CITY), "node.admit", {"token": made.token})
    edge = create_node(city.dir(EDGE), NewNode("edge", EDGE, parent=made.card))
    call_action(city.dir(DISTRICT), "node.admit", {"token": edge.token})
    for code in (CITY, DISTRICT, EDGE):
        city.nodes[code] = NodeProcess(city.dir(code), code)
    home = init_home(root / "terminal", TERMINAL, SystemIds(), district_keys=(made.keys.sign_public.hex(),))
    call_action(city.dir(DISTRICT), "terminal.admit", {"card": home.card()})
    try:
        city.start()
        yield Streets(city, home)
    finally:
        city.stop()


def dice(seed: int) -> random.Random:
    """Where and when nodes are killed."""
    return random.Random(seed)
