"""SIGKILL of real edge processes while answers flow, and while a task waits for its terminal."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from edge.errands import answered, sent
from edge.street import EDGE, District, Line, Street, make_edge_dir, open_edge, until
from edge.test_faults import admit_before, edge_process
from wanmi.coords import Point
from wanmi.ids import SystemIds
from wanmi.kinds import TerminalAdmitted
from wanmi.registry import Draft
from wanmi.reports import answer_topic, read_card
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.home import init_home
from wanmi_terminal.maker import AnswerDraft, Place

pytestmark = [pytest.mark.mosquitto, pytest.mark.processes]
TASKS = 300


def verified_answers(dir: Path, district: District) -> Counter[str]:
    """How often each task has an answer, in a chain that the district verifies."""
    with open_edge(dir) as node:
        district.hold(node)
        stored = district.journal.read(EDGE, 0, 100_000, 10**9)
    return Counter(one.entry.body["task_id"] for one in stored if one.entry and one.entry.kind == "task.answered")


def send_open(line: Line, open_: dict[str, bytes]) -> None:
    for message in list(open_.values())[:100]:
        line.client.publish(answer_topic(line.street.id), message)
    heard = -1
    while heard != len(line.receipts):
        heard = len(line.receipts)
        line.hear()
    for receipt in line.receipts:
        assert receipt.status == "kept"
        open_.pop(receipt.report_id or "", None)


def test_sigkill_while_answers_flow_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """The terminal repeats what has no receipt; the broker dies with the edge."""
    lot = random.Random(20261125)
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district)
    admit_before(dir, district, street)
    ids = [f"task-{n:05d}" for n in range(TASKS)]
    with open_edge(dir) as node:
        district.tell(node, *[sent(street, task_id) for task_id in ids])
    open_ = {answer.report_id: message for answer, message in (answered(street, task_id) for task_id in ids)}
    with edge_process(dir) as edge:
        for round_ in range(4):
            with Line(street, edge.broker()) as line:
                line.connect()
                deadline = time.monotonic() + (lot.uniform(0.05, 0.3) if round_ < 3 else 40)
                while open_ and time.monotonic() < deadline:
                    send_open(line, open_)
            if round_ < 3:
                edge.kill()
                edge.start()
        assert not open_, f"{len(open_)} answers have no receipt"
        edge.stop()
    counted = verified_answers(dir, district)
    assert set(counted) == set(ids)
    assert set(counted.values()) == {1}


def test_a_task_survives_the_edges_death_and_its_terminals_absence(tmp_path: Path) -> None:
    """Sent while the terminal is away, edge and broker killed twice; the terminal comes, answers, is killed over, is safe."""
    district = District(tmp_path / "district")
    dir = make_edge_dir(tmp_path / "edge", district)
    keys = (district.keys.sign_public.hex(),)
    home = init_home(tmp_path / "terminal", "T210102-0002", SystemIds(), district_keys=keys)
    card = read_card(home.card())
    body = TerminalAdmitted(card.terminal, card.public_key, card.broker_verifier, None)
    with open_edge(dir) as node:
        admission = Draft("terminal.admitted", f"terminal:{card.terminal}", body)
        district.tell(node, admission, sent(Street(home.terminal, home.key), "away-0001"))
    heard: list[str] = []
    with edge_process(dir) as edge:
        edge.kill()
        edge.start()
        route = Route(BrokerUrl.parse(edge.broker()["url"]))
        with FieldTerminal(home, [route], on_task=lambda task: heard.append(task.task_id)) as terminal:
            until(lambda: heard == ["away-0001"], "the task comes")
            edge.kill()
            terminal.answer("away-0001", AnswerDraft("yes", Place(Point(1_234_330_000, 417_900_000))))
            edge.start()
            until(lambda: terminal.progress().counts.kept == 1, "the answer is kept")
        edge.stop()
    with FieldTerminal(home, [route]) as terminal:  # nobody is there: nothing is forgotten
        assert terminal.progress().counts.kept == 1
    assert verified_answers(dir, district) == Counter(["away-0001"])
