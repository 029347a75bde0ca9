"""Nodes, links, arrivals, signed heads and countersignatures as this node holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, select

from wanmi.models import ArrivalRow, CosignRow, ForkRow, HeadRow, LinkRow, NodeRow, QuarantineRow, Row, table


@dataclass(frozen=True)
class NodeLine:
    """A node as admitted; keys in hex and z85 as its admission gave them, ``at`` µs UTC."""

    code: str
    role: str
    name: str
    region: str
    parent: str | None
    sign_key: str
    state: str
    at: int


@dataclass(frozen=True)
class LinkState:
    """What parent ``by`` journaled last about the link to ``peer``; ``at`` µs UTC."""

    by: str
    peer: str
    up: bool
    at: int


@dataclass(frozen=True)
class Arrival:
    """How far ``origin``'s chain had reached ``by`` at ``at`` (µs UTC), as ``by`` journaled it."""

    by: str
    origin: str
    seq: int
    hash: str
    at: int


@dataclass(frozen=True)
class SignedHead:
    """A signed statement about a chain: by the origin itself (a head), or by another node (a countersignature)."""

    origin: str
    by: str
    seq: int
    hash: str
    at: int
    sig: str


def nodes(tx: Connection) -> list[NodeLine]:
    """Every node known here, by code."""
    n = table(NodeRow)
    return [
        NodeLine(row.code, row.role, row.name, row.region, row.parent, row.sign_key, row.state, row.at)
        for row in tx.execute(select(n).order_by(n.c.code))
    ]


def link_states(tx: Connection) -> list[LinkState]:
    """Links as their parents journaled them."""
    links = table(LinkRow)
    query = select(links).order_by(links.c.by, links.c.peer)
    return [LinkState(row.by, row.peer, bool(row.up), row.at) for row in tx.execute(query)]


def arrivals(tx: Connection) -> list[Arrival]:
    """The last journaled arrival of each chain at each parent."""
    a = table(ArrivalRow)
    query = select(a).order_by(a.c.by, a.c.origin)
    return [Arrival(row.by, row.origin, row.seq, row.hash, row.at) for row in tx.execute(query)]


def heads(tx: Connection) -> list[SignedHead]:
    """The newest signed head of each chain."""
    return [_signed(row, row.origin) for row in tx.execute(_newest(table(HeadRow), "origin"))]


def cosigns(tx: Connection) -> list[SignedHead]:
    """The newest countersignature of each chain by each node."""
    return [_signed(row, row.by) for row in tx.execute(_newest(table(CosignRow), "origin", "by"))]


def count_forks(tx: Connection) -> int:
    """Entries of which this node holds evidence of a fork."""
    return _count(tx, ForkRow)


def count_quarantined(tx: Connection) -> int:
    """Entries that a projection could not take."""
    return _count(tx, QuarantineRow)


def _newest(rows: Table, *by: str) -> Any:
    """The rows with the highest seq for each combination of the columns ``by``."""
    keys = [rows.c[name] for name in by]
    top = select(*keys, func.max(rows.c.seq).label("top")).group_by(*keys).subquery()
    joined = [rows.c[name] == top.c[name] for name in by]
    return select(rows).join(top, (rows.c.seq == top.c.top) & _all(joined)).order_by(*keys)


def _all(parts: list[Any]) -> Any:
    first, *rest = parts
    for part in rest:
        first = first & part
    return first


def _signed(row: Any, by: str) -> SignedHead:
    return SignedHead(row.origin, by, row.seq, row.hash.hex(), row.at, row.sig.hex())


def _count(tx: Connection, row: type[Row]) -> int:
    return int(tx.execute(select(func.count()).select_from(table(row))).scalar_one())
