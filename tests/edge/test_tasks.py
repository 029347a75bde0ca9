"""Tasks down and answers up through a real mosquitto: until seen, once, by the right terminal, with photos."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection

from edge.errands import HOUR, answered, sent, withdrawn
from edge.street import CITY_POINT, EDGE, District, Line, RunningEdge, Street, make_edge_dir, open_edge, running, until
from wanmi.clock import SystemClock
from wanmi.coords import Point
from wanmi.ids import SystemIds
from wanmi.journal.proof import replay_check
from wanmi.journal.task_rows import AnswerRow, TrackRow
from wanmi.kinds import Attachment, TerminalAdmitted
from wanmi.registry import Draft as EntryDraft
from wanmi.reports import (
    TrackBatch,
    TrackFix,
    answer_topic,
    digest_of,
    encode_message,
    is_safe,
    read_card,
    segment_fixes,
    sign_report,
    sign_track,
    text_part,
    track_topic,
)
from wanmi.reports.answers import decode_answer
from wanmi_edge.rows import TrackBatchRow
from wanmi_edge.track_sealer import MEDIA
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import FieldTerminal, Route
from wanmi_terminal.home import Home, init_home
from wanmi_terminal.maker import AnswerDraft, Place
from wanmi_terminal.photos import made_up_photo

pytestmark = pytest.mark.mosquitto
NUMBERS = count(2000)
SECOND = 1_000_000


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEdge]:
    dir = tmp_path_factory.mktemp("edge")
    district = District(dir / "district")
    node = make_edge_dir(dir / "node", district, **{"edge.intake": {"segment_fixes": 30}})
    with running(open_edge(node), district) as edge:
        yield edge


@pytest.fixture
def street(edge: RunningEdge) -> Street:
    street = Street(f"T210102-{next(NUMBERS)}")
    edge.admit(street)
    return street


@pytest.fixture
def line(edge: RunningEdge, street: Street) -> Iterator[Line]:
    with Line(street, edge.broker) as line:
        yield line.connect()


@pytest.fixture
def home(edge: RunningEdge, tmp_path: Path) -> Home:
    """A shipped terminal's directory, admitted."""
    keys = (edge.district.keys.sign_public.hex(),)
    home = init_home(tmp_path / "terminal", f"T210102-{next(NUMBERS)}", SystemIds(), district_keys=keys)
    card = read_card(home.card())
    body = TerminalAdmitted(card.terminal, card.public_key, card.broker_verifier, None)
    edge.district.tell(edge.node, EntryDraft("terminal.admitted", f"terminal:{card.terminal}", body))
    passwords = edge.node.dir / "broker" / "passwords"
    until(lambda: home.terminal in passwords.read_text(), "the broker is told")
    return home


def answers_of(edge: RunningEdge, task_id: str) -> list[object]:
    return [entry.body for entry in edge.entries("task.answered") if entry.body["task_id"] == task_id]


def give(edge: RunningEdge, line: Line, task_id: str, **more: object) -> None:
    edge.district.tell(edge.node, sent(line.street, task_id, **more))  # type: ignore[arg-type]


# -- answers -----------------------------------------------------------------------------------------------


def test_an_answer_with_a_photo_is_kept_then_safe_and_once(edge: RunningEdge, line: Line, street: Street) -> None:
    give(edge, line, "task-photo")
    photo = made_up_photo(300_000, SystemIds())
    answer, message = answered(street, "task-photo", photo)
    line.send(message, answer_topic(street.id))
    assert line.receipt(answer.report_id, status="want").want == (digest_of(photo),)
    line.send_photo(photo)
    kept = line.receipt(answer.report_id, status="kept")
    assert kept.entry is not None
    line.send(message, answer_topic(street.id))
    assert line.receipt(answer.report_id, 2, "kept").entry == kept.entry
    (body,) = answers_of(edge, "task-photo")
    assert (body["result"], body["late"], body["terminal"]) == ("yes", False, street.id)  # type: ignore[index]
    assert edge.node.blobs.open(body["attachments"][0]["blob"]) == photo  # type: ignore[index]
    edge.district.countersign(edge.node)
    safe = line.receipt(answer.report_id, status="safe")
    assert is_safe(safe, edge.district.keys.sign_public)
    assert safe.entry == kept.entry


def test_a_guests_answer_is_kept_though_its_task_is_another_districts(edge: RunningEdge) -> None:
    guest = Street(f"T210103-{next(NUMBERS)}")
    edge.admit(guest)
    with Line(guest, edge.broker) as line:
        line.connect()
        answer, message = answered(guest, "task-of-210103")
        line.send(message, answer_topic(guest.id))
        kept = line.receipt(answer.report_id, status="kept")
        edge.district.countersign(edge.node)
        assert is_safe(line.receipt(answer.report_id, status="safe"), edge.district.keys.sign_public)
    assert kept.entry is not None
    (body,) = answers_of(edge, "task-of-210103")
    assert (body["terminal"], body["late"]) == (guest.id, False)  # type: ignore[index]


