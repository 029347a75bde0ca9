"""The intake with a real mosquitto: every bad input, duplicates, photos, safe receipts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.street import EDGE, District, Line, RunningEdge, Street, make_edge_dir, open_edge, running, until
from wanmi.entries import canonical
from wanmi.models import ReportRow
from wanmi.mqtt import NOT_AUTHORIZED
from wanmi.reports import (
    Attachment,
    digest_of,
    encode_message,
    is_safe,
    key_id,
    part_topic,
    report_topic,
    sign_report,
)
from wanmi.reports.envelope import REPORT_DOMAIN, envelope_bytes
from wanmi_edge.rows import JunkRow, WaitingRow

pytestmark = pytest.mark.mosquitto
NUMBERS = count(1000)
MINUTE = 60_000_000


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEdge]:
    dir = tmp_path_factory.mktemp("edge")
    district = District(dir / "district")
    node = make_edge_dir(dir / "node", district, **{"edge.intake": {"junk_rows": 40}})
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


def still_works(line: Line) -> None:
    """The intake takes the next good report."""
    report, message = line.street.signed()
    line.send(message)
    assert line.receipt(report.report_id).status == "kept"


def test_a_good_report_gets_its_entry_and_kept(edge: RunningEdge, line: Line, street: Street) -> None:
    report, message = street.with_text("井盖丢失")
    assert line.send(message) in (0, 16)
    receipt = line.receipt(report.report_id)
    assert receipt.status == "kept"
    entry = edge.entries("report.received")[-1]
    assert receipt.entry is not None
    assert (receipt.entry.origin, receipt.entry.seq) == (EDGE, entry.seq)
    assert edge.node.journal.hash_at(EDGE, entry.seq) == bytes.fromhex(receipt.entry.hash)
    assert (entry.by, entry.actor, entry.audience) == ("edge@0.1.0", street.id, "*")
    (attachment,) = entry.body["attachments"]
    assert edge.node.blobs.open(attachment["blob"])[16:].decode() == "井盖丢失"
    assert "井盖" not in str(entry.body)


# -- bad input, item by item ------------------------------------------------------------------------------


def changed(**changes: object) -> object:
    return lambda street: street.signed(**changes)[1]


def with_attachment(role: str, size: int) -> object:
    attachment = Attachment(role, "ab" * 32, size, "image/jpeg")  # type: ignore[arg-type]
    return changed(attachments=(attachment,))


AUTHENTIC = {
    "no_position": changed(lon_e7=0, lat_e7=0),
    "outside_city": changed(lon_e7=1_164_000_000, lat_e7=399_000_000),
    "unknown_category": changed(category="9901"),
    "photo_too_big": with_attachment("photo", 8 * 1024 * 1024 + 1),
    "text_too_long": with_attachment("text", 8 * 1024 + 1),
}


@pytest.mark.parametrize("reason", sorted(AUTHENTIC))
def test_an_authentic_refusal_is_an_entry_and_a_receipt(edge: RunningEdge, line: Line, reason: str) -> None:
    message = AUTHENTIC[reason](line.street)  # type: ignore[operator]
    line.send(message)
    receipt = until(lambda: line.hear() and line.receipts[-1], reason)
    assert (receipt.status, receipt.reason) == ("refused", reason)
    entry = edge.entries("report.refused")[-1]
    assert (entry.body["reason"], entry.body["terminal"]) == (reason, line.street.id)
    assert receipt.entry is not None
    assert receipt.entry.seq == entry.seq
    still_works(line)


def test_a_time_in_the_future_is_refused_beyond_the_tolerance(edge: RunningEdge, line: Line, street: Street) -> None:
    now = edge.node.clock.now()
    late, message = street.signed(made_at=now + 6 * MINUTE)
    near, good = street.signed(made_at=now + 4 * MINUTE)
    line.send(message)
    line.send(good)
    assert line.receipt(late.report_id).reason == "future_time"
    assert line.receipt(near.report_id).status == "kept"


def test_an_id_used_again_with_other_bytes_is_refused_and_the_first_stays(
    edge: RunningEdge, line: Line, street: Street
) -> None:
    first, message = street.signed()
    line.send(message)
    kept = line.receipt(first.report_id)
    other = sign_report(msgspec.structs.replace(first, category="0103"), street.key)
    line.send(other)
    no = line.receipt(first.report_id, 2)
    assert (no.status, no.reason) == ("refused", "id_reused")
    line.send(message)
    again = line.receipt(first.report_id, 3)
    assert (again.status, again.entry) == ("kept", kept.entry)
    line.send(other)
    assert line.receipt(first.report_id, 4).entry == no.entry
    assert [e.body["digest"] for e in edge.entries("report.refused")].count(digest_of(envelope(other))) == 1


def envelope(message: bytes) -> bytes:
    from wanmi.reports import decode_report

    return decode_report(message).envelope


def wrong_schema(street: Street) -> bytes:
    plain = msgspec.to_builtins(street.report())
    del plain["category"]
    raw = canonical(plain)
    return encode_message(raw, street.key.sign(b"wanmi/report/1\n" + raw), key_id(street.public), {})


def signed_by_another(street: Street) -> bytes:
    """A message that claims the terminal's key and is signed with another."""
    raw = envelope_bytes(street.report())
    return encode_message(raw, Ed25519PrivateKey.generate().sign(REPORT_DOMAIN + raw), key_id(street.public), {})


