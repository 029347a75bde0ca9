"""Whose a sealed blob is: among the entries that name it, those that count.

Any chain may write any hash, so naming a blob gives nobody a right to it. A blob belongs to the district (with its edges)
whose entry was the first that came here; what others write of it counts only from this node itself and its parent,
who hand cases on by value. Where an entry says that it tells who a person is, no other naming counts beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from wanmi.models import CALLER, AttachmentRow, EntryRow, table

MOST = 100
"""Namings of one blob by one chain that are looked at, its first ones: an honest blob is named a handful of times."""
_CHUNK = 400
_AT_ONCE = 2_000
"""Rows that one question may bring before the blobs are asked for one by one."""


@dataclass(frozen=True)
class Naming:
    """An entry that names a blob, and as what; ``audience`` as the entry's column tells it."""

    origin: str
    seq: int
    subject: str
    role: str
    blob: str
    audience: str

    @property
    def key(self) -> tuple[str, int, str]:
        """Which of the entry's parts this is."""
        return self.origin, self.seq, self.role


def vouchers_of(code: str, parent: str | None) -> frozenset[str]:
    """Whose word on other districts' blobs counts at a node: its own and its parent's."""
    return frozenset({code, parent or code})


def namings_of(tx: Connection, blobs: Iterable[str], vouchers: Collection[str]) -> dict[str, list[Naming]]:
    """The namings that count, in the order in which they came here, by blob; ``vouchers``: this node and its parent."""
    found: dict[str, list[Naming]] = {}
    for naming in _read(tx, sorted(set(blobs))):
        found.setdefault(naming.blob, []).append(naming)
    return {blob: counting(namings, vouchers) for blob, namings in found.items()}


def counting(namings: Iterable[Naming], vouchers: Collection[str]) -> list[Naming]:
    """Those of one blob's namings, in their order here, that count. Pure."""
    given = list(namings)
    given = [one for one in given if one.role == CALLER] or given
    return [one for one in given if one.origin in vouchers or of_one_district(one.origin, given[0].origin)]


def of_one_district(origin: str, other: str) -> bool:
    """Whether two nodes are one district's: itself and its edges, whose codes begin with its own."""
    return origin[:6] == other[:6]


def _read(tx: Connection, blobs: list[str]) -> Iterable[Naming]:
    """The namings in their order here. A few blobs that few entries name are one question; where somebody names one
    without end each blob is asked for by itself, and the first ``MOST`` of each chain are enough.
    """
    for start in range(0, len(blobs), _CHUNK):
        chunk = blobs[start : start + _CHUNK]
        rows = tx.execute(_query().where(table(AttachmentRow).c.blob.in_(chunk)).limit(_AT_ONCE + 1)).all()
        if len(rows) > _AT_ONCE:
            rows = [row for blob in chunk for row in _first_of_each(tx, blob)]
        for *naming, _, _ in sorted(rows, key=_order):
            yield Naming(*naming)


def _first_of_each(tx: Connection, blob: str) -> list[Row[Any]]:
    """The first ``MOST`` namings of a blob in each chain; those that tell who a person is alone where there are any.

    A chain's entries come here in its own order: its first by number is its first here. What is read grows with the
    chains, of which an operator admits each, and not with what one of them writes.
    """
    named = table(AttachmentRow).c
    of_caller = (named.blob == blob) & (named.role == CALLER)
    any_caller = tx.execute(select(named.seq).where(of_caller).limit(1)).first() is not None
    which = of_caller if any_caller else named.blob == blob
    found: list[Row[Any]] = []
    origin: str | None = tx.execute(select(func.min(named.origin)).where(which)).scalar()
    while origin is not None:
        own = which & (named.origin == origin)
        found += tx.execute(_query().where(own).order_by(named.seq, named.n).limit(MOST)).all()
        origin = tx.execute(select(func.min(named.origin)).where(which, named.origin > origin)).scalar()
    return found


def _query() -> Select[Any]:
    named, entry = table(AttachmentRow).c, table(EntryRow).c
    same = (entry.origin == named.origin) & (entry.seq == named.seq)
    columns = (named.origin, named.seq, named.subject, named.role, named.blob, entry.audience, entry.pos, named.n)
    return select(*columns).outerjoin_from(table(AttachmentRow), table(EntryRow), same)


def _order(row: Row[Any]) -> tuple[int, int]:
    return row.pos or 0, row.n