def test_another_answer_to_the_same_task_is_refused_once(edge: RunningEdge, line: Line, street: Street) -> None:
    give(edge, line, "task-reused")
    first, message = answered(street, "task-reused")
    line.send(message, answer_topic(street.id))
    line.receipt(first.report_id, status="kept")
    other, message = answered(street, "task-reused", result="no")
    for n in (1, 2):
        line.send(message, answer_topic(street.id))
        assert line.receipt(other.report_id, n, "refused").reason == "id_reused"
    assert len(answers_of(edge, "task-reused")) == 1
    assert len([e for e in edge.entries("task.refused") if e.body["task_id"] == "task-reused"]) == 1


def test_a_task_that_is_not_known_yet_may_be_answered_later(edge: RunningEdge, line: Line, street: Street) -> None:
    answer, message = answered(street, "task-unknown")
    line.send(message, answer_topic(street.id))
    refused = line.receipt(answer.report_id, status="refused")
    assert (refused.reason, refused.passing, refused.entry) == ("unknown_task", True, None)
    give(edge, line, "task-unknown")
    line.send(message, answer_topic(street.id))
    line.receipt(answer.report_id, status="kept")


def test_another_terminals_task_is_refused_with_an_entry(edge: RunningEdge, line: Line, street: Street) -> None:
    edge.district.tell(edge.node, sent(Street("T210102-1999"), "task-others"))
    answer, message = answered(street, "task-others")
    line.send(message, answer_topic(street.id))
    refused = line.receipt(answer.report_id, status="refused")
    assert refused.reason == "not_your_task"
    assert refused.entry is not None
    assert edge.entries("task.refused")[-1].seq == refused.entry.seq


def test_a_late_answer_is_kept_and_marked(edge: RunningEdge, line: Line, street: Street) -> None:
    give(edge, line, "task-late", deadline=SystemClock().now() - HOUR)
    answer, message = answered(street, "task-late")
    line.send(message, answer_topic(street.id))
    assert line.receipt(answer.report_id, status="kept").reason == "too_late"
    edge.district.countersign(edge.node)
    assert line.receipt(answer.report_id, status="safe").reason == "too_late"
    assert [body["late"] for body in answers_of(edge, "task-late")] == [True]  # type: ignore[index]


@pytest.mark.parametrize("how", ["envelope", "signature", "report's domain", "another's key", "another's topic"])
def test_what_was_tampered_with_makes_no_entry(edge: RunningEdge, line: Line, street: Street, how: str) -> None:
    task_id = f"tamper-{abs(hash(how)) % 10**6:06d}"
    give(edge, line, task_id)
    answer, message = answered(street, task_id)
    good = decode_answer(message)
    before = edge.node.journal.cursor(EDGE).seq
    bad = {
        "envelope": lambda: encode_message(
            good.envelope.replace(b'"result":"yes"', b'"result":"no"'), good.signature, good.key_id, {}
        ),
        "signature": lambda: encode_message(
            good.envelope, bytes([good.signature[0] ^ 1, *good.signature[1:]]), good.key_id, {}
        ),
        "report's domain": lambda: encode_message(
            good.envelope, street.key.sign(b"wanmi/report/1\n" + good.envelope), good.key_id, {}
        ),
        "another's key": lambda: answered(Street(street.id), task_id, report_id=answer.report_id)[1],
        "another's topic": lambda: answered(Street("T210102-0001", street.key), task_id, report_id=answer.report_id)[1],
    }[how]()
    line.send(bad, answer_topic(street.id))
    refused = until(lambda: line.hear() and line.receipts[-1], how)
    assert refused.reason == {"another's topic": "wrong_terminal", "another's key": "unknown_key"}.get(
        how, "bad_signature"
    )
    assert edge.node.journal.cursor(EDGE).seq == before
    line.send(message, answer_topic(street.id))
    assert line.receipt(answer.report_id, status="kept")


def test_a_report_is_no_answer(edge: RunningEdge, line: Line, street: Street) -> None:
    line.send(sign_report(street.report(), street.key), answer_topic(street.id))
    assert until(lambda: line.hear() and line.receipts[-1], "refused").reason == "wrong_schema"


# -- the shipped terminal ------------------------------------------------------------------------------------


def field(edge: RunningEdge, home: Home, heard: list[str]) -> FieldTerminal:
    return FieldTerminal(
        home,
        [Route(BrokerUrl.parse(edge.broker["url"]))],
        on_task=lambda task: heard.append(f"{task.task_id} {task.status}"),
    )


