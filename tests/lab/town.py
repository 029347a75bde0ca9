"""A city and its districts as real ``wanmi run`` processes on the lab's lines, fed by the lab's plugin."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2

from lab.feeder import FEED, KILL
from lab.lines import TESTS, Lines
from lab.weather import Weather
from wanmi.errors import WanmiError
from wanmi.node import NewNode, create_node, node_card
from wanmi.node.calling import call_action
from wanmi_demo.processes import NodeProcess

CITY = "210100"
DISTRICTS = ("210102", "210103", "210104")
PLUGINS = ("federation", "lab_feeder")


@dataclass(frozen=True)
class Held:
    """What a node holds of one chain: reports as entries, and different ones; rows of their projection."""

    entries: int
    different: int
    projected: int


@dataclass
class Town:
    """The running nodes, by code."""

    root: Path
    lines: Lines
    weather: Weather
    nodes: dict[str, NodeProcess] = field(default_factory=dict)
    _armed: str = ""

    def feed(self, code: str, upto: int, *, batch: int = 20, pace: float = 0.02) -> None:
        """Have a node append numbered reports until it has ``upto``, over any number of kills."""
        _order(self.nodes[code].dir / FEED, {"upto": upto, "batch": batch, "pace": pace})

    def kill_at(self, code: str, point: str, after: int = 1, seconds: float = 60.0) -> None:
        """SIGKILL a node when it comes to a point (``lab.feeder.POINTS``), and start it again."""
        self.arm(code, point, after)
        self.restart_when_dead(code, seconds)

    def arm(self, code: str, point: str, after: int) -> None:
        """Have a node SIGKILL itself when it comes to a point the ``after``-th time from now."""
        self._armed = point
        order = self.nodes[code].dir / KILL
        _order(order, {"point": point, "after": after})
        wait_until(lambda: not order.exists(), 10, lambda: f"{code} does not look at its orders")

    def restart_when_dead(self, code: str, seconds: float = 60.0) -> None:
        """Start a node again once it came to the point that it was armed for."""
        wait_until(lambda: not self.nodes[code].alive, seconds, lambda: f"{code} never came to {self._armed}")
        self.restart(code)

    def restart(self, code: str) -> None:
        """Kill a node if it lives, and start it again."""
        node = self.nodes[code]
        node.kill()
        node.start()
        node.wait_ready()

    def stop_by_signal(self, code: str, *, stopped: bool) -> None:
        """SIGSTOP or SIGCONT a node."""
        os.kill(self.nodes[code].pid, signal.SIGSTOP if stopped else signal.SIGCONT)

    @contextmanager
    def another(self, dir: Path, like: str) -> Iterator[NodeProcess]:
        """One more process of another directory at a district's end of its line."""
        process = self.nodes[like].beside(dir)
        process.start()
        process.wait_ready()
        try:
            yield process
        finally:
            process.kill()

    def line(self, code: str, **change: Any) -> None:
        """Change what the weather of a district's line is otherwise."""
        self.lines.become(code, replace(self.weather, **change))

    def links(self, code: str) -> Mapping[str, tuple[str, str]]:
        """State and reason of each link of a running node, by peer; empty when it does not answer."""
        try:
            told = call_action(self.root / code, "link.status", {})["links"]
        except WanmiError:
            return {}
        return {line["name"].removeprefix("link "): (line["state"], line["reason"]) for line in told}

    def is_up(self, code: str, peer: str) -> bool:
        """Whether a running node says that its link to a peer stands."""
        _, reason = self.links(code).get(peer, ("", "not heard"))
        return reason == "up" or reason.startswith("the oldest of")

    def memory(self, code: str) -> int:
        """Resident bytes of a node."""
        text = Path(f"/proc/{self.nodes[code].pid}/status").read_text(encoding="ascii")
        return int(text.split("VmRSS:")[1].split()[0]) * 1024

    def held(self, code: str, origin: str) -> Held:
        """What a node's database holds of an origin's reports."""
        with closing(dbapi2.connect(f"file:{self.root / code}/journal.db?mode=ro", uri=True)) as database:
            entries = (
                "SELECT count(*), count(DISTINCT subject) FROM entry WHERE origin = ? AND kind = 'report.received'"
            )
            counted, different = database.execute(entries, [origin]).fetchone()
            (projected,) = database.execute("SELECT count(*) FROM report WHERE edge = ?", [origin]).fetchone()
        return Held(counted, different, projected)

    def has(self, code: str, origin: str, count: int) -> bool:
        """Whether a node holds at least so many reports of an origin (cheap: by the cursor's place)."""
        with closing(dbapi2.connect(f"file:{self.root / code}/journal.db?mode=ro", uri=True)) as database:
            row = database.execute(
                "SELECT 1 FROM report WHERE edge = ? AND report_id = ?", [origin, f"{count - 1:026d}"]
            )
            return row.fetchone() is not None


