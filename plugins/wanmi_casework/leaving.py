"""A case that leaves a department: the reactor `casework.tell_left` says so, the department's queue shows it with the reason.

The department no longer sees such a case, or can do nothing more with it; without this it would just be gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import BigInteger, Connection, Index, String, Text, and_, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.case_kinds import CaseMerged, CaseRequestDecided, CaseStepped, Effect, Opinion
from wanmi.entries import EVERYONE, Entry
from wanmi.errors import BadInput
from wanmi.journal import body_of
from wanmi.models import Row, mark, table
from wanmi.query.filters import read_cursor, write_cursor
from wanmi.registry import Draft, NodeContext, Registry, Stored
from wanmi.store import upsert_rows
from wanmi_casework.desk_shelf import CaseShelf

NAME = "casework.tell_left"
KIND = "department.left"
WORKED = "closed"
"""The state in which a department's work has its usual end."""
MOST = 500
REMEMBERED = 5_000
"""Cases of which is remembered who had them."""


class DepartmentLeft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``department.left``, subject ``left:<case>``: a case is no longer that department's.

    ``what`` took it away (the step, the request that was granted, or ``merge``), ``opinion`` is what was said there; ``to`` is
    the department that has it now, null for none; ``state`` how it stands.
    """

    case: str
    department: str
    what: str
    to: str | None
    state: str
    opinion: Opinion


class DepartmentLeftRow(Row):
    """A case that left a department, by the entry that says so."""

    __tablename__ = "department_left"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    department: Mapped[str] = mapped_column(Text)
    case: Mapped[str] = mapped_column(String(60))
    what: Mapped[str] = mapped_column(Text)
    to: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20))
    opinion: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("department_left_when", "department", "at"))


@dataclass(frozen=True)
class LeftLine:
    """A case that left a department; ``at`` µs UTC."""

    case: str
    department: str
    what: str
    to: str | None
    state: str
    opinion: str
    at: int


@dataclass(frozen=True)
class LeftPage:
    """Cases that left, newest first; ``next`` is the cursor of the following page, null on the last one."""

    left: list[LeftLine]
    next: str | None


def add_leaving(to: Registry) -> None:
    """The kind, its rows, and the reactor."""
    to.entry_kind(KIND, DepartmentLeft, zh="案卷离开部门", en="Case left a department")
    to.projection("department_left", kinds=(KIND,), rows=(DepartmentLeftRow,), apply=project_left)
    kinds = ("case.opened", "case.stepped", "case.request_decided", "case.merged")
    to.reactor(NAME, kinds=kinds, decide=LeftTeller().decide)


class LeftTeller:
    """Says which entry took a case from a department; remembers who had the newest ones, so that few are read again."""

    def __init__(self) -> None:
        self._had: dict[str, tuple[int, str | None]] = {}

    def decide(self, node: NodeContext, batch: Sequence[Stored]) -> Iterable[tuple[Stored, Draft]]:
        """A draft of ``department.left`` for each entry of this node that took a case from a department."""
        for stored in batch:
            if stored.entry is None or stored.origin != node.code:
                continue
            left = self._left(node, stored.entry)
            if left is not None:
                audience = (node.parent,) if node.parent is not None else EVERYONE
                yield stored, Draft(KIND, f"left:{left.case}", left, audience, stored.entry.actor)

    def _left(self, node: NodeContext, entry: Entry) -> DepartmentLeft | None:
        what, after, opinion = _settled(entry)
        known = self._had.pop(entry.subject, None)
        if after is None:
            if entry.kind == "case.opened":
                self._remember(entry, None)
            return None
        if not after.final:
            self._remember(entry, after.department)
        if after.state == WORKED or not _may_have_left(after):
            return None
        number = entry.subject.removeprefix("case:")
        before = known[1] if known and known[0] == entry.version - 1 else _department(node, number, entry.version - 1)
        if before is None or (before == after.department and not after.final):
            return None
        to = after.department if after.department != before else None
        return DepartmentLeft(number, before, what, to, after.state, opinion)

    def _remember(self, entry: Entry, department: str | None) -> None:
        self._had[entry.subject] = (entry.version, department)
        if len(self._had) > REMEMBERED:
            del self._had[next(iter(self._had))]


def _department(node: NodeContext, number: str, version: int) -> str | None:
    return CaseShelf(node).read(number, version).department


def _settled(entry: Entry) -> tuple[str, CaseStepped | Effect | None, str]:
    """What was done, how the case stands after it (None where nothing changed), and what was said."""
    if entry.kind == "case.opened":
        return "", None, ""
    if entry.kind == "case.stepped":
        step = body_of(entry, CaseStepped)
        return step.step, step, step.opinion
    if entry.kind == "case.merged":
        merged = body_of(entry, CaseMerged)
        return "merge", merged.effect, merged.opinion
    decided = body_of(entry, CaseRequestDecided)
    return decided.what, decided.effect if decided.granted else None, decided.opinion


def _may_have_left(after: CaseStepped | Effect) -> bool:
    """A look at the entry alone, so that most steps cost no look at the case: work that only goes on starts no clock."""
    turned = any(effect.what in ("start", "resume") for effect in after.clocks)
    return after.final or after.department is None or turned


def project_left(tx: Connection, entries: Sequence[Entry]) -> None:
    """The projection of ``department.left``."""
    rows = []
    for entry in entries:
        body = body_of(entry, DepartmentLeft)
        rows.append(
            (
                entry.origin,
                entry.seq,
                body.department,
                body.case,
                body.what,
                body.to,
                body.state,
                body.opinion,
                entry.at,
            )
        )
    upsert_rows(tx, DepartmentLeftRow, rows)


def list_left(node: NodeContext, department: str = "", cursor: str = "", limit: int = 50) -> LeftPage:
    """Cases that left a department (any, where none is named), newest first."""
    if not 1 <= limit <= MOST:
        raise BadInput(f"limit {limit}: must be 1 to {MOST}")
    row = table(DepartmentLeftRow).c
    fits = [row.department == department] if department else []
    if cursor:
        at, key = read_cursor(cursor)
        origin, _, seq = key.partition("-")
        later = or_(row.origin < origin, and_(row.origin == origin, row.seq < int(seq if seq.isdigit() else 0)))
        fits.append(or_(row.at < at, and_(row.at == at, later)))
    query = select(table(DepartmentLeftRow)).where(*fits).order_by(row.at.desc(), row.origin.desc(), row.seq.desc())
    with node.store.reader() as tx:
        rows = tx.execute(query.limit(limit + 1)).all()
    lines = [
        LeftLine(one.case, one.department, one.what, one.to, one.state, one.opinion, one.at) for one in rows[:limit]
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return LeftPage(lines, write_cursor(last.at, f"{last.origin}-{last.seq}") if last is not None else None)
