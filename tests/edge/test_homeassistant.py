"""Home Assistant's side of the broker: discovery, states, and who is offline, heard by a client of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.devices.line_device import lines_plugin
from edge.street import EDGE, PLUGIN, District, make_edge_dir, running, until
from wanmi.devices import Reading, Sample
from wanmi.mqtt import MqttClient, Session
from wanmi.node.node import Node
from wanmi_edge.devices.book import Wanted
from wanmi_edge.devices.devices import Devices

pytestmark = pytest.mark.mosquitto


def test_devices_are_found_with_their_readings_and_go_offline_with_the_edge(tmp_path: Path) -> None:
    district = District(tmp_path / "district")
    dir = make_edge_dir(tmp_path / "edge", district, **{"edge.homeassistant": {"enabled": True, "every": 0.1}})
    toml = dir / "node.toml"
    toml.write_text(toml.read_text().replace('plugins = ["edge"]', 'plugins = ["edge", "lines"]'))
    heard: dict[str, bytes] = {}
    with running(Node.open(dir, plugins=[PLUGIN, lines_plugin()]), district) as edge:
        own: Any = edge.node.registry.probes["edge"].read.args[0]  # type: ignore[attr-defined]
        client = MqttClient(replace(own.address), Session("home", ("homeassistant/#", f"wanmi/ha/{EDGE}/#")))
        client.start()

        def hear() -> dict[str, bytes]:
            for message in client.take(1000, 0.02):
                heard[message.topic] = message.payload
                message.ack()
            return heard

        available = f"wanmi/ha/{EDGE}/available"
        until(lambda: hear().get(available) == b"online", "the edge is there")
        devices: Devices = edge.node.registry.probes["devices"].read.args[0]  # type: ignore[attr-defined]
        assert devices.book is not None
        device = devices.book.add(Wanted("lines", "站房 UPS", {"port": "1"}), None)
        config = f"homeassistant/binary_sensor/wanmi_{EDGE}_{device.id}_problem/config"
        until(lambda: config in hear(), "the device is found")
        told = json.loads(heard[config])
        assert (told["availability_topic"], told["device"]["name"]) == (available, "站房 UPS")
        until(lambda: hear().get(told["state_topic"]) == b"OFF", "no alarm")
        post = until(lambda: devices.board.get(device.id), "it runs")
        post.put(Sample((Reading("load", 20.0, "20"),)), edge.node.clock.now())
        sensor = f"homeassistant/sensor/wanmi_{EDGE}_{device.id}_load/config"
        until(lambda: sensor in hear(), "its reading is found")
        state = json.loads(heard[sensor])["state_topic"]
        until(lambda: hear().get(state) == b"20.0", "with its value")
        devices.book.remove(device.id, "gone", None)
        until(lambda: hear()[config] == b"", "what is gone is taken away")
        own._address = None  # the broker moves: the connection is closed in order
        until(lambda: hear()[available] == b"offline", "nobody tells states any more")
        client.stop()
