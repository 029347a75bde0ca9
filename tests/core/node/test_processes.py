"""Real node processes: an orderly end, a sudden one, and a plugin that hangs."""

from __future__ import annotations

import json
import signal
import ssl
import time
import urllib.request
from pathlib import Path

import pytest

from support.live import LiveNode, environment, install_plugin, until, wanmi
from wanmi.errors import StoreError
from wanmi.node import NewNode, Node, call_action, create_node
from wanmi.plugins import read_off

pytestmark = pytest.mark.processes

HANGS = """
import asyncio, time
from wanmi.hookspecs import hookimpl

@hookimpl
def register(to):
    to.action("ask", ask, help="asks a hook that hangs")
    to.action("stall", stall, help="lets a task keep the event loop")
    to.task("stall", run)

STALL = False

def ask(node, args):
    yield {"answer": str(node.hooks.locate_point(node, 1, 1, "WGS84"))}

def stall(node, args):
    global STALL
    STALL = True
    yield {}

async def run(node):
    while not STALL:
        await asyncio.sleep(0.05)
    time.sleep(1000)

@hookimpl
def locate_point(node, lon_e7, lat_e7, datum):
    time.sleep(1000)
"""
STUBBORN = """
import asyncio
from wanmi.hookspecs import hookimpl

@hookimpl
def register(to):
    to.task("stubborn", run)

async def run(node):
    while True:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            pass
"""


def make(dir: Path, *plugins: str, web: str = "") -> Path:
    """A node whose plugins need not be known to this process: they are named afterwards."""
    create_node(dir, NewNode("district", "210102", plugins=(), web=web))
    text = (dir / "node.toml").read_text(encoding="utf-8")
    (dir / "node.toml").write_text(text.replace("plugins = []", f"plugins = {json.dumps(plugins)}"), encoding="utf-8")
    return dir


def test_sigterm_leaves_a_clean_node_in_time(tmp_path: Path) -> None:
    dir = make(tmp_path / "n")
    with LiveNode(dir) as live:
        facts = live.facts()
        with pytest.raises(StoreError, match=f"in use by process {facts['pid']}"):
            Node.open(dir)
        before = call_action(dir, "status", {})["cursors"]
        started = time.monotonic()
        assert live.end(signal.SIGTERM) == 0
        assert time.monotonic() - started < 3
    assert not (dir / "run.json").exists()
    assert not (dir / "admin.sock").exists()
    with Node.open(dir) as node:
        assert {origin: cursor.seq for origin, cursor in node.journal.cursors().items()} == before


def test_a_second_run_is_refused_in_one_line(tmp_path: Path) -> None:
    dir = make(tmp_path / "n")
    with LiveNode(dir) as live:
        pid = live.facts()["pid"]
        done = wanmi("run", dir)
        assert (done.returncode, f"in use by process {pid}" in done.stderr) == (1, True)


def test_a_start_waits_for_a_command_that_has_the_node_open(tmp_path: Path) -> None:
    """As during a restart in place, when `wanmi status` finds nobody at the socket and opens the node itself."""
    dir = make(tmp_path / "n")
    command = Node.open(dir)
    with LiveNode(dir) as live:
        until(lambda: "waits_for_command" in live.log())
        command.close()
        assert live.facts()["code"] == "210102"


def test_a_killed_node_starts_again(tmp_path: Path) -> None:
    dir = make(tmp_path / "n")
    with LiveNode(dir) as live:
        live.facts()
        live.end(signal.SIGKILL)
    assert (dir / "admin.sock").exists()
    (dir / "run.json").unlink()
    assert call_action(dir, "status", {})["code"] == "210102", "not live: opened directly, the old socket is dead"
    with LiveNode(dir) as live:
        live.facts()
        assert call_action(dir, "status", {})["code"] == "210102"


def test_a_task_that_does_not_end_holds_up_nobody(tmp_path: Path) -> None:
    site = install_plugin(tmp_path / "site", "stubborn", STUBBORN)
    dir = make(tmp_path / "n", "stubborn")
    with LiveNode(dir, environment(site)) as live:
        live.facts()
        started = time.monotonic()
        assert live.end(signal.SIGTERM) == 0
        assert time.monotonic() - started < 3.5
        assert "task_does_not_end" in live.log()
        assert "stubborn@1.2:stubborn" in live.log()


@pytest.mark.parametrize(
    ("action", "reason"), [("ask", "locate_point did not return within 1 s"), ("stall", "it kept the event loop")]
)
def test_a_plugin_that_hangs_is_turned_off_and_the_node_restarts(tmp_path: Path, action: str, reason: str) -> None:
    site = install_plugin(tmp_path / "site", "hangs", HANGS)
    dir = make(tmp_path / "n", "hangs")
    with LiveNode(dir, environment(site, WANMI_WATCH__HOOK="1", WANMI_WATCH__LOOP="1.5")) as live:
        pid = live.facts()["pid"]
        if action == "ask":
            with pytest.raises(StoreError, match="ended before it answered"):
                call_action(dir, action, {})
        else:
            call_action(dir, action, {})
        off = until(lambda: read_off(dir).get("hangs"))
        assert off is not None
        assert reason in off.reason
        until(lambda: "plugin_is_off" in live.log())
        until(lambda: live.log().count("node_runs") == 2)
        assert live.facts()["pid"] == pid, "the process was replaced in its place"
        health = {line["name"]: line for line in call_action(dir, "status", {})["health"]}
        assert health["plugin hangs"]["state"] == "bad"
        assert reason in health["plugin hangs"]["reason"]
        assert live.end(signal.SIGTERM) == 0


def test_a_node_off_loopback_speaks_https(tmp_path: Path) -> None:
    dir = make(tmp_path / "n", web="0.0.0.0:0")
    with LiveNode(dir) as live:
        port = str(live.facts()["web"]).rpartition(":")[2]
        context = ssl.create_default_context(cafile=dir / "tls" / "ca.crt")
        with urllib.request.urlopen(f"https://localhost:{port}/healthz", context=context) as answer:
            assert answer.status == 200
        with pytest.raises(OSError, match="certificate verify failed"):
            urllib.request.urlopen(f"https://localhost:{port}/healthz")
