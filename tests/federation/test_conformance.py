"""What any transport must bring: the same tests on memory and on ZeroMQ."""

from __future__ import annotations

import shutil

from sqlalchemy import func, select

from federation.conftest import Family
from federation.sites import Site, wait_until
from wanmi.links import HoldRow
from wanmi.models import ArrivalRow, EntryRow, LinkRow, table
from wanmi.store import upsert_rows


def level(family: Family) -> bool:
    """Whether every chain is everywhere where it belongs."""
    city, district, edge = family.city, family.district, family.edge
    return district.has(edge) and city.has(edge) and city.has(district) and district.has(city) and edge.has(district)


def where(family: Family) -> list[dict[str, int]]:
    """The cursors, for a failing test."""
    return [{o: c.seq for o, c in s.journal.cursors().items()} for s in (family.city, family.district, family.edge)]


def kinds(site: Site, kind: str) -> int:
    """How many entries of a kind of its own a site has."""
    entry = table(EntryRow).c
    with site.store.reader() as tx:
        return int(tx.execute(select(func.count()).where(entry.kind == kind, entry.origin == site.code)).scalar_one())


def stop(site: Site) -> None:
    """End a site as a killed process ends, and close its disk."""
    assert site.runner is not None
    site.runner.stop()
    site.store.close()


def test_chains_go_up_and_down_and_are_countersigned_on_both_sides(family: Family) -> None:
    family.edge.write(3)
    family.start()
    wait_until(lambda: level(family), told=lambda: where(family))
    family.edge.write(2)
    wait_until(lambda: level(family), told=lambda: where(family))

    end = family.edge.journal.cursor(family.edge.code)

    def countersigned(site: Site) -> bool:
        cosign = site.journal.best_cosign(family.edge.code, by=family.district.code)
        return cosign is not None and (cosign.seq, cosign.hash) == (end.seq, end.hash)

    wait_until(lambda: countersigned(family.edge) and countersigned(family.district))


def test_an_edge_chain_reaches_the_city_unchanged(family: Family) -> None:
    family.edge.write(5)
    family.start()
    wait_until(lambda: family.city.has(family.edge), told=lambda: where(family))
    assert [s.raw for s in family.city.journal.read(family.edge.code, 0)] == [
        s.raw for s in family.edge.journal.read(family.edge.code, 0)
    ]


def test_who_is_not_addressed_gets_digests_and_still_verifies(family: Family) -> None:
    family.district.write(4, audience=(family.city.code,))
    family.start()
    wait_until(lambda: family.edge.has(family.district) and family.city.has(family.district))
    hidden = [s for s in family.edge.journal.read(family.district.code, 0) if s.audience == (family.city.code,)]
    assert len(hidden) >= 4
    assert all(s.raw is None and s.entry is None for s in hidden)
    assert all(s.raw is not None for s in family.city.journal.read(family.district.code, 0))


def test_a_cut_link_loses_nothing_and_is_journaled_by_the_parent_alone(family: Family) -> None:
    family.start()
    wait_until(lambda: level(family), told=lambda: where(family))
    family.transport.cut(family.district)
    family.edge.write(7)
    link = table(LinkRow)

    def up(site: Site, peer: Site) -> int | None:
        with site.store.reader() as tx:
            return tx.execute(select(link.c.up).where(link.c.by == site.code, link.c.peer == peer.code)).scalar()

    wait_until(lambda: up(family.city, family.district) == 0)
    wait_until(lambda: family.district.has(family.edge))
    assert not family.city.has(family.edge)
    family.transport.heal(family.district)
    wait_until(lambda: level(family) and up(family.city, family.district) == 1, told=lambda: where(family))
    assert kinds(family.edge, "link.changed") == 0
    assert kinds(family.district, "link.changed") == 1, "of its edge; not of its own link to the city"


