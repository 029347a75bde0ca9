"""The demo's city: five nodes made, admitted, given base data and people, started."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from wanmi.errors import StoreError
from wanmi.ids import Ids
from wanmi.node.calling import call_action
from wanmi.settings import ROLE_PLUGINS
from wanmi_demo.ports import free_ports
from wanmi_demo.processes import NodeProcess, run_wanmi
from wanmi_demo.screen import Screen

CITY = "210100"
DISTRICTS = ("210102", "210103")
EDGES = ("21010201", "21010301")
FIRST_DAY = "2026-01-01"
LOGIN = "demo"


@dataclass
class DemoCity:
    """The nodes of the demo, by code."""

    root: Path
    password: str = ""
    more: tuple[str, ...] = ()
    nodes: dict[str, NodeProcess] = field(default_factory=dict)

    def dir(self, code: str) -> Path:
        """A node's directory."""
        return self.root / code

    def action(self, code: str, action: str, /, **arguments: Any) -> dict[str, Any]:
        """Call an admin action of a node, live or not."""
        return call_action(self.dir(code), action, arguments)

    def start(self) -> None:
        """Start every node and wait until all are ready."""
        for node in self.nodes.values():
            node.start()
        for node in self.nodes.values():
            node.wait_ready()

    def stop(self) -> None:
        """Stop every node, edges first."""
        with ThreadPoolExecutor(len(self.nodes) or 1) as pool:
            for code in (*EDGES, *DISTRICTS, CITY):
                if code in self.nodes:
                    pool.submit(self.nodes[code].stop)

    def broker(self, edge: str, seconds: float = 30.0) -> str:
        """The URL of an edge's broker, once it serves."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            url = self.nodes[edge].facts().get("mqtt", "")
            if url:
                return url
            time.sleep(0.1)
        raise StoreError(f"edge {edge} has no broker after {seconds:.0f} s; see {self.dir(edge)}/log")

    def broker_kind(self, edge: str) -> str:
        """``mosquitto`` or ``iotcore``."""
        self.broker(edge)
        address = json.loads((self.dir(edge) / "broker" / "address.json").read_text(encoding="utf-8"))
        return str(address["kind"])


def build_city(root: Path, ids: Ids, screen: Screen, more: Sequence[str] = ()) -> DemoCity:
    """Make the five nodes below ``root``, admit them, load base data and people; nothing runs yet.

    ``more``: plugins that the city and the districts load besides those of their role.
    """
    root.mkdir(parents=True, exist_ok=True)
    city = DemoCity(root, base64.urlsafe_b64encode(ids.token(9)).decode(), tuple(more))
    ports = free_ports(3)
    with screen.step("nodes and keys 建立节点与密钥"):
        card = _make(city, CITY, "city", "", ports[0])
        cards = {
            code: _make(city, code, "district", card, port) for code, port in zip(DISTRICTS, ports[1:], strict=True)
        }
        for code in EDGES:
            _make(city, code, "edge", cards[code[:6]], None)
    with screen.step("people 人员"), ThreadPoolExecutor(2) as pool:
        for code in (CITY, *DISTRICTS, *EDGES):
            pool.submit(_add_people, city, code).result()
    with screen.step("schematic base data 示意基础数据"), ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(_load_district, city, code) for code in DISTRICTS]:
            done.result()
    return city


def _make(city: DemoCity, code: str, role: Literal["city", "district", "edge"], parent: str, port: int | None) -> str:
    """Make a node and have its parent admit it by its one-time token; its own card for children."""
    from wanmi.node import NewNode, create_node

    listen = "" if port is None else f"tcp://127.0.0.1:{port}"
    plugins = None if role == "edge" or not city.more else tuple(dict.fromkeys((*ROLE_PLUGINS[role], *city.more)))
    new = NewNode(role, code, parent=parent, listen=listen, web="127.0.0.1:0", plugins=plugins)
    created = create_node(city.dir(code), new)
    if parent:
        above = code[:6] if role == "edge" else CITY
        city.action(above, "node.admit", token=created.token)
    city.nodes[code] = NodeProcess(city.dir(code), code)
    return created.card


def _add_people(city: DemoCity, code: str) -> None:
    posts = ["administrator", "operator"]
    city.action(code, "people.add", login=LOGIN, name="演示", posts=posts, password=city.password)


def _load_district(city: DemoCity, code: str) -> None:
    """Schematic communities of a district, cut into unit grids, imported like a city's own files."""
    folder = city.root / "base-data"
    folder.mkdir(exist_ok=True)
    areas, grids = folder / f"{code}-communities.geojson", folder / f"{code}-grids.geojson"
    run_wanmi("gis", "schematic", str(areas), "--district", code, "--level", "community")
    run_wanmi("gis", "cut", str(areas), str(grids), "--begins", FIRST_DAY)
    run_wanmi("import", "grids", str(grids), "--dir", str(city.dir(code)))


def middle_of(city: DemoCity, district: str) -> tuple[float, float]:
    """(longitude, latitude) inside the community in the middle of a district's schematic area."""
    file = city.root / "base-data" / f"{district}-communities.geojson"
    features = json.loads(file.read_text(encoding="utf-8"))["features"]
    middles = [_mean(list(_points(feature["geometry"]["coordinates"]))) for feature in features]
    lon, lat = _mean(middles)
    return min(middles, key=lambda at: (at[0] - lon) ** 2 + (at[1] - lat) ** 2)


def _points(coordinates: list[Any]) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], (int, float)):
        yield coordinates[0], coordinates[1]
        return
    for part in coordinates:
        yield from _points(part)


def _mean(points: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)