def test_a_terminal_gets_its_tasks_when_it_is_back_and_answers_them(edge: RunningEdge, home: Home) -> None:
    street = Street(home.terminal, home.key)
    content = text_part("看看井盖是否复位", b"0123456789abcdef")
    sealed = edge.node.blobs.seal(content)
    remark = Attachment("text", digest_of(content), len(content), "text/plain", sealed.blob)
    edge.district.tell(edge.node, sent(street, "back-0001", remark=remark), sent(street, "back-0002"))
    heard: list[str] = []
    with field(edge, home, heard) as terminal:
        until(lambda: heard, "the task without a remark comes")

        def arrive(tx: Connection) -> None:
            edge.node.blobs.add(tx, sealed)

        edge.node.store.write(arrive).result()  # the blob comes by the link, later than the entry
        until(lambda: len(heard) == 2, "the task with its remark comes")
        assert terminal.inbox.find("back-0001").task.remark == "看看井盖是否复位"
        place = Place(Point(*CITY_POINT), accuracy_cm=300)
        terminal.answer("back-0001", AnswerDraft("no", place, "还没有", (made_up_photo(300_000, SystemIds()),)))
        until(lambda: answers_of(edge, "back-0001"), "the answer is kept")
        edge.district.countersign(edge.node)
        assert terminal.wait_quiet(30)
        assert terminal.inbox.find("back-0001").state == "answered"
        assert terminal.inbox.find("back-0001").task.remark is None
    assert edge.health("edge.tasks").facts["answers"] >= 1


def test_a_task_is_not_sent_again_once_it_was_seen_and_a_withdrawal_follows(edge: RunningEdge, home: Home) -> None:
    street = Street(home.terminal, home.key)
    heard: list[str] = []
    edge.district.tell(edge.node, sent(street, "seen-0001"))
    sender = edge.node.registry.probes["edge"].read.args[0].sender  # type: ignore[attr-defined]

    def waits() -> bool:
        sender.step()
        return any(key[0] == home.terminal for key in sender._due)

    with field(edge, home, heard):
        until(lambda: heard == ["seen-0001 open"] and not waits(), "the task was seen")
    edge.district.tell(edge.node, withdrawn("seen-0001"))
    until(waits, "the withdrawal waits for the terminal")
    with field(edge, home, heard) as terminal:
        until(lambda: heard == ["seen-0001 open", "seen-0001 withdrawn"] and not waits(), "the withdrawal was seen")
        assert terminal.inbox.find("seen-0001").state == "withdrawn"


def test_a_terminal_set_up_anew_gets_its_open_tasks_again(edge: RunningEdge, home: Home) -> None:
    heard: list[str] = []
    edge.district.tell(edge.node, sent(Street(home.terminal, home.key), "anew-0001"))
    with field(edge, home, heard):
        until(lambda: heard, "the task comes")
    home.spool_path.unlink()
    with field(edge, home, heard):
        until(lambda: len(heard) == 2, "the task comes again")


# -- tracks --------------------------------------------------------------------------------------------------


def test_positions_become_a_sealed_segment_once(edge: RunningEdge, line: Line, street: Street) -> None:
    start = SystemClock().now() - 600 * SECOND
    fixes = [TrackFix(start + n * 10 * SECOND, CITY_POINT[0] + 1200 * n, CITY_POINT[1], 300) for n in range(30)]
    batches = [sign_track(TrackBatch(1, street.id, tuple(fixes[n : n + 10])), street.key) for n in (0, 10, 20)]
    for batch in (batches[0], batches[0], batches[2], batches[1]):
        line.send(batch, track_topic(street.id))
    mine = until(lambda: [e for e in edge.entries("track.sealed") if e.body["terminal"] == street.id], "sealed")
    line.send(batches[1], track_topic(street.id))
    report, message = street.signed()
    line.send(message)
    line.receipt(report.report_id)
    (entry,) = [e for e in edge.entries("track.sealed") if e.body["terminal"] == street.id]
    assert mine[0].seq == entry.seq
    assert (entry.body["start"], entry.body["end"], entry.body["fixes"]) == (fixes[0].at, fixes[-1].at, 30)
    assert 280 < entry.body["distance_m"] < 292
    assert (entry.body["west"], entry.body["east"]) == (fixes[0].lon_e7, fixes[-1].lon_e7)
    assert entry.body["way"]["media"] == MEDIA
    assert segment_fixes(edge.node.blobs.open(entry.body["way"]["blob"]), street.public) == tuple(fixes)
    assert [row for row in edge.rows(TrackBatchRow) if row.terminal == street.id] == []
    assert [row.fixes for row in edge.rows(TrackRow) if row.terminal == street.id] == [30]


def test_projections_come_out_the_same_after_replay(edge: RunningEdge) -> None:
    assert edge.rows(AnswerRow)
    assert replay_check(edge.node.store, edge.node.registry) == []
