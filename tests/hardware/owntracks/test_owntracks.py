"""OwnTracks: messages, nonsense, and a real mosquitto with the access rules of the docs."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wanmi.clock import SystemClock
from wanmi.devices import Place, Sample
from wanmi.errors import DeviceGarbled, DeviceUnreachable
from wanmi.mqtt import MqttClient, Session, read_address
from wanmi_hardware.owntracks.driver import OwnTracksSettings, connect
from wanmi_hardware.owntracks.reading import read_message

NOW = 1_720_000_000_000_000
"""In 2024: before whatever the machine says that it is now."""
TOPIC = "owntracks/wang/phone"


def said(**more: Any) -> bytes:
    told = {"_type": "location", "lat": 41.79677, "lon": 123.4293041, "tst": NOW // 1_000_000, "acc": 12, "batt": 77}
    return json.dumps({**told, "tid": "wa", "conn": "m", **more}).encode()


def test_a_position() -> None:
    sample = read_message(TOPIC, said(vel=36, cog=90, alt=50), NOW)
    assert sample is not None
    (fix,) = sample.fixes
    assert (sample.part, fix.state, fix.made_at) == ("wang/phone", "valid", NOW)
    assert (fix.lon_e7, fix.lat_e7, fix.speed_cm_s, fix.course_cdeg) == (1_234_293_041, 417_967_700, 1000, 9000)
    assert {one.name: one.value for one in sample.readings} == {"accuracy": 12.0, "battery": 77.0}


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"lat": 0, "lon": 0}, "implausible"), ({"tst": NOW // 1_000_000 + 3600}, "implausible"),
        ({"acc": 3000}, "implausible"), ({"tst": NOW // 1_000_000 - 86_400}, "valid"),
    ],
)  # fmt: skip
def test_what_a_position_is_worth(more: dict[str, Any], state: str) -> None:
    sample = read_message(TOPIC, said(**more), NOW)
    assert sample is not None
    assert sample.fixes[0].state == state
    assert (sample.fixes[0].lon_e7, sample.fixes[0].lat_e7) != (0, 0)


def test_other_kinds_say_no_place_and_wrong_ones_are_garbled() -> None:
    for kind in ("lwt", "status", "waypoint", "transition", "card", "encrypted"):
        assert read_message(TOPIC, json.dumps({"_type": kind}).encode(), NOW) is None
    for topic, payload in (
        (TOPIC, b""), (TOPIC, b"{"), (TOPIC, said(lat=91)), (TOPIC, said(lon="x")), (TOPIC, said(tst=-1)),
        ("owntracks/a/b/event", said()), ("owntracks/a", said()), (f"owntracks/{'u' * 30}/{'d' * 30}", said()),
    ):  # fmt: skip
        with pytest.raises(DeviceGarbled):
            read_message(topic, payload, NOW)


@given(
    st.one_of(st.just(TOPIC), st.text(max_size=60)),
    st.one_of(
        st.binary(max_size=200),
        st.dictionaries(
            st.sampled_from(["_type", "lat", "lon", "tst", "acc", "alt", "vel", "cog", "batt"]),
            st.one_of(st.just("location"), st.floats(), st.integers(), st.none(), st.text(max_size=5)),
        ).map(lambda one: json.dumps({"_type": "location", **one}).encode()),
    ),
)
def test_nonsense_is_garbled_and_nothing_else(topic: str, payload: bytes) -> None:
    with suppress(DeviceGarbled):
        sample = read_message(topic, payload, NOW)
        assert sample is None or (sample.fixes[0].lon_e7, sample.fixes[0].lat_e7) != (0, 0)


def test_a_password_does_not_go_into_the_address() -> None:
    with pytest.raises(ValidationError, match="a setting of its own"):
        OwnTracksSettings(url="mqtt://a:b@broker")
    with pytest.raises(ValidationError, match="write mqtt"):
        OwnTracksSettings(url="broker")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """mosquitto with the rules that docs/devices/vehicles.md tells."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    acl = "user edge\ntopic read owntracks/+/+\n\npattern write owntracks/%u/+\n"
    (tmp_path / "acl").write_text(acl)
    (tmp_path / "passwords").write_text("edge:edge-word\nwang:wang-word\n")
    subprocess.run(["mosquitto_passwd", "-U", str(tmp_path / "passwords")], check=True, capture_output=True)
    (tmp_path / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {tmp_path}/passwords\n"
        f"acl_file {tmp_path}/acl\nuser root\n"
    )
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    running = subprocess.Popen([program, "-c", str(tmp_path / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the broker did not come up")


def place_of(tmp_path: Path) -> Place:
    return Place(SystemClock(), tmp_path / "D0001", lambda _key, make: make())


@pytest.mark.mosquitto
def test_through_a_broker_with_its_rules(tmp_path: Path, broker: str) -> None:
    phone = MqttClient(read_address(broker).login("wang", "wang-word"), Session("phone", expiry=0))
    phone.start()

    async def play() -> list[Sample]:
        settings = OwnTracksSettings.model_validate({"url": broker, "user": "edge", "password": "edge-word"})
        async with connect(place_of(tmp_path), settings) as session:
            assert phone.wait_connected(5)
            assert phone.send("owntracks/li/phone", said()).result(5) == 135, "nobody publishes as somebody else"
            for payload in (b"{garbage", said(), said(lat=0, lon=0)):
                phone.send(TOPIC, payload).result(5)
            samples = session.samples()
            assert isinstance(samples, AsyncGenerator)
            async with aclosing(samples):
                return [await asyncio.wait_for(anext(samples), 5) for _ in range(3)]

    try:
        own, good, doubtful = asyncio.run(play())
    finally:
        phone.stop()
    assert own.part == ""
    assert (good.part, good.fixes[0].state) == ("wang/phone", "valid"), "an old position is kept, not doubted"
    assert doubtful.fixes[0].lon_e7 is None


@pytest.mark.mosquitto
def test_a_wrong_password_is_told(tmp_path: Path, broker: str) -> None:
    async def play() -> None:
        settings = OwnTracksSettings.model_validate({"url": broker, "user": "edge", "password": "wrong"})
        with pytest.raises(DeviceUnreachable, match="look at address, user and password"):
            async with connect(place_of(tmp_path), settings):
                pass

    asyncio.run(play())
