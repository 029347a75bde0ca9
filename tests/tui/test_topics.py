"""Every topic against a whole edge: the answers of its routes fit what the screens take them for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from tui.edge_node import SCOPES
from wanmi.clock import SystemClock
from wanmi.identity import add_token
from wanmi.testing import running, small_node
from wanmi_tui import topics
from wanmi_tui.client import NodeClient
from wanmi_tui.topics import Topic
from wanmi_tui.wire_field import Fences, Scenes

FENCE = {"name": "yard", "points": [[1234300000, 417970000]], "radius_m": 120}
SCENE = {"trigger": {"on": "alarm"}, "displays": ["D0001"], "zh": "告警上墙", "en": "alarm"}
DISPLAY = {"driver": "pjlink", "name": "wall", "settings": {"host": "127.0.0.1"}}
EVERY = [one for one in vars(topics).values() if isinstance(one, Topic)]


async def ask(url: str, token: str) -> dict[str, Any]:
    client = NodeClient(url, token)
    try:
        return {one.name: await client.get(one.path, one.kind) for one in EVERY}
    finally:
        await client.close()


def test_every_topic_is_answered_by_an_edge_as_the_screens_take_it(tmp_path: Path) -> None:
    sections = {"edge.mqtt": {"kind": "iotcore"}}
    plugins = ("edge", "hardware", "federation")
    with small_node(
        tmp_path / "edge", role="edge", code="21010201", plugins=plugins, sections=sections, clock=SystemClock()
    ) as node:
        token = add_token(node, name="technician", scopes=SCOPES).secret
        with running(node, web=True) as places:
            headers = {"authorization": f"Bearer {token}"}
            with httpx.Client(base_url=f"{places['web']}/api/v1", headers=headers, trust_env=False) as person:
                assert person.post("/devices", json=DISPLAY).status_code == 201
                assert person.post("/fences", json=FENCE).status_code == 201
                assert person.put("/scenes/alarm-map", json=SCENE).status_code == 200
                assert person.post("/scenes/alarm-map/calls", json={"why": "a try"}).status_code == 200
            answers = asyncio.run(ask(places["web"], token))
    assert len(answers) == len(EVERY) > 15
    assert answers["own"].code == "21010201"
    fences, scenes = answers["fences"], answers["scenes"]
    assert isinstance(fences, Fences)
    assert isinstance(scenes, Scenes)
    assert (fences.fences[0].name, fences.fences[0].radius_m) == ("yard", 120)
    assert (scenes.scenes[0].name, scenes.scenes[0].calls[0].why) == ("alarm-map", "a try")
