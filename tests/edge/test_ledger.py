"""Taken in = delivered + waiting + refused: in any order of what may happen, and after any kill; what was refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errands import answered, sent
from edge.street import EDGE, District, RunningEdge, Street, make_edge_dir, open_edge, running, until
from wanmi.identity import add_token
from wanmi.kinds import TerminalAdmitted
from wanmi.mqtt import Message, MqttClient
from wanmi.node.node import Node
from wanmi.registry import Draft
from wanmi.reports import (
    TrackBatch,
    TrackFix,
    answer_topic,
    digest_of,
    part_topic,
    report_topic,
    sign_track,
    track_topic,
)
from wanmi.web import build_app
from wanmi_edge.appliance import make_spool
from wanmi_edge.field_desk import FieldDesk
from wanmi_edge.intake import Intake
from wanmi_edge.key_desk import KeyDesk
from wanmi_edge.rows import JunkRow
from wanmi_edge.settings import EdgeSettings
from wanmi_edge.statuses import StatusDesk
from wanmi_edge.tally import Tally, count_in, open_tally, read_tally
from wanmi_edge.task_sender import TaskSender
from wanmi_edge.terminals import TerminalBook
from wanmi_edge.track_sealer import TrackSealer
from wanmi_edge.verdicts import Judge, rules_of

PHOTO = b"\xff\xd8 a photo"
HOUR = 3_600_000_000


class Desk:
    """An edge without a broker: messages go straight into the intake, receipts nowhere."""

    def __init__(self, dir: Path) -> None:
        self.district = District(dir / "district")
        self.dir = make_edge_dir(dir / "edge", self.district, **{"edge.intake": {"waiting": 3, "segment_fixes": 10}})
        self.street = Street("T210102-0001")
        self.messages: list[bytes] = []
        self.tasks = 0
        self.node = self._open()
        body = TerminalAdmitted(self.street.id, self.street.public.hex(), self.street.verifier, None)
        self.district.tell(self.node, Draft("terminal.admitted", f"terminal:{self.street.id}", body))
        self._intake()

    def _open(self) -> Node:
        node = open_edge(self.dir)
        open_tally(node)
        return node

    def _intake(self) -> None:
        node, intake = self.node, self.node.settings.section("edge", EdgeSettings).intake
        client = cast(MqttClient, SimpleNamespace(publish=lambda *_args, **_more: True))
        book, spool = TerminalBook(node.store, node.journal), make_spool(node, intake)
        profile = cast(Any, SimpleNamespace(catalogue=SimpleNamespace(get=lambda kind, _category: kind == "event")))
        judge = Judge(rules_of(EDGE, node.settings.region, intake, lambda: profile), book.known)
        field = FieldDesk(
            node,
            client,
            spool,
            TaskSender(node, lambda: None),
            StatusDesk(node, 60),
            KeyDesk(node, lambda: None, TerminalBook(node.store, node.journal)),
        )
        self.intake = Intake(node, client, judge, spool, book, field, intake)
        self.sealer = TrackSealer(node, book, intake)
        self.intake._resume()

    def kill(self) -> None:
        """Everything in memory is gone, what flew perhaps not durable; then a start."""
        self.node.close()
        self.node = self._open()
        self._intake()

    def take(self, topic: str, payload: bytes) -> None:
        message = Message(topic, payload, "", 0, 0, lambda _: None)
        self.intake.work([message, message])

    def do(self, what: str) -> None:
        """One thing that may happen at an edge."""
        getattr(self, f"do_{what}")()

    def do_good(self) -> None:
        self._report(self.street.signed()[1])

    def do_refused(self) -> None:
        self._report(self.street.signed(lon_e7=0, lat_e7=0)[1])

    def do_photo(self) -> None:
        self._report(self.street.with_photo(PHOTO + bytes([self.street.made % 251]))[1])

    def do_part(self) -> None:
        content = PHOTO + bytes([self.street.made % 251])
        self.take(part_topic(self.street.id, digest_of(content)), content)

    def do_again(self) -> None:
        for message in self.messages[-2:]:
            self.take(report_topic(self.street.id), message)

    def do_junk(self) -> None:
        self.take(report_topic(self.street.id), b"{")

    def do_answer(self) -> None:
        self.tasks += 1
        task = f"task-{self.tasks:06d}"
        self.district.tell(self.node, sent(self.street, task))
        for result in ("yes", "no"):  # the second is another answer to the same task: refused
            self.take(answer_topic(self.street.id), answered(self.street, task, result=result)[1])

    def do_track(self) -> None:
        now = self.node.clock.now()
        for most in (2, 4):  # the second has the same beginning: it takes the first one's place
            fixes = tuple(TrackFix(now + n, 1_234_330_000, 417_900_000, None) for n in range(most))
            self.take(track_topic(self.street.id), sign_track(TrackBatch(1, self.street.id, fixes), self.street.key))

    def do_seal(self) -> None:
        self.settle()
        self.sealer.step()

    def do_countersign(self) -> None:
        self.settle()
        self.district.countersign(self.node)

    def do_kill(self) -> None:
        self.kill()

    def settle(self) -> None:
        self.intake._settle(leave=0)

    def _report(self, message: bytes) -> None:
        self.messages.append(message)
        self.take(report_topic(self.street.id), message)

    def tally(self) -> dict[str, Tally]:
        return {one.what: one for one in read_tally(self.node)}


ACTS = ("good", "refused", "photo", "part", "again", "junk", "answer", "track", "seal", "countersign", "kill")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.node.close()


@settings(max_examples=25, deadline=None)
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=14))
def test_the_ledger_holds_whatever_happens(desk: Desk, acts: list[str]) -> None:
    before = sum(one.taken for one in read_tally(desk.node))
    for act in acts:
        desk.do(act)
        assert [one.missing for one in read_tally(desk.node)] == [0, 0, 0], act
    desk.settle()
    after = read_tally(desk.node)
    assert [one.missing for one in after] == [0, 0, 0]
    assert sum(one.taken for one in after) >= before + sum(act in {"good", "refused", "answer"} for act in acts)


def test_each_kind_stands_where_it_belongs(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for act in ("good", "good", "refused", "photo", "answer", "track"):
        desk.do(act)
    desk.settle()
    assert desk.tally() == {
        "reports": Tally("reports", 4, 0, 3, 1),
        "answers": Tally("answers", 2, 0, 1, 1),
        "positions": Tally("positions", 4, 0, 4, 0),
    }
    desk.do("countersign")
    assert desk.tally()["reports"] == Tally("reports", 4, 2, 1, 1), "the photo's report waits on"
    assert desk.tally()["answers"] == Tally("answers", 2, 1, 0, 1)
    for _ in range(4):
        desk.do("photo")
    desk.settle()
    assert desk.tally()["reports"] == Tally("reports", 8, 2, 3, 3), "three wait; those pushed out were let go"
    desk.node.close()


def test_what_is_gone_is_missing_and_what_was_given_back_is_counted(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.do("good")
    desk.settle()
    desk.node.store.write(lambda tx: count_in(tx, "reports", 2)).result()
    desk.kill()
    (lost,) = [one for one in read_tally(desk.node) if one.missing]
    assert (lost.what, lost.missing) == ("reports", 2)
    assert "2 are MISSING" in str(lost)
    desk.node.store.write(lambda tx: count_in(tx, "reports", -3)).result()
    desk.kill()
    assert desk.tally()["reports"] == Tally("reports", 1, 0, 1, 0)
    desk.node.close()


# -- what was refused, looked at again -----------------------------------------------------------------------------


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[RunningEdge]:
    district = District(tmp_path / "district")
    with running(open_edge(make_edge_dir(tmp_path / "edge", district)), district) as edge:
        yield edge


def ask(edge: RunningEdge, method: str, path: str, base: str = "/api/v1") -> httpx.Response:
    """With a technician's token."""
    secret = add_token(
        edge.node, name="tui", scopes=("devices:read", "devices:write", "nodes:read"), more=("devices:write",)
    ).secret

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(edge.node))
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            return await client.request(method, f"{base}{path}", headers={"Authorization": f"Bearer {secret}"})

    return asyncio.run(send())


