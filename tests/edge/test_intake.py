"""The intake with a real mosquitto: every bad input, duplicates, photos, safe receipts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge.street import EDGE, District, Line, RunningEdge, Street, make_edge_dir, open_edge, running
from wanmi.models import ReportRow

pytestmark = pytest.mark.mosquitto


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEdge]:
    dir = tmp_path_factory.mktemp("edge")
    district = District(dir / "district")
    with running(open_edge(make_edge_dir(dir / "node", district)), district) as edge:
        yield edge


@pytest.fixture
def street(edge: RunningEdge) -> Street:
    street = Street(f"T210102-{len(edge.rows(ReportRow)) + 1000:04d}")
    edge.admit(street)
    return street


@pytest.fixture
def line(edge: RunningEdge, street: Street) -> Iterator[Line]:
    with Line(street, edge.broker) as line:
        yield line.connect()


def test_a_good_report_gets_its_entry_and_kept(edge: RunningEdge, line: Line, street: Street) -> None:
    report, message = street.with_text("井盖丢失")
    assert line.send(message) in (0, 16)
    receipt = line.receipt(report.report_id)
    assert receipt.status == "kept"
    assert receipt.entry is not None
    assert receipt.entry.origin == EDGE
    entry = edge.entries("report.received")[-1]
    assert entry.seq == receipt.entry.seq
    (attachment,) = entry.body["attachments"]
    assert edge.node.blobs.open(attachment["blob"])[16:].decode() == "井盖丢失"
