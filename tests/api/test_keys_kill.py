"""SIGKILL between the effect of a request and its answer: sent again with its key, it is never done a second time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

import wanmi_messenger
from plugins.messenger.nodes import act
from support.live import ROOT, environment, until
from wanmi.clock import SystemClock
from wanmi.identity import add_person, add_token
from wanmi.identity.locks import list_locks, lock_person
from wanmi.node import Node
from wanmi.plugins import Plugin
from wanmi.testing import small_node

pytestmark = pytest.mark.processes
SCOPES = ["messages:write", "messages:read", "admin"]
PLUGIN = Plugin("messenger", "0", wanmi_messenger)
NOBODY = {"url": "http://127.0.0.1:9/", "secret_file": "keys/archive"}


@dataclass(frozen=True)
class Made:
    """A node on the disk, a token for it, and a message that nobody takes."""

    dir: Path
    token: str
    message: str


@pytest.fixture
def made(tmp_path: Path) -> Made:
    sections = {"messenger": {"first_delay": 3600}, "messenger.webhooks.archive": NOBODY}
    with small_node(tmp_path / "n", plugins=[wanmi_messenger], clock=SystemClock(), sections=sections) as node:
        act(node, "message.rotate", name="archive")
        message = act(node, "message.test", channel="webhook", address="archive")["id"]
        add_person(node, login="li", name="Li", posts=["operator"], password="a long enough secret")
        lock_person(node, "li", 3600)
        return Made(node.dir, add_token(node, name="office", scopes=SCOPES).secret, message)


@contextmanager
def served(made: Made, fault: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """The node in a process of its own, with its fault."""
    (made.dir / "run.json").unlink(missing_ok=True)
    running = subprocess.Popen(
        [sys.executable, "-m", "api.dying_node", str(made.dir), fault], env=environment(ROOT / "tests")
    )
    try:
        until(lambda: (made.dir / "run.json").exists() or running.poll() is not None)
        url = json.loads((made.dir / "run.json").read_text())["web"]
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {made.token}"}, timeout=20) as client:
            yield client, running
    finally:
        if running.poll() is None:
            os.kill(running.pid, signal.SIGKILL)
        running.wait()


def ask(client: httpx.Client, path: str, key: str) -> httpx.Response:
    return client.post(f"/api/v1{path}", headers={"idempotency-key": key})


def handled(made: Made) -> int:
    with Node.open(made.dir, plugins=[PLUGIN]) as node:
        found = [one.entry for one in node.journal.read(node.code, 0)]
    return sum(entry is not None and entry.kind == "message.handled" for entry in found)


def test_an_entry_and_its_answer_are_one(made: Made) -> None:
    with served(made, "entry") as (client, running):
        until(lambda: client.get(f"/api/v1/messages/{made.message}").json()["state"] == "failed")
        with pytest.raises(httpx.TransportError):
            ask(client, f"/messages/{made.message}/resend", "k1")
        assert running.wait(10) == -signal.SIGKILL
    assert handled(made) == 1
    with served(made, "none") as (client, _):
        again = ask(client, f"/messages/{made.message}/resend", "k1")
        assert (again.status_code, again.json()) == (200, {"id": made.message})
        assert again.headers["idempotent-replayed"] == "true"
    assert handled(made) == 1


def test_what_is_not_known_is_said_and_not_done_again(made: Made) -> None:
    with served(made, "local") as (client, running):
        with pytest.raises(httpx.TransportError):
            ask(client, "/people/li/release", "k2")
        assert running.wait(10) == -signal.SIGKILL
    with Node.open(made.dir, plugins=[PLUGIN]) as node:
        assert list_locks(node) == []
        lock_person(node, "li", 3600)
    with served(made, "none") as (client, _):
        for _ in range(2):
            again = ask(client, "/people/li/release", "k2")
            assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
            told = again.json()
            assert (told["outcome"], told["look_at"]) == ("unknown", "/api/v1/people")
            assert "may have been done or not" in told["detail"]
            assert "retry-after" not in again.headers
        assert [one["login"] for one in client.get("/api/v1/people/locks").json()] == ["li"], "not done again"
        assert ask(client, "/people/li/release", "k3").status_code == 204
        assert client.get("/api/v1/people/locks").json() == []
