"""/api/v1: entries for auditors, chains with signed heads and countersignatures, nodes, links, health."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query

from wanmi import __version__
from wanmi.entries import Audience
from wanmi.errors import BadInput
from wanmi.query import (
    Arrival,
    LinkState,
    NodeLine,
    Proof,
    SignedHead,
    arrivals,
    cosigns,
    count_forks,
    count_quarantined,
    heads,
    link_states,
    nodes,
    proofs_of,
)
from wanmi.registry import Health, NodeContext, Stored
from wanmi.web.bounds import Id
from wanmi.web.callers import Reading, needs

MAX_ENTRIES = 1000


@dataclass(frozen=True)
class EntryOut:
    """An entry: its envelope (null where this node is not addressed), its hashes in hex, its proof."""

    origin: str
    seq: int
    at: int | None
    kind: str | None
    subject: str | None
    version: int | None
    actor: str | None
    by: str | None
    cause: str | None
    body: dict[str, Any] | None
    audience: Audience
    digest: str
    hash: str
    received_at: int
    proof: Proof


@dataclass(frozen=True)
class RawEntryOut:
    """An entry's exact bytes (base64) with what its hash is made of: enough to verify the chain."""

    seq: int
    audience: Audience
    digest: str
    hash: str
    raw: str | None


@dataclass(frozen=True)
class RawEntriesOut:
    """A piece of a chain; ``previous`` is the hash before it, ``next`` the ``after`` of the next piece."""

    origin: str
    previous: str
    entries: list[RawEntryOut]
    next: int | None


@dataclass(frozen=True)
class ChainOut:
    """A chain as this node holds it."""

    origin: str
    seq: int
    hash: str


@dataclass(frozen=True)
class HeadsOut:
    """Chains, their newest signed heads, and the newest countersignatures."""

    chains: list[ChainOut]
    heads: list[SignedHead]
    cosigns: list[SignedHead]
    forks: int
    quarantined: int


@dataclass(frozen=True)
class LinksOut:
    """Links as their parents journaled them, with the last arrivals of each chain."""

    links: list[LinkState]
    arrivals: list[Arrival]


@dataclass(frozen=True)
class OwnNodeOut:
    """The node that answers: its code, role, parent, time (µs UTC) and version."""

    code: str
    role: str
    parent: str | None
    now: int
    version: str


@dataclass(frozen=True)
class HealthOut:
    """One line of health with its reason."""

    name: str
    state: str
    reason: str
    facts: dict[str, str | int]


def journal_routes(node: NodeContext) -> APIRouter:
    """Routes under /api/v1 about the journal and the federation."""
    router = APIRouter(tags=["journal"])

    @router.get("/subjects/entries")
    @needs("journal.read")
    async def entries_of_subject(_caller: Reading, subject: Id) -> list[EntryOut]:
        """Every entry about a subject such as ``case:210102-E0102-20261124-0007``, of any kind."""
        return entries_out(node, node.journal.subject(subject))

    @router.get("/entries")
    @needs("journal.read")
    async def entries(
        _caller: Reading,
        origin: Id,
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_ENTRIES)] = 100,
    ) -> RawEntriesOut:
        """A chain's entries as bytes, for auditors: hash them again with any language."""
        return raw_entries(node, origin, after, limit)

    @router.get("/heads")
    @needs("journal.read")
    async def signed_heads(_caller: Reading) -> HeadsOut:
        """Where every chain stands, who signed it and who countersigned it."""
        chains = [
            ChainOut(code, cursor.seq, cursor.hash.hex()) for code, cursor in sorted(node.journal.cursors().items())
        ]
        with node.store.reader() as tx:
            return HeadsOut(chains, heads(tx), cosigns(tx), count_forks(tx), count_quarantined(tx))

    @router.get("/nodes")
    @needs("node.read")
    async def known_nodes(_caller: Reading) -> list[NodeLine]:
        """Every node known here."""
        with node.store.reader() as tx:
            return nodes(tx)

    @router.get("/node")
    @needs("node.read")
    async def own_node(_caller: Reading) -> OwnNodeOut:
        """Which node this is."""
        return OwnNodeOut(node.code, node.role, node.parent, node.clock.now(), __version__)

    @router.get("/links")
    @needs("node.read")
    async def links(_caller: Reading) -> LinksOut:
        """Links and arrivals."""
        with node.store.reader() as tx:
            return LinksOut(link_states(tx), arrivals(tx))

    @router.get("/health")
    @needs("node.read")
    async def health(_caller: Reading) -> list[HealthOut]:
        """Every probe's lines, with reasons."""
        return [health_out(line) for line in node.health()]

    return router


def entries_out(node: NodeContext, entries: Sequence[Stored]) -> list[EntryOut]:
    """Entries with their proofs."""
    return [_entry_out(entry, proof) for entry, proof in zip(entries, proofs_of(node.journal, entries), strict=True)]


def raw_entries(node: NodeContext, origin: str, after: int, limit: int) -> RawEntriesOut:
    """A piece of a chain; BadInput when ``after`` lies beyond its end."""
    previous = node.journal.hash_at(origin, after)
    if previous is None:
        held = node.journal.cursor(origin).seq
        raise BadInput(f"chain {origin}: {held} entries are held here, none after {after}")
    entries = node.journal.read(origin, after, limit)
    last = entries[-1].seq if entries else after
    more = last < node.journal.cursor(origin).seq
    return RawEntriesOut(origin, previous.hex(), [_raw_out(one) for one in entries], last if more else None)


def health_out(line: Health) -> HealthOut:
    """A line of health as JSON."""
    return HealthOut(line.name, line.state, line.reason, dict(line.facts))


def _entry_out(stored: Stored, proof: Proof) -> EntryOut:
    e = stored.entry
    return EntryOut(
        stored.origin,
        stored.seq,
        e.at if e else None,
        e.kind if e else None,
        e.subject if e else None,
        e.version if e else None,
        e.actor if e else None,
        e.by if e else None,
        e.cause if e else None,
        e.body if e else None,
        stored.audience,
        stored.digest.hex(),
        stored.hash.hex(),
        stored.received_at,
        proof,
    )


def _raw_out(stored: Stored) -> RawEntryOut:
    raw = None if stored.raw is None else base64.b64encode(stored.raw).decode()
    return RawEntryOut(stored.seq, stored.audience, stored.digest.hex(), stored.hash.hex(), raw)
