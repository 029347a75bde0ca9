"""What an edge still knows after it was stopped; what it says when it has no room."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.street import EDGE, District, Line, Street, make_edge_dir, open_edge, running, until
from wanmi.reports import Reason, digest_of, is_safe
from wanmi_edge.ledger import Ledger
from wanmi_edge.rows import WaitingRow

pytestmark = pytest.mark.mosquitto


def test_a_duplicate_gets_its_first_receipt_also_after_a_restart(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district)
    good, message = street.signed()
    bad, refusal = street.signed(lon_e7=0, lat_e7=0)
    with running(open_edge(dir), district) as edge:
        edge.admit(street)
        with Line(street, edge.broker) as line:
            line.connect().send(message)
            line.send(refusal)
            first = line.receipt(good.report_id), line.receipt(bad.report_id)
    with running(open_edge(dir), district) as edge:
        with Line(street, edge.broker) as line:
            line.connect().send(message)
            line.send(refusal)
            again = line.receipt(good.report_id), line.receipt(bad.report_id)
        assert [(r.status, r.entry, r.reason) for r in again] == [(r.status, r.entry, r.reason) for r in first]
        assert len(edge.entries("report.received")) == len(edge.entries("report.refused")) == 1


def test_a_report_that_waits_for_its_photo_waits_on(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district)
    photo = b"\xff\xd8 a photo" * 1000
    report, message = street.with_photo(photo)
    with running(open_edge(dir), district) as edge:
        edge.admit(street)
        with Line(street, edge.broker) as line:
            line.connect().send(message)
            assert line.receipt(report.report_id).want == (digest_of(photo),)
    with running(open_edge(dir), district) as edge:
        assert edge.health("edge.intake").facts["waiting_for_parts"] == 1
        with Line(street, edge.broker) as line:
            line.connect().send_photo(photo)
            line.receipt(report.report_id, 1, "kept")
        assert edge.rows(WaitingRow) == []
        assert edge.health("edge.intake").facts["waiting_for_parts"] == 0


def test_safe_is_told_when_the_countersignature_came_before_the_start(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district)
    reports = [street.signed() for _ in range(3)]
    with running(open_edge(dir), district) as edge:
        edge.admit(street)
        with Line(street, edge.broker) as line:
            line.connect()
            for report, message in reports:
                line.send(message)
                line.receipt(report.report_id, 1, "kept")
    with open_edge(dir) as node:
        district.countersign(node)
    with running(open_edge(dir), district) as edge, Line(street, edge.broker) as line:
        line.connect()
        for report, _ in reports:
            assert is_safe(line.receipt(report.report_id, 1, "safe"), district.keys.sign_public)
        until(lambda: edge.health("edge.receipts").facts["told"] == edge.node.journal.cursor(EDGE).seq, "told")


def test_without_room_reports_are_sent_back_for_later(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district, **{"edge.intake": {"reserve_mib": 1 << 30}})
    with running(open_edge(dir), district) as edge:
        edge.admit(street)
        report, message = street.signed()
        with Line(street, edge.broker) as line:
            line.connect().send(message)
            receipt = line.receipt(report.report_id)
        assert (receipt.status, receipt.reason) == ("refused", Reason.EDGE_FULL)
        assert edge.entries("report.received") == edge.entries("report.refused") == []
        assert edge.health("edge.intake").state == "bad"


def test_while_the_journal_is_held_nothing_is_promised_and_nothing_lost(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    with running(open_edge(make_edge_dir(tmp_path / "edge", district)), district) as edge:
        edge.admit(street)
        edge.node.journal.hold("its tail is not back yet")
        report, message = street.signed()
        with Line(street, edge.broker) as line:
            line.connect().send(message)
            until(lambda: edge.health("edge.intake").state == "bad", "said so")
            assert line.hear() == []
            edge.node.journal.release()
            assert line.receipt(report.report_id).status == "kept"


def test_the_ledger_looks_beyond_its_memory(tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(tmp_path / "edge", district)
    reports = [street.signed() for _ in range(30)]
    with running(open_edge(dir), district) as edge:
        edge.admit(street)
        with Line(street, edge.broker) as line:
            line.connect()
            for _, message in reports:
                line.client.publish(f"wanmi/v1/{street.id}/report", message)
            receipts = {r.report_id: line.receipt(r.report_id) for r, _ in reports}
        small = Ledger(edge.node.store, EDGE, memory=10)
        for report, _ in reports:
            small.load([(street.id, report.report_id), (street.id, "never-sent")])
            found, entry = small.find(street.id, report.report_id), receipts[report.report_id].entry
            assert found is not None
            assert entry is not None
            assert (found.seq, found.hash) == (entry.seq, entry.hash)
            assert small.find(street.id, "never-sent") is None
