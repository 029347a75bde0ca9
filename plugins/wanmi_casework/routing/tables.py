"""Projections of routing: every version of its data with the entry that said it, and the arbitration queue."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, Connection, Index, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal import body_of
from wanmi.models import Row, mark, table
from wanmi.store import rows_among, upsert_rows
from wanmi_casework.routing.kinds import (
    DepartmentSet,
    Item,
    ResponsibilitySet,
    RouteArbitrated,
    RouteContested,
    RuleSet,
    code_of,
)

DATA_KINDS: dict[str, type[Item]] = {
    "department.set": DepartmentSet,
    "responsibility.set": ResponsibilitySet,
    "rule.set": RuleSet,
}
QUEUE_KINDS = ("route.contested", "route.arbitrated", "case.stepped", "case.request_decided")
DISPATCH_STAGE = "dispatch"
CODE = String(40)


class RoutingRow(Row):
    """A version of a department, responsibility grid or rule as one entry said it. ``item`` is the body as JSON."""

    __tablename__ = "routing"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(CODE)
    begins: Mapped[str] = mapped_column(String(10))
    ends: Mapped[str | None] = mapped_column(String(10))
    item: Mapped[str] = mapped_column(Text)
    __table_args__ = mark("projection", Index("routing_code", "origin", "kind", "code"))


class ArbitrationRow(Row):
    """A contested case: ``open`` until somebody decides, ``lapsed`` when the case left the stage of dispatch before.

    ``claims`` JSON as in the entry; times µs UTC.
    """

    __tablename__ = "arbitration"
    case: Mapped[str] = mapped_column(String(60), primary_key=True)
    owner: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    claims: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(String(40))
    contested_at: Mapped[int] = mapped_column(BigInteger)
    department: Mapped[str | None] = mapped_column(CODE)
    opinion: Mapped[str | None] = mapped_column(Text)
    arbiter: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_seq: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("arbitration_queue", "owner", "state", "contested_at"))


ROUTING, ARBITRATION = table(RoutingRow), table(ArbitrationRow)


def subject_of(origin: str, item: Item) -> str:
    """The subject of a piece of routing data: ``rule:210102:R1``."""
    names = {DepartmentSet: "department", ResponsibilitySet: "responsibility", RuleSet: "rule"}
    return f"{names[type(item)]}:{origin}:{code_of(item)}"


def arbitration_subject(case: str) -> str:
    """The subject of a case's arbitration."""
    return f"arbitration:{case}"


def project_routing(tx: Connection, entries: Sequence[Entry]) -> None:
    """Every version is kept under the entry that said it: what was asked about earlier stays answerable."""
    rows = []
    for entry in entries:
        item = body_of(entry, DATA_KINDS[entry.kind])
        if entry.subject != subject_of(entry.origin, item):
            raise BadInput(f"{code_of(item)}: belongs to subject {subject_of(entry.origin, item)}, not {entry.subject}")
        if item.ends is not None and item.ends < item.begins:
            raise BadInput(f"{entry.subject}: ends on {item.ends}, before it begins on {item.begins}; mend one")
        rows.append((
            entry.origin, entry.seq, entry.kind, code_of(item), item.begins, item.ends, msgspec.json.encode(item).decode()
        ))  # fmt: skip
    upsert_rows(tx, RoutingRow, rows)


def project_arbitration(tx: Connection, entries: Sequence[Entry]) -> None:
    """The queue: opened by the case's owner, closed by the owner's arbiter or by the case going on without.

    A case may be contested again.
    """
    waiting = _waiting(tx, entries)
    for entry in entries:
        case = entry.subject.partition(":")[2]
        if entry.kind == "route.contested":
            _open(tx, entry, body_of(entry, RouteContested))
            waiting.add(case)
        elif entry.kind == "route.arbitrated":
            _decide(tx, entry, body_of(entry, RouteArbitrated))
            waiting.discard(case)
        elif case in waiting and _moves_on(entry):
            owned = (ARBITRATION.c.case == case, ARBITRATION.c.owner == entry.origin, ARBITRATION.c.state == "open")
            tx.execute(update(ARBITRATION).where(*owned).values(state="lapsed"))


def _waiting(tx: Connection, entries: Sequence[Entry]) -> set[str]:
    """Of the cases that these entries are about, those in the queue: most never were."""
    cases = {entry.subject.partition(":")[2] for entry in entries}
    return {row.case for row in rows_among(tx, ArbitrationRow, "case", cases) if row.state == "open"}


def _moves_on(entry: Entry) -> bool:
    """Whether a case's entry leaves it at another stage than that of dispatch."""
    after = entry.body if entry.kind == "case.stepped" else entry.body["effect"]
    return after is not None and after["stage"] != DISPATCH_STAGE


def _open(tx: Connection, entry: Entry, body: RouteContested) -> None:
    _check_owner(entry, body.case)
    claims = msgspec.json.encode(body.claims).decode()
    row = (body.case, entry.origin, "open", claims, body.version, entry.at, None, None, None, None, None)
    upsert_rows(tx, ArbitrationRow, [row])


def _decide(tx: Connection, entry: Entry, body: RouteArbitrated) -> None:
    _check_owner(entry, body.case)
    known = tx.execute(select(ARBITRATION).where(ARBITRATION.c.case == body.case)).one_or_none()
    if known is None or known.state != "open":
        raise BadInput(f"case {body.case}: waits for no arbitration; contest it first")
    row = (
        body.case, entry.origin, "decided", known.claims, known.version, known.contested_at, body.department, body.opinion,
        entry.actor, entry.at, entry.seq,
    )  # fmt: skip
    upsert_rows(tx, ArbitrationRow, [row])


def _check_owner(entry: Entry, case: str) -> None:
    if entry.subject != arbitration_subject(case):
        raise BadInput(f"case {case}: belongs to subject {arbitration_subject(case)}, not {entry.subject}")
    if not case.startswith(f"{entry.origin}-"):
        raise BadInput(f"case {case}: is not of node {entry.origin}; only its owner has it arbitrated")
