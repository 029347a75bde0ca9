"""Faults while reports flow: an edge and a district are killed, the other district's link is cut and healed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from wanmi_demo.city import CITY, DISTRICTS, EDGES, DemoCity
from wanmi_demo.screen import Screen

DARK = 1.0
"""Seconds that a killed node stays down."""


@dataclass
class Fault:
    """Done once the share ``at`` of the work was done."""

    at: float
    what: str
    act: Callable[[], None]
    done: bool = False


@dataclass
class Faults:
    """The faults of one run, in order."""

    city: DemoCity
    screen: Screen
    todo: list[Fault] = field(default_factory=list)

    @classmethod
    def plan(cls, city: DemoCity, screen: Screen) -> Faults:
        """Kill the first edge, cut the second district's link, kill the first district, heal the link."""
        faults = cls(city, screen)
        edge, district, other = EDGES[0], DISTRICTS[0], DISTRICTS[1]
        faults.todo = [
            Fault(0.25, f"SIGKILL edge {edge}", lambda: faults.kill(edge)),
            Fault(0.40, f"cut the link of district {other}", lambda: faults.link(other, "pause")),
            Fault(0.55, f"SIGKILL district {district}", lambda: faults.kill(district)),
            Fault(0.85, f"heal the link of district {other}", lambda: faults.link(other, "resume")),
        ]
        return faults

    @classmethod
    def plan_day(cls, city: DemoCity, screen: Screen) -> Faults:
        """While cases are worked: the other way round, and the city's own end last."""
        faults = cls(city, screen)
        edge, district, other = EDGES[1], DISTRICTS[1], DISTRICTS[0]
        faults.todo = [
            Fault(0.15, f"cut the link of district {other}", lambda: faults.link(other, "pause")),
            Fault(0.25, f"SIGKILL district {district}", lambda: faults.kill(district)),
            Fault(0.40, f"SIGKILL edge {edge}", lambda: faults.kill(edge)),
            Fault(0.55, f"heal the link of district {other}", lambda: faults.link(other, "resume")),
            Fault(0.70, "SIGKILL the city", lambda: faults.kill(CITY)),
        ]
        return faults

    def due(self, share: float) -> None:
        """Do what is due now that ``share`` of the work was done."""
        for fault in self.todo:
            if not fault.done and share >= fault.at:
                fault.done = True
                self.screen.say(fault.what)
                fault.act()

    def kill(self, code: str) -> None:
        """Kill a node, leave it dark for a moment, start it again."""
        node = self.city.nodes[code]
        node.kill()
        time.sleep(DARK)
        node.start()
        node.wait_ready()

    def link(self, code: str, action: str) -> None:
        """Pause or resume the link of a district to the city."""
        self.city.action(code, f"link.{action}", peer=CITY)
