"""`wanmi terminal tasks`, `answer` and `run --answer-tasks --track` against a real edge."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import wanmi_terminal
from edge.errands import sent, withdrawn
from edge.street import District, RunningEdge, Street, make_edge_dir, open_edge, running, until
from wanmi.ids import SystemIds
from wanmi.kinds import TerminalAdmitted
from wanmi.registry import Draft
from wanmi.reports import read_card
from wanmi_edge.rows import SeenRow, TrackBatchRow
from wanmi_terminal.cli import app
from wanmi_terminal.home import Home, init_home

pytestmark = pytest.mark.mosquitto
GPX = Path(wanmi_terminal.__file__).parent / "samples" / "mojstrovka.gpx"


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[RunningEdge]:
    district = District(tmp_path / "district")
    with running(open_edge(make_edge_dir(tmp_path / "node", district)), district) as edge:
        yield edge


@pytest.fixture
def home(edge: RunningEdge, tmp_path: Path) -> Home:
    keys = (edge.district.keys.sign_public.hex(),)
    home = init_home(tmp_path / "terminal", "T210102-0005", SystemIds(), (edge.broker["url"],), district_keys=keys)
    card = read_card(home.card())
    body = TerminalAdmitted(card.terminal, card.public_key, card.broker_verifier, None)
    edge.district.tell(edge.node, Draft("terminal.admitted", f"terminal:{card.terminal}", body))
    until(lambda: home.terminal in (edge.node.dir / "broker" / "passwords").read_text(), "the broker is told")
    return home


def call(*arguments: object, code: int = 0) -> Result:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def inbox(home: Home) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call("tasks", home.dir, "--json").stdout)
    return found


def countersigning(edge: RunningEdge, done: threading.Event) -> threading.Thread:
    """A district that countersigns what it gets, until ``done``."""

    def work() -> None:
        while not done.wait(0.1):
            edge.district.countersign(edge.node)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.fixture
def awake(edge: RunningEdge) -> Iterator[None]:
    edge.district.hold(edge.node)
    done = threading.Event()
    thread = countersigning(edge, done)
    yield
    done.set()
    thread.join()


def receive(edge: RunningEdge, home: Home, *task_ids: str) -> None:
    """Tasks are sent, and a short run brings them."""
    edge.district.tell(edge.node, *[sent(Street(home.terminal, home.key), task_id) for task_id in task_ids])
    call("run", home.dir, "--gpx", GPX, "--shift-to", "123.433,41.79", "--reports", 3, "--every", 0.2)
    until(lambda: len(edge.rows(SeenRow)) == len(task_ids), "the tasks were seen")


@pytest.mark.usefixtures("awake")
def test_tasks_are_listed_and_answered(edge: RunningEdge, home: Home) -> None:
    assert "没有任务" in call("tasks", home.dir).stdout
    receive(edge, home, "task-list-1", "task-list-2")
    assert [(one["task_id"], one["state"]) for one in inbox(home)] == [("task-list-1", "open"), ("task-list-2", "open")]
    shown = call("tasks", home.dir, "--lang", "en").stdout
    assert "task-list-1" in shown
    assert "check" in shown
    place = ["--lon", "123.433", "--lat", "41.79"]
    call("answer", home.dir, "task-list-1", "no", *place, "--text", "还没有", "--wait", 20)
    (entry,) = edge.entries("task.answered")
    assert (entry.body["task_id"], entry.body["result"]) == ("task-list-1", "no")
    assert inbox(home)[0]["state"] == "answered"
    assert "is answered" in call("answer", home.dir, "task-list-1", "yes", *place, code=1).output
    assert "one of yes, no, unclear" in call("answer", home.dir, "task-list-2", "perhaps", *place, code=1).output
    assert "not in this terminal's inbox" in call("answer", home.dir, "task-list-9", "yes", *place, code=1).output


@pytest.mark.usefixtures("awake")
def test_a_walker_answers_by_himself_and_sends_where_he_is(edge: RunningEdge, home: Home) -> None:
    street = Street(home.terminal, home.key)
    edge.district.tell(edge.node, *[sent(street, f"task-auto-{n}") for n in range(3)])
    walk = ["run", home.dir, "--gpx", GPX, "--shift-to", "123.433,41.79", "--reports", 20, "--every", 0.1]
    call(*walk, "--answer-tasks", "yes", "--track", "--wait", 30)
    assert sorted(e.body["task_id"] for e in edge.entries("task.answered")) == [f"task-auto-{n}" for n in range(3)]
    assert {e.body["result"] for e in edge.entries("task.answered")} == {"yes"}
    assert [len(e.body["attachments"]) for e in edge.entries("task.answered")] == [1, 1, 1]
    until(lambda: sum(row.fixes for row in edge.rows(TrackBatchRow)) == 20, "two batches of ten positions")
    assert "yes, no or ignore" in call(*walk, "--answer-tasks", "maybe", code=1).output


@pytest.mark.usefixtures("awake")
def test_a_withdrawn_task_is_shown_as_such(edge: RunningEdge, home: Home) -> None:
    receive(edge, home, "task-gone-1")
    edge.district.tell(edge.node, withdrawn("task-gone-1"))
    call("run", home.dir, "--gpx", GPX, "--shift-to", "123.433,41.79", "--reports", 3, "--every", 0.2)
    assert [one["state"] for one in inbox(home)] == ["withdrawn"]
    assert "已撤回" in call("tasks", home.dir).stdout