JUNK = {
    "not_json": lambda street: b"\x00\xff not json",
    "wrong_schema": wrong_schema,
    "too_large": lambda street: b"x" * (128 * 1024 + 1),
    "unknown_key": lambda street: sign_report(street.report(), Ed25519PrivateKey.generate()),
    "bad_signature": signed_by_another,
    "wrong_terminal": lambda street: Street("T210102-0999").signed()[1],
}


@pytest.mark.parametrize("reason", sorted(JUNK))
def test_junk_is_answered_and_kept_beside_the_journal(edge: RunningEdge, line: Line, reason: str) -> None:
    before = edge.node.journal.cursor(EDGE).seq
    line.send(JUNK[reason](line.street))
    receipt = until(lambda: line.hear() and line.receipts[-1], reason)
    assert (receipt.status, receipt.reason, receipt.entry) == ("refused", reason, None)
    assert edge.node.journal.cursor(EDGE).seq == before
    newest = max(edge.rows(JunkRow), key=lambda row: row.n)
    assert (newest.reason, newest.topic) == (reason, report_topic(line.street.id))
    assert len(newest.sample) <= 1024
    still_works(line)


def test_a_wrong_envelope_names_its_report(line: Line, street: Street) -> None:
    line.send(wrong_schema(street))
    assert line.receipt(f"R{street.made:025d}").reason == "wrong_schema"


def test_junk_is_bounded_and_counted(edge: RunningEdge, line: Line) -> None:
    before = edge.health("edge.intake").facts["junk"]
    futures = [line.client.send(report_topic(line.street.id), b"junk %d" % n) for n in range(120)]
    assert all(future.result(20) in (0, 16) for future in futures)
    until(lambda: edge.health("edge.intake").facts["junk"] == before + 120, "all counted")
    still_works(line)
    rows = edge.rows(JunkRow)
    assert len(rows) <= 40
    assert edge.health("edge.intake").facts["refused_not_json"] >= 120


def test_an_unknown_terminal_cannot_connect_and_is_refused_by_the_intake(edge: RunningEdge, line: Line) -> None:
    stranger = Street("T210102-0998")
    with Line(stranger, edge.broker) as refused:
        until(lambda: "refused" in refused.client.last_error, "the broker knows no such user")
    client = edge.client()
    client.send(report_topic(stranger.id), stranger.signed()[1]).result(10)
    until(lambda: any(row.reason == "unknown_terminal" for row in edge.rows(JunkRow)), "junk")
    still_works(line)


def test_a_revoked_terminal_is_refused_and_locked_out(edge: RunningEdge, street: Street, line: Line) -> None:
    still_works(line)
    edge.revoke(street)
    client = edge.client()
    client.send(report_topic(street.id), street.signed()[1]).result(10)
    until(lambda: any(row.reason == "revoked_terminal" for row in edge.rows(JunkRow)), "junk")
    with Line(street, edge.broker) as refused:
        until(lambda: "refused" in refused.client.last_error, "the broker forgot it")


def test_a_terminal_cannot_speak_for_another_nor_hear_it(edge: RunningEdge, line: Line) -> None:
    other = Street("T210102-0997")
    edge.admit(other)
    assert line.send(other.signed()[1], report_topic(other.id)) == NOT_AUTHORIZED
    assert line.send(b"", part_topic(other.id, "ab" * 32)) == NOT_AUTHORIZED
    assert line.send(b"", f"wanmi/v1/{line.street.id}/receipt") == NOT_AUTHORIZED
    assert line.send(b"", "anything/else") == NOT_AUTHORIZED


