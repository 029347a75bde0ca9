"""SIGKILL in the middle of a try: it is made again, with the same id, and nothing was called sent before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import wanmi_messenger
from plugins.messenger import servers
from plugins.messenger.nodes import ADDRESSES, SMTP, act, messages, open_case
from plugins.messenger.servers import http_server, raw_smtp
from support.live import ROOT, environment, until
from wanmi.clock import SystemClock
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.store import Store
from wanmi.testing import react, small_node
from wanmi_messenger.outbox import Message

ALWAYS = "person,post,unit,from,to\np-li,operator,,,\np-wang,operator,,,\narchive,operator,,,\n"
PLUGIN = Plugin("messenger", "0", wanmi_messenger)


def make(dir: Path, sections: dict[str, dict[str, object]]) -> Path:
    """A node whose time runs, with one new case that is decided and not sent."""
    with small_node(
        dir / "node",
        plugins=[wanmi_messenger],
        clock=SystemClock(),
        sections={"messenger": {"first_delay": 1}, **sections},
    ) as node:
        act(node, "message.addresses", text=ADDRESSES)
        act(node, "message.roster", text=ALWAYS)
        if "messenger.webhooks.archive" in sections:
            act(node, "message.rotate", name="archive")
        open_case(node)
        react(node)
        assert {one.state for one in messages(node)} == {"queued"}
        return node.dir


@contextmanager
def process(dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The node, sending."""
    with (dir / "stderr.txt").open("ab") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "plugins.messenger.sending_process", str(dir)],
            env=environment(ROOT / "tests"), stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield running
        finally:
            if running.poll() is None:
                os.kill(running.pid, signal.SIGKILL)
            running.wait()


def outbox_of(dir: Path) -> list[Message]:
    """The outbox as it is on the disk, read beside whoever writes it."""

    class Disk:
        store = Store.open_to_read(f"sqlite:///{(dir / 'journal.db').absolute()}")

    try:
        return messages(Disk)
    finally:
        Disk.store.close()


def all_are(dir: Path, state: str) -> Callable[[], bool]:
    return lambda: {one.state for one in outbox_of(dir)} == {state}


def test_killed_while_the_webhook_is_asked(tmp_path: Path) -> None:
    with http_server() as (endpoint, url):
        dir = make(tmp_path, {"messenger.webhooks.archive": {"url": url, "secret_file": "keys/archive"}})
        endpoint.gate.clear()
        with process(dir):
            until(lambda: endpoint.asked)
        (left,) = outbox_of(dir)
        assert (left.state, left.tries) == ("sending", 1)
        endpoint.gate.set()
        with process(dir):
            until(all_are(dir, "sent"))
        (sent,) = outbox_of(dir)
        assert sent.id == left.id
        assert {one.headers["webhook-id"] for one in endpoint.asked} == {left.id}
        assert len({one.body for one in endpoint.asked}) == 1
        assert len(endpoint.asked) == 2


def test_killed_between_the_servers_word_and_ours(tmp_path: Path) -> None:
    """The server has the mail, the node never heard: at least once, with one Message-ID."""

    def keep_silent(connection: object) -> None:
        until(lambda: silent.poll() is not None)

    with raw_smtp(keep_silent) as (server, port):
        dir = make(tmp_path, {"messenger.smtp": {**SMTP, "port": port}})
        with process(dir) as silent:
            until(lambda: server.bodies)
        assert sorted(one.state for one in outbox_of(dir)) == ["queued", "sending"]
        with process(dir) as running:
            until(all_are(dir, "sent"))
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 0
    ids = [message_from_bytes(body)["message-id"] for body in server.bodies]
    assert (len(ids), len(set(ids))) == (3, 2)


def test_an_orderly_stop_leaves_nothing_half_sent(tmp_path: Path) -> None:
    with http_server() as (endpoint, url):
        dir = make(tmp_path, {"messenger.webhooks.archive": {"url": url, "secret_file": "keys/archive"}})
        endpoint.gate.clear()
        with process(dir) as running:
            until(lambda: endpoint.asked)
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 0
        (left,) = outbox_of(dir)
        assert (left.state, left.code) == ("failed", "interrupted")
        with Node.open(dir, plugins=[PLUGIN]) as node:
            assert act(node, "message.list", state="failed")["messages"][0]["id"] == left.id


def test_the_reactors_of_a_running_node_send(tmp_path: Path) -> None:
    """From a decision that only begins in the process, to the peer."""
    with raw_smtp(servers.accept) as (server, port):
        dir = make(tmp_path, {"messenger.smtp": {**SMTP, "port": port}})
        with Node.open(dir, plugins=[PLUGIN]) as node:
            open_case(node, 8)
        with process(dir):
            until(lambda: len(server.bodies) == 4)
            until(all_are(dir, "sent"))
