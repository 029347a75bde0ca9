"""A settings change that a district orders of its edge, between real processes over a real link: it holds where the uplink
comes back, and is taken back where it does not. Killed on the way, the edge finishes what it began.
"""

from __future__ import annotations

import signal
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.live import LiveNode, until, wanmi
from wanmi.node import NewNode, call_action, create_node, node_card
from wanmi.node.running import RUN_FILE
from wanmi.node.trial import read_trial
from wanmi.settings import FILE
from wanmi_demo.ports import free_ports

pytestmark = pytest.mark.processes
DISTRICT, EDGE = "210102", "21010201"
PROBATION = 5


@dataclass
class Street:
    """A district and an edge of it, as processes."""

    district: Path
    edge: Path
    card: str
    live: LiveNode

    def pid(self) -> int:
        """The edge's process, once it is ready (again)."""
        return int(self.live.facts()["pid"])

    def order(self, key: str, old: object, new: object, probation: int = 60) -> str:
        args = {"edge": EDGE, "changes": [{"key": key, "old": old, "new": new}], "probation": probation}
        return str(call_action(self.district, "settings.order", args)["orders"][0]["change"])

    def state(self, change: str) -> dict[str, Any]:
        return dict(call_action(self.district, "settings.orders", {"change": change})["orders"][0])

    def ends(self, change: str, seconds: float = 40.0) -> dict[str, Any]:
        """What the district at last hears of a change."""
        ended = ("confirmed", "refused", "rolled_back")
        return until(lambda: (found := self.state(change))["state"] in ended and found, seconds)  # type: ignore[return-value]

    def in_force(self, section: str, key: str) -> object:
        return tomllib.loads((self.edge / FILE).read_text(encoding="utf-8")).get(section, {}).get(key)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    tmp_path = tmp_path_factory.mktemp("street")
    listen = f"tcp://127.0.0.1:{free_ports(1)[0]}"
    create_node(tmp_path / "d", NewNode("district", DISTRICT, listen=listen, plugins=("federation",)))
    card = node_card(tmp_path / "d")
    edge = create_node(tmp_path / "e", NewNode("edge", EDGE, parent=card, plugins=("federation",)))
    call_action(tmp_path / "d", "node.admit", {"token": edge.token})
    with LiveNode(tmp_path / "d") as district, LiveNode(tmp_path / "e") as live:
        district.facts()
        live.facts()
        yield Street(tmp_path / "d", tmp_path / "e", card, live)
        live.facts()
        assert live.end(signal.SIGTERM) == 0


def test_a_good_change_holds_and_a_wrong_address_is_taken_back(street: Street) -> None:
    pid = street.pid()
    good = street.ends(street.order("log.level", "info", "debug"))
    assert (good["state"], good["reason"], street.pid()) == ("confirmed", "", pid)
    assert street.in_force("log", "level") == "debug"

    before = (street.edge / FILE).read_bytes()
    deaf = street.order("link.parent", street.card, street.card.replace("127.0.0.1", "127.0.0.2"), PROBATION)
    until(lambda: b"127.0.0.2" in (street.edge / FILE).read_bytes())
    assert (trial := read_trial(street.edge)) is not None
    assert (trial.phase, trial.starts) == ("trying", 1)
    street.live.end(signal.SIGKILL)
    street.live.__enter__()
    told = street.ends(deaf)
    assert (told["state"], "countersigned nothing" in told["reason"]) == ("rolled_back", True)
    assert (street.edge / FILE).read_bytes() == before
    assert read_trial(street.edge) is None
    [line] = [
        one for one in call_action(street.district, "status", {})["health"] if one["name"] == f"settings of {EDGE}"
    ]
    assert (line["state"], deaf in line["reason"]) == ("warn", True)
    shown = wanmi("settings", "orders", street.district)
    assert (shown.returncode, "rolled_back" in shown.stdout, "confirmed" in shown.stdout) == (0, True, True)


def test_settings_that_no_node_starts_with_are_taken_back_at_once(street: Street) -> None:
    """The address is not of this machine: the web server cannot listen, and the node says so instead of running."""
    before = (street.edge / FILE).read_bytes()
    told = street.ends(street.order("web.host", "127.0.0.1", "192.0.2.1"))
    assert told["state"] == "rolled_back", told
    assert (street.edge / FILE).read_bytes() == before


def test_a_node_restarts_in_place_with_what_was_set_here(street: Street) -> None:
    pid = street.pid()
    done = wanmi("settings", "set", street.edge, "log.level=warning", "--now")
    assert (done.returncode, "restarts with it" in done.stdout) == (0, True), done.stderr
    until(lambda: not (street.edge / RUN_FILE).exists())
    assert street.pid() == pid
    assert call_action(street.edge, "settings.show", {})["settings"]["log"]["level"] == "warning"