@pytest.mark.mosquitto
def test_a_report_of_an_unknown_terminal_is_taken_in_after_it_was_admitted(edge: RunningEdge) -> None:
    street = Street("T210102-0007")
    report, message = street.signed()
    edge.client().send(report_topic(street.id), message).result(10)
    until(lambda: edge.rows(JunkRow), "junk")
    (item,) = (ask(edge, "GET", "/spool/refused")).json()["refused"]
    assert (item["terminal"], item["reason"], item["retry"]) == (street.id, "unknown_terminal", False)
    assert "终端未登记" in item["zh"]
    assert "admit the terminal" in item["advice_en"]
    refused = ask(edge, "POST", f"/spool/refused/{item['id']}/retry")
    assert refused.status_code == 409
    assert "not been admitted" in refused.text
    edge.admit(street)
    until(lambda: _is_known(edge), "the intake knows the terminal")
    taken = ask(edge, "POST", f"/spool/refused/{item['id']}/retry")
    assert taken.json() == {"id": item["id"], "outcome": "taken"}
    assert [entry.body["report_id"] for entry in edge.entries("report.received")] == [report.report_id]
    (item,) = (ask(edge, "GET", "/spool/refused")).json()["refused"]
    assert (item["reason"], item["why_not"]) == ("retried", "it was taken in meanwhile")
    ledger = (ask(edge, "GET", "/ledger")).json()
    assert (ledger["holds"], ledger["kinds"][0]["taken"], ledger["junk"]) == (True, 1, 1)


def _is_known(edge: RunningEdge) -> bool:
    intake = edge.node.registry.probes["edge"].read.args[0].intake  # type: ignore[attr-defined]
    intake._book.refresh_if_stale()
    return len(intake._book) > 0


@pytest.mark.mosquitto
def test_prometheus_reads_the_ledger(edge: RunningEdge) -> None:
    street = Street("T210102-0009")
    edge.admit(street)
    edge.client().send(report_topic(street.id), street.signed()[1]).result(10)
    until(lambda: edge.entries("report.received"), "received")
    text = ask(edge, "GET", "", base="/metrics").text
    assert 'wanmi_health_fact{fact="reports_taken",name="edge.ledger"} 1.0' in text
    assert 'wanmi_health_fact{fact="reports_missing",name="edge.ledger"} 0.0' in text


@pytest.mark.mosquitto
def test_a_refused_report_stays_refused_while_its_reason_holds(edge: RunningEdge) -> None:
    street = Street("T210102-0008")
    edge.admit(street)
    edge.client().send(report_topic(street.id), street.signed(lon_e7=0, lat_e7=0)[1]).result(10)
    until(lambda: edge.entries("report.refused"), "refused")
    (item,) = (ask(edge, "GET", "/spool/refused")).json()["refused"]
    assert (item["what"], item["reason"], item["retry"]) == ("report", "no_position", False)
    assert "still refused" in item["why_not"]
    assert json.loads(item["sample"])["v"] == 1
    assert (ask(edge, "POST", "/spool/refused/e999/retry")).status_code == 404
