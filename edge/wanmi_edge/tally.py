"""The ledger of an edge: what it took in = what its district holds + what waits + what was refused.

Two counts that know nothing of each other. *Taken in* is counted up in the transaction that makes a thing durable; the
other side is counted in the tables where the things lie. A difference means that something is gone, and is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import BigInteger, Connection, ScalarSelect, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.journal.task_rows import AnswerRow, TrackRow
from wanmi.models import ReportRow, Row, mark, table
from wanmi.registry import NodeContext
from wanmi.store import insert_rows
from wanmi_edge.rows import TrackBatchRow, WaitingRow

REPORTS, ANSWERS, POSITIONS = "reports", "answers", "positions"
KINDS = (REPORTS, ANSWERS, POSITIONS)
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {REPORTS: ("上报", "reports"), ANSWERS: ("任务回复", "answers"), POSITIONS: ("轨迹点", "positions")}
)


class CountRow(Row):
    """What was taken in since the edge began; ``let_go``: of it, what was refused without an entry of its own.

    Positions whose terminal was admitted with another key meanwhile, reports that waited for photos too long.
    """

    __tablename__ = "edge_count"
    what: Mapped[str] = mapped_column(String(20), primary_key=True)
    taken: Mapped[int] = mapped_column(BigInteger)
    let_go: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


@dataclass(frozen=True)
class Tally:
    """One line of the ledger. ``refused`` includes what was let go without an entry."""

    what: str
    taken: int
    delivered: int
    waiting: int
    refused: int

    @property
    def missing(self) -> int:
        """How many of those taken in are nowhere; 0 unless something is gone."""
        return self.taken - self.delivered - self.waiting - self.refused

    def __str__(self) -> str:
        said = (
            f"{self.what} {self.taken} = {self.delivered} delivered + {self.waiting} waiting + {self.refused} refused"
        )
        return said if not self.missing else f"{said}: {self.missing} are MISSING"


def count_in(tx: Connection, what: str, taken: int, let_go: int = 0) -> None:
    """Count in the transaction that takes something in, or lets it go."""
    if taken or let_go:
        row = table(CountRow)
        more = {"taken": row.c.taken + taken, "let_go": row.c.let_go + let_go}
        tx.execute(update(row).where(row.c.what == what).values(more))


def open_tally(node: NodeContext) -> None:
    """At a start: begin to count, with what is there already. Entries that a peer gave back after a lost disk are added.

    More entries than were counted can only be given back: they are signed. Fewer stay a difference, and are shown.
    """
    upto = _covered(node)

    def begin(tx: Connection) -> None:
        held = {row.what: row.taken for row in tx.execute(select(table(CountRow)))}
        for tally in _read(tx, node.code, upto):
            if tally.what not in held:
                insert_rows(tx, CountRow, [(tally.what, tally.taken - tally.missing, 0)])
            elif tally.missing < 0:
                count_in(tx, tally.what, -tally.missing)

    node.store.write(begin).result()


def read_tally(node: NodeContext) -> tuple[Tally, ...]:
    """The ledger as it stands: one line for each kind, all of one moment."""
    upto = _covered(node)
    with node.store.reader() as tx:
        return tuple(_read(tx, node.code, upto))


def _covered(node: NodeContext) -> int:
    """Up to which entry the parent has countersigned this edge's chain."""
    cosign = node.journal.best_cosign(node.code, by=node.parent) if node.parent else None
    return cosign.seq if cosign is not None else 0


def _read(tx: Connection, edge: str, upto: int) -> Iterator[Tally]:
    """``upto``: the newest entry that the parent has countersigned. One statement, so one moment in any database."""
    queries = [
        *_counted(),
        *_entries(ReportRow, edge, upto),
        select(func.count()).select_from(table(WaitingRow)).scalar_subquery(),
        *_entries(AnswerRow, edge, upto),
        *_segments(edge, upto),
        select(func.coalesce(func.sum(table(TrackBatchRow).c.fixes), 0)).scalar_subquery(),
    ]
    found = [int(value or 0) for value in tx.execute(select(*queries)).one()]
    counts = dict(zip(KINDS, zip(found[0:6:2], found[1:6:2], strict=True), strict=True))
    reports, in_room, answers, segments, loose = found[6:9], found[9], found[10:13], found[13:15], found[15]
    yield _tally(REPORTS, counts, reports[0], reports[1] + in_room, reports[2])
    yield _tally(ANSWERS, counts, *answers)
    yield _tally(POSITIONS, counts, segments[0], segments[1] + loose, 0)


def _tally(what: str, counts: Mapping[str, tuple[int, int]], delivered: int, waiting: int, refused: int) -> Tally:
    taken, let_go = counts[what]
    return Tally(what, taken, delivered, waiting, refused + let_go)


def _counted() -> Iterator[ScalarSelect[int]]:
    row = table(CountRow).c
    for what in KINDS:
        yield select(row.taken).where(row.what == what).scalar_subquery()
        yield select(row.let_go).where(row.what == what).scalar_subquery()


def _entries(of: type[ReportRow | AnswerRow], edge: str, upto: int) -> Iterator[ScalarSelect[int]]:
    """Kept and countersigned, kept and not yet, refused."""
    row = table(of).c
    own = select(func.count()).select_from(table(of)).where(row.edge == edge)
    yield own.where(row.status == "kept", row.seq <= upto).scalar_subquery()
    yield own.where(row.status == "kept", row.seq > upto).scalar_subquery()
    yield own.where(row.status == "refused").scalar_subquery()


def _segments(edge: str, upto: int) -> Iterator[ScalarSelect[int]]:
    """Positions in sealed segments, countersigned and not yet."""
    row = table(TrackRow).c
    own = select(func.coalesce(func.sum(row.fixes), 0)).where(row.edge == edge)
    yield own.where(row.seq <= upto).scalar_subquery()
    yield own.where(row.seq > upto).scalar_subquery()
