"""A node under systemd: ready when it is, alive while it beats; a unit that systemd itself takes for good."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wanmi.node.creating import NewNode, create_node
from wanmi.node.notifying import Notifier

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "packaging/systemd/wanmi@.service"


@pytest.fixture
def systemd() -> Iterator[socket.socket]:
    """The socket that systemd listens at (its path is short, as a socket's must be)."""
    with tempfile.TemporaryDirectory() as dir, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"{dir}/notify")
        heard.settimeout(30)
        yield heard


def test_pings_come_at_half_the_time_while_it_beats_and_end_with_it(systemd: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "7"}
    notifier = Notifier.of(environ, 7)
    for beat in range(17):
        notifier.beat(beat * 0.25)
    notifier.stopping()
    notifier.reloading(4.25)
    assert [systemd.recv(200) for _ in range(4)] == [b"WATCHDOG=1"] * 3 + [b"STOPPING=1"]
    assert systemd.recv(200) == b"RELOADING=1\nMONOTONIC_USEC=4250000"


def test_a_watchdog_of_another_process_is_not_pinged(systemd: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "8"}
    assert Notifier.of(environ, 7).every == 0
    Notifier.of({}, 7).ready("nobody listens")


@pytest.mark.processes
def test_a_node_says_when_it_is_ready_pings_and_says_that_it_stops(tmp_path: Path, systemd: socket.socket) -> None:
    """The real command: READY comes with run.json, pings stop when its loop stands still (SIGSTOP)."""
    create_node(tmp_path / "node", NewNode("district", "210102", plugins=()))
    environ = {**os.environ, "NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "1000000"}
    process = subprocess.Popen([sys.executable, "-m", "wanmi.cli", "run", str(tmp_path / "node")], env=environ)
    try:
        said = systemd.recv(500).decode()
        assert said.startswith("READY=1\nSTATUS=district 210102\n")
        assert f"MAINPID={process.pid}" in said
        assert (tmp_path / "node" / "run.json").exists()
        assert [systemd.recv(200) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        empty(systemd)
        systemd.settimeout(1.5)
        with pytest.raises(TimeoutError):
            systemd.recv(200)
        process.send_signal(signal.SIGCONT)
        process.terminate()
        systemd.settimeout(30)
        while (said := systemd.recv(200).decode()) == "WATCHDOG=1":
            pass
        assert said == "STOPPING=1"
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def empty(heard: socket.socket) -> None:
    """Take what was said before."""
    heard.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while heard.recv(200):
            pass


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as an instance, with the program and the user of this machine: systemd looks whether they are there."""
    text = UNIT.read_text().replace("/opt/wanmi/bin/wanmi", sys.executable).replace("=wanmi\n", "=root\n")
    path = tmp_path / "wanmi@.service"
    path.write_text(text)
    return path


def test_systemd_takes_the_unit(unit: Path) -> None:
    named = unit.with_name("wanmi@edge.service")
    unit.rename(named)
    found = subprocess.run(["systemd-analyze", "verify", str(named)], check=False, capture_output=True, text=True)
    wrong = [line for line in found.stderr.splitlines() if "wanmi@" in line]
    assert wrong == []


def test_the_unit_is_hardened(unit: Path) -> None:
    """systemd's own judgement: 0 is closed, 10 open."""
    named = unit.with_name("wanmi@edge.service")
    unit.rename(named)
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", str(named)]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-600:] + found.stderr[-300:]
