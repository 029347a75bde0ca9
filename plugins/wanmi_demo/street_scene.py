"""The demo's scene: a UPS that goes on battery brings a wall to the map at its place; what the edge's journal proves of it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from wanmi.models import EntryRow, table
from wanmi.store import Store
from wanmi_demo.city import DemoCity

WALL, SCENE = "wall-hall", "street-power"
INPUT = "DIGITAL-1"
SHOW = 'printf "%s\\n" "$0" >> "$1"; exec sleep 86400'
"""What stands for a browser: notes the page that it was opened with, and stays."""


@dataclass(frozen=True)
class DemoWall:
    """A wall's PC: the real agent, with a script for a browser."""

    name: str
    settings: Path
    pages: Path

    def shown(self) -> list[str]:
        """The pages that were opened, in order."""
        return self.pages.read_text(encoding="utf-8").splitlines() if self.pages.exists() else []


@dataclass(frozen=True)
class SceneProof:
    """Keys that the proof has more: scenes called by the outage, displays brought to them, the page at the wall."""

    scenes_called: int
    displays_shown: int
    wall_page: str

    def values(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def open_wall(city: DemoCity, edge: str, folder: Path) -> DemoWall | None:
    """Admit a wall and write its settings; None where the broker has no access rules (iotcore) and admits none."""
    if city.broker_kind(edge) != "mosquitto":
        return None
    given = city.action(edge, "wall.admit", wall=WALL)
    wall = DemoWall(WALL, folder / "wall.toml", folder / "wall.pages")
    secret = folder / "wall.password"
    secret.touch(mode=0o600)
    secret.write_text(f"{given['password']}\n", encoding="utf-8")
    browser = json.dumps(["/bin/sh", "-c", SHOW, "{url}", str(wall.pages)])
    authority = f"ca_file = {json.dumps(given['ca'])}\n" if given["ca"] else ""
    wall.settings.write_text(
        f"wall = {json.dumps(WALL)}\nbroker = {json.dumps(given['broker'])}\npassword_file = {json.dumps(str(secret))}\n"
        f"{authority}allow = [{json.dumps(map_of(city, edge))}]\nbrowser = {browser}\n",
        encoding="utf-8",
    )
    return wall


def set_scene(city: DemoCity, edge: str, ups: str, displays: Sequence[str]) -> None:
    """The UPS's power calls the displays to the map at its place."""
    page = f"{map_of(city, edge)}?lon={{lon}}&lat={{lat}}&device={{device}}"
    city.action(
        edge, "scene.set", scene=SCENE, zh="路口断电：大屏上地图", en="street power: wall to the map", displays=list(displays),
        trigger={"on": "power", "devices": [ups]}, priority=80, input=INPUT, page=page,
    )  # fmt: skip


def map_of(city: DemoCity, edge: str) -> str:
    """The address of the district's map."""
    return f"{city.nodes[edge[:6]].facts().get('web', 'http://127.0.0.1')}/map"


def tell_scene(city: DemoCity, edge: str, wall: DemoWall | None) -> str:
    """One line: which display the scene has, and what the wall shows."""
    held = city.action(edge, "scene.list")["displays"]
    states = ", ".join(f"{one['display']} {one['state']}" for one in held) or "nothing yet 尚未触发"
    pages = [] if wall is None else wall.shown()
    return f"scene 场景 {SCENE}: {states}" + (f" · wall 显示墙 {pages[-1]}" if pages else "")


def wait_shown(city: DemoCity, edge: str, seconds: float = 60.0) -> None:
    """Until every display of the scene shows it, or the time is up; the proof tells which does not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        held = city.action(edge, "scene.list")["displays"]
        if held and all(one["state"] == "shown" for one in held):
            return
        time.sleep(0.5)


def prove_scene(city: DemoCity, edge: str, wall: DemoWall | None) -> tuple[SceneProof, list[str]]:
    """What a stopped edge's journal and the wall say, and what is wrong."""
    called = [body for body in _bodies(city, edge, "scene.called") if body["scene"] == SCENE]
    shown = {body["display"] for body in _bodies(city, edge, "scene.shown") if body["state"] == "shown"}
    pages = [] if wall is None else wall.shown()
    wanted = {body["page"] for body in called}
    page = next((one for one in pages if one in wanted and "lon=1" in one), "")
    wrong = []
    if not called or not shown:
        wrong.append(f"scene {SCENE}: called {len(called)} times, shown on {len(shown)} displays")
    if wall is not None and not page:
        wrong.append(f"the wall never showed the map at the UPS's place; it showed {pages or 'nothing'}")
    return SceneProof(len(called), len(shown), page), wrong


def _bodies(city: DemoCity, edge: str, kind: str) -> list[dict[str, Any]]:
    store = Store.open_to_read(f"sqlite:///{city.dir(edge).absolute()}/journal.db")
    row = table(EntryRow).c
    try:
        with store.reader() as tx:
            found = tx.execute(select(row.body).where(row.kind == kind, row.origin == edge).order_by(row.seq)).scalars()
            return [json.loads(body) for body in found]
    finally:
        store.close()