@contextmanager
def lab_town(
    root: Path,
    lines: Lines,
    weather: Weather,
    *,
    districts: int = 1,
    more: Mapping[str, str] | None = None,
    city_on: Path | None = None,
) -> Iterator[Town]:
    """Make and start a city and districts, each on a line of its own.

    ``more`` goes into every node's environment; ``city_on`` is a folder elsewhere in which the city's directory is.
    """
    env = {"PYTHONPATH": os.pathsep.join([str(_plugin(root)), str(TESTS)]), **(more or {})}
    town = Town(root, lines, weather)
    try:
        if city_on is not None:
            (root / CITY).symlink_to(city_on / CITY)
        create_node((root / CITY).resolve(), NewNode("city", CITY, listen=lines.listen, plugins=PLUGINS))
        town.nodes[CITY] = NodeProcess(root / CITY, CITY, prefix=lines.at_parent, more=env)
        for code in DISTRICTS[:districts]:
            _add_district(town, code, env)
        for node in town.nodes.values():
            node.start()
        for node in town.nodes.values():
            node.wait_ready()
        yield town
    finally:
        for node in town.nodes.values():
            node.kill()
        lines.close()


def _add_district(town: Town, code: str, env: Mapping[str, str]) -> None:
    ends = town.lines.add(code)
    town.line(code)
    card = node_card(town.root / CITY, ends.host)
    scheme, _, rest = card.partition("://")
    place, _, keys = rest.partition("/")
    parent = f"{scheme}://{place.rpartition(':')[0]}:{ends.port}/{keys}"
    made = create_node(town.root / code, NewNode("district", code, parent=parent, plugins=PLUGINS))
    call_action(town.root / CITY, "node.admit", {"token": made.token})
    town.nodes[code] = NodeProcess(town.root / code, code, prefix=ends.at_child, more=env)


def _plugin(root: Path) -> Path:
    """A folder that makes the feeder an installed plugin, for the nodes and for this process."""
    folder = root / "installed"
    info = folder / "wanmi_lab-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wanmi-lab\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[wanmi.plugins]\nlab_feeder = lab.feeder\n", encoding="utf-8")
    sys.path.append(str(folder))
    return folder


def _order(path: Path, order: Mapping[str, Any]) -> None:
    """A whole order or none."""
    path.with_suffix(".new").write_text(json.dumps(order), encoding="utf-8")
    path.with_suffix(".new").replace(path)


def wait_until(what: Callable[[], bool], seconds: float, told: Callable[[], object] = lambda: "") -> float:
    """Poll until something holds; the seconds that took. Fails with what ``told`` says."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() < begun + seconds, f"not within {seconds:g} s: {told()}"
        time.sleep(0.05)
    return time.monotonic() - begun


def cut_and_heal(town: Town, district: str, cut_for: float = 0.0) -> tuple[float, float]:
    """Seconds until both ends noticed a cut, and until new entries arrived again after it healed."""
    wait_until(lambda: town.is_up(CITY, district) and town.is_up(district, CITY), 30, lambda: town.links(district))
    town.line(district, cut="both")
    noticed = wait_until(lambda: not town.is_up(CITY, district) and not town.is_up(district, CITY), 20)
    if cut_for > noticed:
        time.sleep(cut_for - noticed)
    before = town.held(CITY, district).entries
    town.line(district)
    return noticed, wait_until(lambda: town.held(CITY, district).entries > before, 90, lambda: town.links(district))
