"""Contested cases: who writes them into the queue, who decides, and what the queue holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import msgspec
from sqlalchemy import Connection, select, tuple_

from wanmi.codes import local_date
from wanmi.entries import EVERYONE, Audience
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.store.kept import Kept
from wanmi_casework.routing.answer import Route
from wanmi_casework.routing.kept import current_book
from wanmi_casework.routing.kinds import ClaimSet, RouteArbitrated, RouteContested
from wanmi_casework.routing.tables import ARBITRATION, ArbitrationRow, arbitration_subject

LONGEST_OPINION = 2000
Mark = tuple[int, str]
"""(contested at, case): where a page of the queue ended."""


@dataclass(frozen=True)
class Arbitration:
    """A contested case; the last five are None while it is ``open``. Times µs UTC; ``entry`` is the decision's."""

    case: str
    owner: str
    state: str
    claims: tuple[ClaimSet, ...]
    version: str
    contested_at: int
    department: str | None
    opinion: str | None
    arbiter: str | None
    decided_at: int | None
    entry: str | None


AlsoDecided = Callable[[Connection, Arbitration], None]
"""Local writes with a decision, given the arbitration as it stands then."""


def contest_draft(node: NodeContext, case: str, route: Route, actor: str | None = None) -> Draft | None:
    """The entry that puts a contested case into the queue; None when the route is settled or the case waits already.

    Append it with the step that found the contest, so that both stand or neither.
    """
    if not route.contested or route.arbitrated is not None:
        return None
    known = find_arbitration(node, case)
    if known is not None and known.state == "open":
        return None
    claims = [ClaimSet(one.rule, one.responsibility, one.department) for one in route.contested]
    body = RouteContested(case, claims, route.version, route.at)
    return Draft("route.contested", arbitration_subject(case), body, case_audience(node), actor)


def refuse_contested(node: NodeContext, case: str, route: Route, actor: str | None = None) -> NoReturn:
    """Refuse to dispatch a contested case without a department; it stands in the queue then, if it did not before."""
    draft = contest_draft(node, case, route, actor)
    if draft is not None:
        node.journal.append(draft).result()
    claims = ", ".join(f"rule {one.rule} says {one.department}" for one in route.contested)
    raise Conflict(
        f"case {case}: who handles it is contested ({claims}); it waits for an arbiter in /api/v1/arbitration, who "
        f"decides with POST /api/v1/arbitration/{case}; then dispatch it again, or name the department yourself"
    )


def arbitrate(
    node: NodeContext, case: str, department: str, opinion: str, actor: str, also: AlsoDecided | None = None
) -> Arbitration:
    """Decide a contested case: any department in force may be given, an opinion is required; with the writes of ``also``.

    Raises NotFound (not in the queue), Conflict (somebody decided before), BadInput (department, opinion).
    """
    waiting = _waiting(node, case)
    opinion = opinion.strip()
    if not 0 < len(opinion) <= LONGEST_OPINION:
        raise BadInput(f"case {case}: an arbitration needs an opinion of at most {LONGEST_OPINION} characters")
    day = local_date(node.clock.now()).isoformat()
    if current_book(node).department(department, day) is None:
        raise BadInput(f"case {case}: department {department!r} is not in force here on {day}; choose one of the list")
    versions = len(node.journal.subject(arbitration_subject(case)))
    body = RouteArbitrated(case, department, opinion)
    draft = Draft("route.arbitrated", arbitration_subject(case), body, case_audience(node), actor, expect=versions)
    made: list[Arbitration] = []

    def work(tx: Connection, _stored: list[Stored]) -> None:
        made.append(_find(tx, case) or waiting)
        if also is not None:
            also(tx, made[-1])

    node.journal.append(draft, also=work).result()
    return made[-1]


def _waiting(node: NodeContext, case: str) -> Arbitration:
    known = find_arbitration(node, case)
    if known is None or known.owner != node.code:
        raise NotFound(f"case {case}: waits for no arbitration at node {node.code}")
    if known.state != "open":
        raise Conflict(f"case {case}: {known.arbiter or 'somebody'} gave it to {known.department} before")
    return known


def find_arbitration(node: NodeContext, case: str) -> Arbitration | None:
    """The arbitration of a case, waiting or decided; kept until one changes, since each dispatch asks."""

    def ask() -> tuple[Arbitration | None]:
        with node.store.asker() as connection:
            return (_find(connection, case),)

    kept: Kept[tuple[Arbitration | None]] = node.store.kept("arbitration", ArbitrationRow)
    found = kept.get(case, node.clock.monotonic(), ask)
    return None if found is None else found[0]


def _find(tx: Connection, case: str) -> Arbitration | None:
    row = tx.execute(select(ARBITRATION).where(ARBITRATION.c.case == case)).one_or_none()
    return None if row is None else _arbitration(row)


def queue(node: NodeContext, state: str = "open", after: Mark | None = None, limit: int = 50) -> list[Arbitration]:
    """Contested cases of the chains held here, those that wait longest first; the page after ``after``."""
    query = select(ARBITRATION).where(ARBITRATION.c.state == state)
    if after is not None:
        query = query.where(tuple_(ARBITRATION.c.contested_at, ARBITRATION.c.case) > after)
    query = query.order_by(ARBITRATION.c.contested_at, ARBITRATION.c.case).limit(limit)
    with node.store.reader() as connection:
        return [_arbitration(row) for row in connection.execute(query)]


def case_audience(node: NodeContext) -> Audience:
    """As a case's own entries: the parent of a district, else everyone."""
    return (node.parent,) if node.parent is not None else EVERYONE


def _arbitration(row: object) -> Arbitration:
    said = row._mapping  # type: ignore[attr-defined]
    fields = {name: said[name] for name in Arbitration.__dataclass_fields__ if name not in ("claims", "entry")}
    seq = said["decided_seq"]
    return Arbitration(
        **fields,
        claims=tuple(msgspec.json.decode(said["claims"], type=list[ClaimSet])),
        entry=f"{said['owner']}:{seq}" if seq is not None else None,
    )
