"""A disk that really is full: a small tmpfs, filled to the last byte under a running edge."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.street import District, Line, RunningEdge, Street, make_edge_dir, open_edge, running, until
from wanmi_edge.disk import DiskGuard, make_reserve
from wanmi_edge.tally import read_tally

MIB = 1 << 20
SETTINGS = {"edge.intake": {"reserve_mib": 3, "kept_back_mib": 4}}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """40 MiB of tmpfs: the suite runs as root, as the house's machine does."""
    where = tmp_path / "disk"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(where)], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill the disk, to the last byte but ``leave``."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        try:
            while (free := shutil.disk_usage(disk).free) > leave:
                file.write(bytes(min(MIB, free - leave)))
        except OSError:
            return filler
    return filler


def kinds(edge: RunningEdge) -> list[str]:
    entries = edge.node.journal.read(edge.node.code, 0, 100_000, 10**9)
    return [one.entry.kind for one in entries if one.entry and one.entry.kind.startswith("edge.disk")]


@pytest.mark.mosquitto
def test_nothing_acknowledged_is_lost_when_the_disk_is_full(small_disk: Path, tmp_path: Path) -> None:
    district, street = District(tmp_path / "district"), Street("T210102-0001")
    dir = make_edge_dir(small_disk / "edge", district, **SETTINGS)
    with running(open_edge(dir), district) as edge:
        edge.admit(street)
        until((dir / "reserve.space").exists, "some space is kept back")
        before = [street.signed() for _ in range(5)]
        with Line(street, edge.broker) as line:
            line.connect()
            for report, message in before:
                line.send(message)
                line.receipt(report.report_id, 1, "kept")
            filler = fill(small_disk)
            until(lambda: edge.health("edge.intake").state == "bad", "it says so")
            until(lambda: kinds(edge) == ["edge.disk_full"], "journaled on the space that was kept back")
            assert not (dir / "reserve.space").exists()
            fill(small_disk)
            report, message = street.signed()
            line.client.publish(f"wanmi/v1/{street.id}/report", message)
            until(lambda: edge.health("edge.broker").facts or True, "it lives")
            refused = [one for one in line.hear() if one.report_id == report.report_id and one.status != "refused"]
            assert refused == [], "nothing is called kept"
            filler.unlink()
            until(lambda: kinds(edge) == ["edge.disk_full", "edge.disk_recovered"], "journaled, both")
            until(lambda: edge.health("edge.intake").state == "fine", "it takes in again")
            line.send(message)
            line.receipt(report.report_id, 1, "kept")
        received = {entry.body["report_id"] for entry in edge.entries("report.received")}
        assert received == {one.report_id for one, _ in [*before, (report, message)]}
        assert [one.missing for one in read_tally(edge.node)] == [0, 0, 0]
        until((dir / "reserve.space").exists, "kept back again")


def test_what_could_not_be_journaled_is_journaled_when_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    """No reserve, no room: both entries come afterwards, with the times of then; a restart in between knows it."""
    district = District(tmp_path / "district")
    dir = make_edge_dir(small_disk / "edge", district, **SETTINGS)
    with open_edge(dir) as node:
        guard = DiskGuard(node, 3 * MIB, 0)
        guard.look()
        assert guard.spell is None
        (dir / "reserve.space").unlink()
        filler = fill(small_disk)
        guard.look()
        assert guard.spell is not None
        assert guard.spell.least < 3 * MIB
        since = guard.spell.since
        filler.unlink()
        guard.look()
        entries = [one.entry for one in node.journal.subject(f"disk:{node.code}") if one.entry]
        assert [one.kind for one in entries] == ["edge.disk_full", "edge.disk_recovered"]
        assert {one.body["since"] for one in entries} == {since}
        fill(small_disk, leave=2 * MIB)
        guard.look()
        assert DiskGuard(node, 3 * MIB, 0).spell is not None, "a restart knows that it was full"


def test_no_room_for_a_reserve_leaves_nothing_behind(small_disk: Path) -> None:
    make_reserve(small_disk / "reserve.space", 100 * MIB)
    assert list(small_disk.iterdir()) == []
