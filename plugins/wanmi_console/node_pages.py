"""The node's own state, and the entries of any subject."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from wanmi.entries import GENESIS
from wanmi.query import (
    Arrival,
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
from wanmi.registry import Stored
from wanmi.web import needs
from wanmi.web.seen import without_caller
from wanmi_console.pages import Pages
from wanmi_console.words import NODE_STATES, ROLES, STATES

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wanmi_console.pages import Visit

_WORST = ("bad", "warn", "unknown", "fine")


@dataclass(frozen=True)
class ChainLine:
    """A chain as this node holds it, with who signed and countersigned how much of it."""

    origin: str
    seq: int
    hash: str
    head: SignedHead | None
    cosigns: list[SignedHead]
    arrivals: list[Arrival]


@dataclass(frozen=True)
class EntryLine:
    """An entry as a page shows it."""

    stored: Stored
    proof: Proof
    title: str
    sentence: str
    hash: str
    text: str


def node_routes(router: APIRouter, pages: Pages) -> None:
    """/node, /subjects"""
    node = pages.node

    @router.get("/node")
    @needs("node.read")
    async def node_page(request: Request) -> Response:
        """Probes, links, chains, nodes, plugins."""
        visit = pages.visit(request)
        with node.store.reader() as tx:
            known, links = nodes(tx), link_states(tx)
            forks, quarantined = count_forks(tx), count_quarantined(tx)
        health = sorted(node.health(), key=lambda line: (_WORST.index(line.state), line.name))
        return pages.show(
            visit,
            "node.html",
            health=health,
            chains=_chains(pages),
            links=links,
            known=known,
            forks=forks,
            quarantined=quarantined,
            plugins=sorted(node.registry.plugins.items()),
            states=STATES,
            roles=ROLES,
            node_states=NODE_STATES,
        )

    @router.get("/subjects")
    @needs("journal.read")
    async def subject_page(request: Request, s: str = "") -> Response:
        """Every entry about one subject, of whatever kind."""
        visit = pages.visit(request)
        entries = node.journal.subject(s) if s else []
        case = s.removeprefix("case:") if s.startswith("case:") and entries else ""
        return pages.show(visit, "subject.html", subject=s, entries=entry_lines(pages, visit, entries), case=case)


def entry_lines(pages: Pages, visit: Visit, entries: Sequence[Stored], *, callers: bool = True) -> list[EntryLine]:
    """Entries with their sentence and their proof; without ``callers`` nothing stands there of who called."""
    teller = pages.teller(visit)
    return [
        EntryLine(
            stored, proof, teller.title(stored), teller.sentence(stored), stored.hash.hex(), _pretty(stored, callers)
        )
        for stored, proof in zip(entries, proofs_of(pages.node.journal, entries), strict=True)
    ]


def _pretty(stored: Stored, callers: bool) -> str:
    """The entry's JSON, indented for reading; what was hashed is the same without blanks, and with who called."""
    if stored.raw is None:
        return ""
    told = json.loads(stored.raw)
    if not callers:
        told["body"] = without_caller(told["body"])
    return json.dumps(told, ensure_ascii=False, indent=2)


def _chains(pages: Pages) -> list[ChainLine]:
    node = pages.node
    with node.store.reader() as tx:
        signed, counter, arrived = heads(tx), cosigns(tx), arrivals(tx)
    by_origin = {one.origin: one for one in signed}
    cursors = sorted(node.journal.cursors().items(), key=lambda item: (item[0] != node.code, item[0]))
    return [
        ChainLine(
            origin,
            cursor.seq,
            (cursor.hash or GENESIS).hex(),
            by_origin.get(origin),
            [one for one in counter if one.origin == origin],
            [one for one in arrived if one.origin == origin],
        )
        for origin, cursor in cursors
    ]