# -- duplicates, parts, receipts --------------------------------------------------------------------------


def test_a_duplicate_gets_the_first_receipt_again(edge: RunningEdge, line: Line, street: Street) -> None:
    report, message = street.signed()
    for _ in range(5):
        line.client.publish(report_topic(street.id), message)
    receipts = [line.receipt(report.report_id, n) for n in range(1, 6)]
    assert {(r.status, r.entry) for r in receipts} == {("kept", receipts[0].entry)}
    rows = [row for row in edge.rows(ReportRow) if (row.terminal, row.report_id) == (street.id, report.report_id)]
    assert len(rows) == 1
    assert sum(e.body["report_id"] == report.report_id for e in edge.entries("report.received")
               if e.body["terminal"] == street.id) == 1  # fmt: skip


def photo_of(size: int, seed: int) -> bytes:
    return bytes((seed + n * n) % 256 for n in range(1000)) * (size // 1000)


def test_a_photo_in_chunks_before_its_report(edge: RunningEdge, line: Line, street: Street) -> None:
    photo = photo_of(700_000, 1)
    line.send_photo(photo)
    report, message = street.with_photo(photo)
    line.send(message)
    assert line.receipt(report.report_id).status == "kept"
    (attachment,) = edge.entries("report.received")[-1].body["attachments"]
    assert edge.node.blobs.open(attachment["blob"]) == photo
    assert (attachment["size"], attachment["role"]) == (len(photo), "photo")
    until(lambda: edge.health("edge.intake").facts["parts"] == 0, "the spool lets the photo go")


def test_a_missing_photo_is_wanted_and_completes_the_report(edge: RunningEdge, line: Line, street: Street) -> None:
    photo = photo_of(300_000, 2)
    report, message = street.with_photo(photo)
    line.send(message)
    want = line.receipt(report.report_id)
    assert (want.status, want.want) == ("want", (digest_of(photo),))
    assert any(row.report_id == report.report_id for row in edge.rows(WaitingRow))
    line.send_photo(photo)
    assert line.receipt(report.report_id, 2).status == "kept"
    assert not any(row.report_id == report.report_id for row in edge.rows(WaitingRow))


def test_a_damaged_chunk_is_not_taken_for_the_photo(line: Line, street: Street) -> None:
    photo = photo_of(300_000, 3)
    digest = digest_of(photo)
    report, message = street.with_photo(photo)
    line.send(photo[:262_144], part_topic(street.id, digest, 0, 2))
    line.send(b"damaged", part_topic(street.id, digest, 1, 2))
    line.send(message)
    assert line.receipt(report.report_id).status == "want"
    line.send_photo(photo)
    assert line.receipt(report.report_id, 2).status == "kept"


def test_the_same_report_sent_again_while_it_waits_is_wanted_again(line: Line, street: Street) -> None:
    photo = photo_of(2000, 4)
    report, message = street.with_photo(photo)
    line.send(message)
    line.send(message)
    assert [line.receipt(report.report_id, n).status for n in (1, 2)] == ["want", "want"]
    line.send_photo(photo)
    line.receipt(report.report_id, 1, "kept")


def test_safe_is_told_when_the_parent_countersigned(edge: RunningEdge, line: Line, street: Street) -> None:
    district = edge.district
    report, message = street.signed()
    line.send(message)
    kept = line.receipt(report.report_id)
    assert kept.status == "kept"
    assert not is_safe(kept, None)
    district.countersign(edge.node)
    safe = line.receipt(report.report_id, 1, "safe")
    assert is_safe(safe, district.keys.sign_public)
    assert safe.entry == kept.entry
    line.send(message)
    again = line.receipt(report.report_id, 2, "safe")
    assert is_safe(again, district.keys.sign_public)
    until(lambda: edge.health("edge.receipts").facts["told"] == edge.node.journal.cursor(EDGE).seq, "all told")


def test_a_countersignature_of_somebody_else_makes_nothing_safe(edge: RunningEdge, line: Line, street: Street) -> None:
    report, message = street.signed()
    line.send(message)
    kept = line.receipt(report.report_id)
    assert kept.entry is not None
    stranger = msgspec.structs.replace(edge.district.countersign_only(edge.node), by="210103")
    edge.node.journal.note_cosign(stranger).result()
    line.send(message)
    assert line.receipt(report.report_id, 2).status == "kept"
