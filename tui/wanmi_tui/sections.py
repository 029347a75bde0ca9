"""The sections: what the number keys lead to, what each reads of the nodes, and the page that it makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wanmi_tui.pages import Look, Page
from wanmi_tui.state import NodeState
from wanmi_tui.topics import (
    ASKED,
    DEVICES,
    DRIVERS,
    EQUIPMENT,
    FENCES,
    HEADS,
    HEALTH,
    LEDGER,
    LINKS,
    NODES,
    POSITIONS,
    REFUSED,
    SCENES,
    TERMINALS,
    VEHICLES,
    WALLS,
    Topic,
)
from wanmi_tui.views.alarms import alarms_page
from wanmi_tui.views.devices import gnss_page, network_page, power_page
from wanmi_tui.views.displays import displays_page
from wanmi_tui.views.field import terminals_page, vehicles_page
from wanmi_tui.views.journal import journal_page
from wanmi_tui.views.nodes import nodes_page
from wanmi_tui.views.spool import spool_page
from wanmi_tui.words import T, Text


@dataclass(frozen=True)
class Section:
    """A section; ``does`` names the actions beside those that every section has."""

    key: str
    name: str
    short: Text
    title: Text
    page: Callable[[Look, Sequence[NodeState]], Page]
    topics: tuple[Topic[Any], ...]
    does: tuple[str, ...] = ()
    tail: bool = False


_DEVICES = (DEVICES, EQUIPMENT, DRIVERS)

SECTIONS: tuple[Section, ...] = (
    Section("1", "nodes", T.nodes, T.nodes_long, nodes_page, (HEALTH, HEADS, NODES, LINKS)),
    Section("2", "alarms", T.alarms, T.alarms, alarms_page, (), ("acknowledge", "silence")),
    Section("3", "power", T.power, T.power_long, power_page, _DEVICES, ("command",)),
    Section("4", "gnss", T.gnss, T.gnss_long, gnss_page, _DEVICES, ("command",)),
    Section(
        "5",
        "terminals",
        T.terminals,
        T.terminals_long,
        terminals_page,
        (TERMINALS, ASKED, POSITIONS),
        ("approve", "deny", "rotate", "revoke"),
    ),
    Section("6", "vehicles", T.vehicles, T.vehicles_long, vehicles_page, (VEHICLES, FENCES, *_DEVICES)),
    Section(
        "7", "displays", T.displays, T.displays_long, displays_page, (*_DEVICES, SCENES, WALLS), ("command", "wall")
    ),
    Section("8", "network", T.network, T.network_long, network_page, _DEVICES, ("command",)),
    Section("9", "spool", T.spool, T.spool_long, spool_page, (LEDGER, REFUSED), ("retry",)),
    Section("0", "journal", T.journal, T.journal_long, journal_page, (HEADS,), ("verify",), tail=True),
)
BY_NAME = {section.name: section for section in SECTIONS}