def test_parents_journal_arrivals_and_children_do_not(family: Family) -> None:
    family.edge.write(3)
    family.start()
    arrival = table(ArrivalRow)

    def noted(site: Site) -> bool:
        with site.store.reader() as tx:
            query = select(arrival.c.seq).where(arrival.c.by == site.code, arrival.c.origin == family.edge.code)
            return tx.execute(query).scalar() == family.edge.journal.cursor(family.edge.code).seq

    wait_until(lambda: noted(family.district) and noted(family.city) and level(family))
    assert kinds(family.edge, "arrival.noted") == 0
    wait_until(lambda: level(family), told=lambda: where(family))
    quiet = where(family)
    family.city.write(1)
    wait_until(lambda: family.district.has(family.city))
    assert family.edge.journal.cursor(family.edge.code).seq == quiet[2][family.edge.code]


def test_a_killed_and_restarted_receiver_loses_nothing(family: Family) -> None:
    family.start()
    wait_until(lambda: level(family), told=lambda: where(family))
    for _ in range(3):
        assert family.district.runner is not None
        family.district.runner.stop()
        family.edge.write(20)
        family.district.store.close()
        family.district.open()
        family.edge.write(20)
        family.start(family.district)
        family.edge.write(20)
    wait_until(lambda: level(family), told=lambda: where(family))
    assert [s.seq for s in family.city.journal.read(family.edge.code, 0)] == list(range(1, 182))


def test_a_big_backlog_catches_up(family: Family) -> None:
    for _ in range(6):
        family.edge.write(1000)
    family.start()
    wait_until(lambda: level(family), seconds=40.0, told=lambda: where(family))
    assert family.city.journal.cursor(family.edge.code).seq == 6001


def test_photos_follow_the_entries_and_open_only_where_they_may(family: Family) -> None:
    small, big = b"small" * 20, bytes(range(256)) * 3000
    blobs = [family.edge.report("report-0001", small), family.edge.report("report-0002", big)]
    private = family.edge.report("report-0003", b"for the district alone", audience=(family.district.code,))
    family.start()
    wait_until(lambda: all(family.city.blobs.has(blob) for blob in blobs), told=lambda: where(family))
    assert [family.city.blobs.open(blob) for blob in blobs] == [small, big]
    wait_until(lambda: family.district.blobs.has(private))
    assert family.district.blobs.open(private) == b"for the district alone"
    assert not family.city.blobs.has(private)


def test_a_revoked_child_is_refused_with_a_reason_and_its_entries_stay_out(family: Family) -> None:
    family.start()
    wait_until(lambda: level(family), told=lambda: where(family))
    runner = family.edge.runner
    assert runner is not None
    wait_until(lambda: runner.hub.status()[0].up, told=runner.hub.status)
    held = family.district.journal.cursor(family.edge.code)
    family.district.revoke(family.edge)
    wait_until(lambda: not runner.hub.status()[0].up, told=runner.hub.status)
    assert "revoked" in runner.hub.status()[0].reason
    family.edge.write(3)
    family.city.write(1)
    wait_until(lambda: family.district.has(family.city))
    assert family.district.journal.cursor(family.edge.code) == held


def test_a_tail_that_no_peer_holds_whole_comes_back_to_a_restored_node(family: Family) -> None:
    district = family.district
    family.start()
    wait_until(lambda: level(family), told=lambda: where(family))
    stop(district)
    shutil.copy(district.dir / "journal.db", district.dir / "old.db")
    district.open()
    family.start(district)
    for n in range(6):
        district.write(1, audience=(family.city.code if n % 2 else family.edge.code,))
    wait_until(lambda: level(family), told=lambda: where(family))
    before = [s.raw for s in district.journal.read(district.code, 0)]
    assert None not in before

    stop(district)
    shutil.copy(district.dir / "old.db", district.dir / "journal.db")
    district.open()
    rows = [(peer.code, "restored from a backup", 0) for peer in (family.city, family.edge)]
    district.store.write(lambda tx: upsert_rows(tx, HoldRow, rows)).result()
    family.start(district)
    assert district.journal.held is not None
    wait_until(lambda: district.journal.held is None, told=lambda: where(family))
    assert [s.raw for s in district.journal.read(district.code, 0)][: len(before)] == before
    district.write(1)
    wait_until(lambda: level(family), told=lambda: where(family))
