"""Whose a sealed blob is: among the entries that name it, those that count.

Any chain may write any hash, so naming a blob gives nobody a right to it. A blob belongs to the district (with its edges)
whose entry was the first that came here; what others write of it counts only from this node itself and its parent,
who hand cases on by value. Where an entry says that it tells who a person is, no other naming counts beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from wanmi.models import CALLER, AttachmentRow, EntryRow, table

_CHUNK = 400


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
    named, entry = table(AttachmentRow).c, table(EntryRow).c
    same = (entry.origin == named.origin) & (entry.seq == named.seq)
    query = (
        select(named.origin, named.seq, named.subject, named.role, named.blob, entry.audience)
        .outerjoin_from(table(AttachmentRow), table(EntryRow), same)
        .order_by(entry.pos, named.n)
    )
    for start in range(0, len(blobs), _CHUNK):
        for row in tx.execute(query.where(named.blob.in_(blobs[start : start + _CHUNK]))):
            yield Naming(*row)
