"""Where chains to be verified come from: a node's database (read only) or a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from wanmi.entries import Audience, Cosign, Head
from wanmi.errors import StoreError
from wanmi.journal.rows import ENTRY, HEAD, audience_of
from wanmi.models import CosignRow, ForkRow, table
from wanmi.store import Store

COLUMNS = ("v", "at", "audience", "kind", "kind_v", "subject", "version", "actor", "by", "cause", "body", "salt")
"""Columns that are a view of ``raw`` and must agree with it (besides origin and seq)."""


@dataclass(frozen=True)
class Line:
    """One entry as it is held: nothing in it is trusted. ``columns`` is None where there is no table."""

    origin: str
    seq: int
    audience: Audience
    raw: bytes | None
    digest: bytes
    hash: bytes | None
    columns: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Fork:
    """Kept evidence of a fork."""

    origin: str
    seq: int
    peer: str


class Source(Protocol):
    """What can be verified; ``node`` is whose database it is, None for a bundle."""

    name: str
    node: str | None
    heads: list[Head]
    cosigns: list[Cosign]
    forks: list[Fork]

    def origins(self) -> list[str]:
        """Node codes of the chains in it."""
        ...

    def lines(self, origin: str) -> Iterator[Line]:
        """A chain's entries by their seq."""
        ...


@dataclass
class MemorySource:
    """Chains in memory: a bundle that was read."""

    name: str
    node: str | None = None
    chains: dict[str, list[Line]] = field(default_factory=dict)
    heads: list[Head] = field(default_factory=list)
    cosigns: list[Cosign] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=list)

    def origins(self) -> list[str]:
        """Node codes of the chains in it."""
        return sorted(self.chains)

    def lines(self, origin: str) -> Iterator[Line]:
        """A chain's entries as the bundle lists them."""
        return iter(self.chains[origin])


class DatabaseSource:
    """A node's database, read only and row by row."""

    def __init__(self, name: str, store: Store, node: str | None = None) -> None:
        self.name = name
        self.node = node
        self._store = store
        self.heads = [Head(r.origin, r.seq, bytes(r.hash), r.at, bytes(r.sig)) for r in self._all(select(HEAD))]
        cosign, fork = table(CosignRow), table(ForkRow)
        self.cosigns = [
            Cosign(r.origin, r.seq, bytes(r.hash), r.by, r.at, bytes(r.sig)) for r in self._all(select(cosign))
        ]
        self.forks = [Fork(r.origin, r.seq, r.peer) for r in self._all(select(fork))]

    def origins(self) -> list[str]:
        """Node codes of the chains in it, heads without entries included."""
        held = {r.origin for r in self._all(select(ENTRY.c.origin).distinct())}
        return sorted(held | {head.origin for head in self.heads})

    def lines(self, origin: str) -> Iterator[Line]:
        """A chain's rows by their ``seq`` column."""
        query = select(ENTRY).where(ENTRY.c.origin == origin).order_by(ENTRY.c.seq, ENTRY.c.pos)
        with self._store.reader() as connection:
            result = connection.execution_options(yield_per=1000).execute(query)
            for row in result:
                yield _line(row)

    def _all(self, query: Any) -> Iterable[Any]:
        with self._store.reader() as connection:
            return connection.execute(query).all()


def database_source(name: str, url: str, node: str | None = None) -> DatabaseSource:
    """Open a database to read only; StoreError when it cannot be read as a journal.

    ``node`` is the code of the node whose database it is: then bytes that it should hold must be there.
    """
    store = Store.open_to_read(url)
    try:
        return DatabaseSource(name, store, node)
    except SQLAlchemyError as error:
        raise StoreError(f"{name}: cannot be read as a journal: {getattr(error, 'orig', None) or error}") from error


def _line(row: Any) -> Line:
    audience = row.audience if isinstance(row.audience, str) else ""
    return Line(
        str(row.origin),
        int(row.seq),
        audience_of(audience),
        None if row.raw is None else _bytes(row.raw),
        _bytes(row.digest),
        _bytes(row.hash),
        {name: row._mapping[name] for name in COLUMNS},
    )


def _bytes(value: Any) -> bytes:
    """A tampered column may hold text where bytes belong: then it is compared as what it is."""
    return value.encode() if isinstance(value, str) else bytes(value or b"")
