"""Events over a real mosquitto; and a real call: SIPp calls an operator's baresip, and the call becomes a case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

import wanmi_hotline
from plugins.hotline.desk import REPORT, Desk, desk, popup, send
from plugins.hotline.phones import BASE, SEAT, accept, broker, caller, client, program, softphone, until
from wanmi.clock import SystemClock
from wanmi.errors import BadInput, SettingsError
from wanmi.testing import running, small_node
from wanmi_hotline.baresip import translate
from wanmi_hotline.events import system_in

pytestmark = [pytest.mark.mosquitto, pytest.mark.xdist_group("telephones")]
TOPIC = "wanmi/v1/hotline/pbx/event"


def listening(tmp_path: Path, port: int, **more: Any) -> dict[str, Any]:
    """The settings of a node that hears the broker."""
    password = tmp_path / "password"
    password.write_text("secret\n")
    return {"broker": f"mqtt://node@127.0.0.1:{port}", "password_file": str(password), **more}


def counts(made: Desk) -> dict[str, Any]:
    return next(dict(line.facts) for line in made.node.health() if line.name == "hotline")


def test_events_come_by_the_topic_once(tmp_path: Path) -> None:
    with broker(tmp_path) as port, desk(tmp_path, **listening(tmp_path, port)) as made:
        operator = made.operator()
        with running(made.node), client(port) as pbx:
            until(
                lambda: any(line.name == "hotline.mqtt" and line.state == "fine" for line in made.node.health()),
                "it listens",
            )
            rings = orjson.dumps(made.event("ringing"))
            strange = orjson.dumps(made.event("ringing", "c-2", system="another"))
            for payload in (rings, b"{", strange, rings, orjson.dumps(made.event("answered", seat="8001"))):
                assert pbx.send(TOPIC, payload).result(10) in (0, 16)
            until(lambda: counts(made) == {"taken": 2, "known": 1, "refused": 2}, "all are judged")
            [call] = popup(operator)["calls"]
            assert (call["state"], call["number"]) == ("talking", "+8613940012345")


def test_a_real_call_pops_up_and_becomes_a_case(tmp_path: Path) -> None:
    """mosquitto, baresip with its MQTT module, SIPp, and a node that runs: nothing here is played."""
    with broker(tmp_path) as port, desk(tmp_path, **listening(tmp_path, port, baresip=[BASE])) as made:
        operator = made.operator(seat=SEAT)
        with (
            running(made.node),
            client(port) as key,
            softphone(tmp_path, port) as sip,
            caller(tmp_path, sip) as citizen,
        ):
            [call] = until(lambda: popup(operator)["calls"], "the pop-up")
            assert (call["state"], call["number"], call["seat"]) == ("ringing", "+8613940012345", SEAT)
            assert "+8613940012345" in operator.page("/hotline")
            accept(key)
            until(lambda: popup(operator)["calls"][0]["state"] in ("talking", "ended"), "it is answered")
            assert citizen.wait(30) == 0
            until(lambda: popup(operator)["calls"][0]["state"] == "ended", "the caller hung up")
            answer = send(operator, "POST", f"/api/v1/hotline/calls/{call['call']}/wrap-up", REPORT)
            assert answer.status_code == 200, answer.text
            [case] = until(made.cases, "the case")
        assert (case.source, case.category) == ("hotline", "0102")
        assert [len(made.entries(f"call.{kind}")) for kind in ("begun", "answered", "ended", "wrapped")] == [1, 1, 1, 1]
        raw = b"".join(stored.raw or b"" for stored in made.node.journal.read(made.node.code, 0, limit=1000))
        assert b"13940012345" not in raw


def test_the_packages_are_here() -> None:
    for name in ("baresip", "sipp", "mosquitto"):
        assert program(name)


def test_what_baresip_says_besides_is_nothing() -> None:
    said = {
        "type": "CALL_RTCP",
        "direction": "incoming",
        "id": "1",
        "accountaor": "sip:8001@127.0.0.1",
        "peeruri": "sip:1@h",
    }
    assert translate(orjson.dumps(said), 1) is None
    assert translate(orjson.dumps(said | {"type": "REGISTER_OK"}), 1) is None
    out = translate(orjson.dumps(said | {"type": "CALL_RINGING", "direction": "outgoing"}), 1)
    assert out is not None
    assert (out.event, out.direction, out.number, out.seat) == ("ringing", "out", "1", "8001")
    for bad in (b"{", b"[]", orjson.dumps(said | {"type": "CALL_CLOSED", "id": ""})):
        with pytest.raises(BadInput):
            translate(bad, 1)


@pytest.mark.parametrize(
    "topic", ["wanmi/v1/hotline//event", "wanmi/v1/hotline/a/b/event", "wanmi/v1/hotline/A/event", "x"]
)
def test_other_topics_are_no_systems(topic: str) -> None:
    assert system_in(topic) is None
    assert system_in(TOPIC) == "pbx"


@pytest.mark.parametrize(
    "settings",
    [
        {"asterisk": {"host": "10.0.0.1", "secret_file": "x"}},
        {"asterisk": {"host": "127.0.0.1"}},
        {"asterisk": {"seat": "("}},
        {"asterisk": {"seat": "PJSIP/8001"}},
        {"baresip": ["+"]},
        {"area": "024"},
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        small_node(tmp_path / "n", plugins=[wanmi_hotline], sections={"hotline": settings}, clock=SystemClock()).close()


def test_plain_mqtt_off_loopback_is_refused() -> None:
    from wanmi_hotline.listening import broker_address
    from wanmi_hotline.settings import HotlineSettings

    with pytest.raises(BadInput, match="mqtts"):
        broker_address(HotlineSettings(broker="mqtt://10.0.0.1"))
    assert broker_address(HotlineSettings(broker="mqtts://10.0.0.1")).tls
