"""A node: one process a directory, built from its settings, all of it made or nothing, health with reasons."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.live import environment, until, wanmi
from wanmi.clock import ManualClock, SystemClock
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound, SettingsError, StoreError, WanmiError
from wanmi.node import NewNode, Node, call_action, create_node, node_card, read_run_file, run_action
from wanmi.node.calling import admin_path
from wanmi.plugins import Off, read_off, record_off
from wanmi.registry import AdminResult, Health, NodeContext, Progress, Registry
from wanmi.testing import quick_plugin, react, reopen, running, small_node


def register(to: Registry) -> None:
    to.action("count", count, help="counts")
    to.action("fail", fail, help="fails")
    to.action("explode", explode, help="has a fault")
    to.action("returns", returns, help="returns its result")
    to.probe("busy", lambda node: [Health("busy", "warn", f"{node.code} is busy")])
    to.probe("broken", broken)


def count(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    for done in range(args["n"]):
        yield Progress(done, args["n"], node.code)
    yield {"counted": args["n"]}


def fail(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    yield Progress(0, 0, "")
    raise Conflict("somebody was first")


def explode(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    yield Progress(0, 0, "")
    raise KeyError("x")


def returns(node: NodeContext, args: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    yield Progress(0, 0, "")
    return {"returned": True}


def broken(node: NodeContext) -> list[Health]:
    raise ValueError("no sensor")


BUSY = quick_plugin("busy", register, version="1.2")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with small_node(tmp_path / "n", plugins=[BUSY]) as node:
        yield node


def test_the_first_entry_admits_the_node_itself(node: Node) -> None:
    first = node.journal.entry("210102", 1)
    assert first is not None
    assert first.entry is not None
    assert (first.entry.kind, first.entry.subject, first.entry.audience) == ("node.admitted", "node:210102", "*")
    assert first.entry.body["parent"] is None
    assert node.journal.key_of("210102") == node.keys.sign_public


def test_a_second_process_is_told_who_is_there(node: Node) -> None:
    with pytest.raises(StoreError, match=f"in use by process {os.getpid()}"):
        Node.open(node.dir)
    code = f"from pathlib import Path; from wanmi.node import Node; Node.open(Path({str(node.dir)!r}))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert f"in use by process {os.getpid()}" in done.stderr


def test_a_closed_node_can_be_opened_again(node: Node) -> None:
    again = reopen(node)
    assert again.journal.cursor("210102").seq == 1
    again.close()


def test_a_start_that_fails_lets_go_of_the_lock(node: Node) -> None:
    node.close()
    with pytest.raises(SettingsError, match="'busy' is not installed"):
        Node.open(node.dir)
    with Node.open(node.dir, plugins=[BUSY]) as again:
        assert again.code == "210102"


def test_a_node_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'nowhere' is not installed"):
        create_node(tmp_path / "n", NewNode("district", "210102", plugins=("nowhere",)))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "file").touch()
    with pytest.raises(Conflict, match="something is there already"):
        create_node(tmp_path / "n", NewNode("district", "210102", plugins=()))


@pytest.mark.parametrize(
    ("new", "error", "says"),
    [
        (NewNode("district", "21"), WanmiError, "21"),
        (NewNode("district", "999999"), WanmiError, "999999"),
        (NewNode("district", "210100"), BadInput, "no district"),
        (NewNode("city", "210102"), BadInput, "no city"),
        (NewNode("edge", "210102"), BadInput, "8 digits"),
        (NewNode("city", "210100", web="here"), BadInput, "HOST:PORT"),
        (NewNode("district", "210102", parent="tcp://x"), BadInput, "parent URL"),
    ],
)
def test_what_cannot_be_made_is_told(tmp_path: Path, new: NewNode, error: type[WanmiError], says: str) -> None:
    with pytest.raises(error, match=says):
        create_node(tmp_path / "n", new)
    assert not (tmp_path / "n").exists()


def test_a_child_of_the_wrong_parent_is_not_made(tmp_path: Path) -> None:
    with small_node(tmp_path / "d", sections={"link": {"listen": "tcp://127.0.0.1:7400"}}) as district:
        card = node_card(district.dir)
    with pytest.raises(NotAllowed, match="21010301 does not belong under"):
        create_node(tmp_path / "e", NewNode("edge", "21010301", parent=card, plugins=()))


def test_the_card_names_a_host_that_children_reach(tmp_path: Path) -> None:
    sections = {"link": {"listen": "tcp://0.0.0.0:7400"}}
    with small_node(tmp_path / "d", sections=sections) as node:
        assert node_card(node.dir, "node.example").startswith("tcp://node.example:7400/210102?sign=")
        assert "0.0.0.0" not in node_card(node.dir)
    with small_node(tmp_path / "f", sections={"link": {"listen": "tcp://127.0.0.1:0"}}) as node:
        assert node_card(node.dir) == "", "no port is known until it runs"
        with running(node):
            node.announce("link", "tcp://127.0.0.1:4711")
            assert node_card(node.dir).startswith("tcp://127.0.0.1:4711/210102?")


def test_actions_are_the_same_live_and_not(node: Node) -> None:
    for live in (False, True):
        progress: list[Progress] = []
        if live:
            with running(node):
                assert node.dir.joinpath("admin.sock").stat().st_mode & 0o777 == 0o600
                result = call_action(node.dir, "count", {"n": 3}, progress.append)
        else:
            *steps, last = run_action(node, "count", {"n": 3})
            progress = [step for step in steps if isinstance(step, Progress)]
            assert isinstance(last, dict)
            result = last
        assert result == {"counted": 3}
        assert progress == [Progress(done, 3, "210102") for done in range(3)]


def test_errors_are_the_same_live_and_not(node: Node) -> None:
    calls = [
        ("fail", Conflict, "somebody was first"),
        ("explode", WanmiError, r"action explode of busy@1\.2 failed: KeyError"),
    ]
    for name, error, says in [*calls, ("nothing", NotFound, "has no action nothing")]:
        with pytest.raises(error, match=says):
            list(run_action(node, name, {}))
        with running(node), pytest.raises(error, match=says):
            call_action(node.dir, name, {})


def test_a_result_may_be_returned(node: Node) -> None:
    with running(node):
        assert call_action(node.dir, "returns", {}) == {"returned": True}


def test_a_bad_request_is_answered(node: Node) -> None:
    import socket

    with running(node):
        for line in (b"nonsense\n", b"[]\n", b"{}\n", b"\n"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(admin_path(node.dir)))
                connection.sendall(line)
                assert b'"BadInput"' in connection.makefile("rb").readline()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    long = tmp_path / ("d" * 60) / ("e" * 60)
    long.parent.mkdir(parents=True)
    with small_node(long, plugins=[BUSY]) as node:
        with running(node):
            path = admin_path(node.dir)
            assert len(str(path)) <= 100
            assert path.parent.stat().st_mode & 0o777 == 0o700
            assert call_action(node.dir, "count", {"n": 0}) == {"counted": 0}
        assert not path.parent.exists()
        assert not (long / "admin.path").exists()


def test_run_json_is_there_while_the_node_runs(node: Node) -> None:
    with running(node):
        node.announce("link", "tcp://127.0.0.1:1")
        facts = read_run_file(node.dir)
        assert (facts["pid"], facts["code"], facts["link"]) == (os.getpid(), "210102", "tcp://127.0.0.1:1")
    assert read_run_file(node.dir) == {}


def test_health_has_every_probe_and_fences_a_broken_one(node: Node) -> None:
    lines = {line.name: line for line in node.health()}
    assert {"node", "journal", "writer", "disk"} <= set(lines)
    assert (lines["busy"].state, lines["busy"].reason) == ("warn", "210102 is busy")
    assert (lines["broken"].state, lines["broken"].reason) == ("bad", "its probe failed: ValueError: no sensor")
    assert lines["journal"].facts["head"] == 1
    with running(node):
        assert {line.name for line in node.health()} >= {"tasks"}


def test_a_held_journal_is_bad_health(node: Node) -> None:
    node.journal.hold("its tail is on its way back")
    (line,) = [line for line in node.health() if line.name == "journal"]
    assert (line.state, line.reason) == ("bad", "writes nothing now: its tail is on its way back")


def test_a_plugin_that_is_off_is_left_out_and_told(node: Node) -> None:
    record_off(node.dir, Off("busy", "2026-11-24T08:00:00.000000Z", "locate_point did not return"))
    again = reopen(node)
    assert "count" not in again.registry.actions
    (line,) = [line for line in again.health() if line.name == "plugin busy"]
    assert line.state == "bad"
    assert "locate_point did not return" in line.reason
    assert list(run_action(again, "node.plugin_on", {"plugin": "busy"})) == [{"plugin": "busy"}]
    last = reopen(again)
    assert "count" in last.registry.actions
    last.close()


def test_people_and_tokens_are_actions(node: Node) -> None:
    def act(action: str, **args: object) -> Any:
        *_, result = run_action(node, action, args)
        return result

    person = act("people.add", login="zhang", name="张", posts=["operator"], password="a long password")
    assert act("people.list")["people"] == [person]
    with pytest.raises(BadInput, match="argument posts"):
        act("people.add", login="li", name="李", posts="operator", password="a long password")
    act("people.active", login="zhang", active=False)
    assert act("people.list")["people"][0]["active"] is False
    made = act("token.add", name="cron", scopes=["read"], lifetime=60)
    assert made["secret"].startswith("wanmi_t")
    with pytest.raises(BadInput, match="lifetime"):
        act("token.add", name="cron", scopes=["read"], lifetime=-1)
    act("token.revoke", id=made["id"])
    (token,) = act("token.list")["tokens"]
    assert token["revoked_at"] is not None
    assert made["secret"] not in str(token)


def test_replay_is_an_action(node: Node) -> None:
    *_, result = run_action(node, "replay.check", {})
    assert result == {"entries": 1, "differences": []}
    from sqlalchemy import update

    from wanmi.models import NodeRow, table

    node.store.write(lambda tx: tx.execute(update(table(NodeRow)).values(name="forged"))).result()
    *_, result = run_action(node, "replay.check", {})
    assert isinstance(result, dict)
    assert len(result["differences"]) == 1


def test_the_clock_is_the_nodes_own(node: Node) -> None:
    assert isinstance(node.clock, ManualClock)
    first = node.journal.entry("210102", 1)
    assert first is not None
    assert first.received_at == node.clock.now()


def test_init_help_names_no_plugin_code() -> None:
    assert "--parent" in wanmi("init", "--help").stdout


def test_a_reactor_under_way_is_seen_by_the_watchdog(tmp_path: Path) -> None:
    clock = ManualClock()
    seen: list[str] = []

    def decide(node: Any, batch: Any) -> Iterator[Any]:
        clock.advance(1000 * 1_000_000)
        seen.extend(f"{call.plugin} {call.what}" for call in node.watch.overdue())
        yield from ()

    def register(to: Registry) -> None:
        to.reactor("slow.look", kinds=("node.admitted",), decide=decide)

    with small_node(tmp_path / "n", plugins=[quick_plugin("slow", register)], clock=clock) as node:
        react(node)
        assert seen == ["slow reactor slow.look"]
        assert node.watch.overdue() == []


def test_without_a_restart_a_hang_stops_the_node(tmp_path: Path) -> None:
    """In a program of one's own nobody may replace the process: the run ends and says why."""
    free = threading.Event()

    def locate_point() -> None:
        free.wait(30)

    sections = {"watch": {"hook": 0.3}}
    with small_node(
        tmp_path / "n", plugins=[quick_plugin("stuck", locate_point)], sections=sections, clock=SystemClock()
    ) as node:
        asking = threading.Thread(target=lambda: node.hooks.locate_point(node, 0, 0, "WGS84"))
        asking.start()
        with pytest.raises(StoreError, match="plugin stuck hangs: locate_point did not return"), running(node):
            until(lambda: not (node.dir / "run.json").exists())
        free.set()
        asking.join()
        assert read_off(node.dir)["stuck"].reason == "locate_point did not return within 0.3 s"
