"""The edge's broker as it lives: killed, deaf, over TLS, external, iotcore."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
from pathlib import Path

import pytest

from edge.street import (
    EDGE,
    District,
    Line,
    RunningEdge,
    Street,
    make_edge_dir,
    open_edge,
    running,
    until,
)
from wanmi.reports import digest_of
from wanmi_edge.broker import is_running

pytestmark = pytest.mark.mosquitto


def keeps_a_report(edge: RunningEdge, line: Line) -> None:
    """The intake listens, and the next report is kept."""
    report, message = line.street.signed()
    until(lambda: edge.client().connected, "the intake listens")
    line.send(message)
    assert line.receipt(report.report_id).status == "kept"


def test_a_killed_broker_stands_again_on_the_same_port(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    with running(open_edge(make_edge_dir(tmp_path / "edge", district)), district) as edge:
        edge.admit(street)
        before = edge.broker
        with Line(street, before) as line:
            keeps_a_report(edge, line.connect())
            os.kill(before["pid"], signal.SIGKILL)
            until(lambda: not line.client.connected, "noticed by the terminal")
            until(lambda: edge.health("edge.broker").state == "bad", "noticed by the edge")
            line.connect()
            keeps_a_report(edge, line)
            assert edge.broker["url"] == before["url"]
            assert edge.broker["pid"] != before["pid"]
    assert not is_running(before["pid"])


def test_a_deaf_broker_is_found_and_started_again(tmp_path: Path) -> None:
    district = District(tmp_path / "district")
    probing = {"edge.mqtt": {"probe_every": 0.2, "probe_timeout": 0.3}}
    with running(open_edge(make_edge_dir(tmp_path / "edge", district, **probing)), district) as edge:
        until(lambda: "returns" in edge.health("edge.broker").reason, "the probe hears itself")
        pid = edge.broker["pid"]
        os.kill(pid, signal.SIGSTOP)
        until(lambda: "deaf" in edge.health("edge.broker").reason, "the probe finds it deaf")
        os.kill(pid, signal.SIGCONT)
        until(lambda: edge.health("edge.broker").state == "fine", "heals")


def test_the_broker_ends_with_the_edge(tmp_path: Path) -> None:
    district = District(tmp_path / "district")
    with running(open_edge(make_edge_dir(tmp_path / "edge", district)), district) as edge:
        pid = edge.broker["pid"]
        assert is_running(pid)
    assert not is_running(pid)
    assert not (tmp_path / "edge" / "broker" / "address.json").exists()


def test_off_loopback_the_listener_speaks_tls_with_the_nodes_own_ca(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district, **{"edge.mqtt": {"listen": "0.0.0.0"}})
    with running(open_edge(dir), district) as edge:
        edge.admit(street)
        broker = edge.broker
        assert broker["url"].startswith(f"mqtts://{socket.gethostname()}:")
        port = int(broker["url"].rpartition(":")[2])
        with Line(street, {**broker, "url": f"mqtts://127.0.0.1:{port}"}) as line:
            keeps_a_report(edge, line.connect())
        context = ssl.create_default_context(cafile=broker["ca"])
        with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(plain, server_hostname="another.example")
        with Line(street, {"url": f"mqtt://127.0.0.1:{port}"}) as line:
            assert not line.client.wait_connected(0.5)


def test_admissions_and_their_end_reach_a_running_broker(tmp_path: Path) -> None:
    district = District(tmp_path / "district")
    with running(open_edge(make_edge_dir(tmp_path / "edge", district)), district) as edge:
        streets = [Street(f"T210102-{n:04d}") for n in range(1, 4)]
        edge.admit(*streets)
        pid = edge.broker["pid"]
        for street in streets:
            with Line(street, edge.broker) as line:
                keeps_a_report(edge, line.connect())
        with Line(streets[0], edge.broker, password="another password") as wrong:
            until(lambda: "refused" in wrong.client.last_error, "a wrong password")
        assert edge.broker["pid"] == pid
        assert edge.health("edge.broker").facts["terminals"] == 3


def test_without_mosquitto_iotcore_serves_this_machine(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district, **{"edge.mqtt": {"kind": "iotcore"}})
    with running(open_edge(dir), district) as edge:
        edge.admit(street)
        users = dir / "broker" / "local_users.json"
        users.write_text(json.dumps({street.id: street.password}))
        with Line(street, edge.broker) as line:
            keeps_a_report(edge, line.connect())
            photo = bytes(range(256)) * 2000
            report, message = street.with_photo(photo)
            line.send(message)
            want = line.receipt(report.report_id)
            assert want.want == (digest_of(photo),)
            line.send_photo(photo)
            assert line.receipt(report.report_id, 2).status == "kept"
        with Line(street, edge.broker, password="wrong") as wrong:
            assert not wrong.client.wait_connected(0.5)
        assert edge.broker["kind"] == "iotcore"
        assert EDGE not in users.read_text()
