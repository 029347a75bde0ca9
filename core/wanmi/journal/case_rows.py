"""Projections of cases: the case, its requests, its links, who acted on which axis, the photos of its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import msgspec
import orjson
from sqlalchemy import BigInteger, Connection, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi import case_kinds as kinds
from wanmi.cases import CASE_ENTRIES, fold
from wanmi.cases.folding import Outcome
from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.kinds import Attachment, CaseOpened
from wanmi.models import AttachmentRow, CaseRow, Row, mark, table
from wanmi.registry import Registry
from wanmi.store import rows_among, upsert_rows

Values = dict[str, Any]
"""A row as column names and values."""


class CaseRequestRow(Row):
    """A request of a case; ``state`` open, granted, refused, expired. ``reviews`` is a JSON list of [actor, granted, at]."""

    __tablename__ = "case_request"
    number: Mapped[str] = mapped_column(String(60), primary_key=True)
    request: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(10))
    what: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    actor: Mapped[str | None] = mapped_column(Text)
    post: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str | None] = mapped_column(Text)
    opinion: Mapped[str] = mapped_column(Text)
    made_at: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int | None] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger)
    approvers: Mapped[str] = mapped_column(Text)
    reviewers: Mapped[int] = mapped_column(Integer)
    reviews: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("case_request_open", "owner", "state", "expires"))


class CaseLinkRow(Row):
    """A link between cases as the case's owner wrote it; ``live`` 0 once undone."""

    __tablename__ = "case_link"
    number: Mapped[str] = mapped_column(String(60), primary_key=True)
    other: Mapped[str] = mapped_column(String(60), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    live: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("case_link_other", "other"))


class CaseActorRow(Row):
    """Somebody who acted on a case, on an axis; ``at`` is the last time."""

    __tablename__ = "case_actor"
    number: Mapped[str] = mapped_column(String(60), primary_key=True)
    actor: Mapped[str] = mapped_column(Text, primary_key=True)
    axis: Mapped[str] = mapped_column(String(12), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("case_actor_who", "actor"))


_ENTRY_KINDS: Mapping[str, tuple[type[msgspec.Struct], str, str]] = MappingProxyType(
    {
        "case.opened": (CaseOpened, "案卷登记", "Case opened"),
        "case.stepped": (kinds.CaseStepped, "案卷办理", "Case stepped"),
        "case.request_made": (kinds.CaseRequestMade, "提出申请", "Request made"),
        "case.request_decided": (kinds.CaseRequestDecided, "审批申请", "Request decided"),
        "case.request_expired": (kinds.CaseRequestExpired, "申请过期", "Request expired"),
        "case.resumed": (kinds.CaseResumed, "恢复计时", "Case resumed"),
        "case.became_overdue": (kinds.CaseBecameOverdue, "案卷超时", "Case became overdue"),
        "case.linked": (kinds.CaseLinked, "案卷关联", "Case linked"),
        "case.unlinked": (kinds.CaseUnlinked, "解除关联", "Case unlinked"),
        "case.merged": (kinds.CaseMerged, "案卷合并", "Case merged"),
        "case.unmerged": (kinds.CaseUnmerged, "撤销合并", "Merge undone"),
    }
)


def register_cases(to: Registry) -> None:
    """Register the kinds of a case's entries and the rows that they add up to."""
    for name, (body, zh, en) in _ENTRY_KINDS.items():
        to.entry_kind(name, body, zh=zh, en=en)
    rows = (CaseRow, CaseRequestRow, CaseLinkRow, CaseActorRow)
    to.projection("cases", kinds=CASE_ENTRIES, rows=rows, apply=project_cases)
    photos = ("case.stepped", "case.request_made")
    to.projection("case_attachments", kinds=photos, rows=(AttachmentRow,), apply=project_attachments)


def project_attachments(tx: Connection, entries: Sequence[Entry]) -> None:
    """Which sealed blobs steps and requests name."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        attachments = msgspec.convert(entry.body.get("attachments", []), list[Attachment])
        rows += [
            (entry.origin, entry.seq, n, entry.subject, one.role, one.media, one.size, one.digest, one.blob)
            for n, one in enumerate(attachments)
        ]
    upsert_rows(tx, AttachmentRow, rows)


def project_cases(tx: Connection, entries: Sequence[Entry]) -> None:
    """Cases, their requests, links and actors as their owners' entries add up to them."""
    work = _Work(tx, entries)
    for entry in entries:
        work.take(entry)
    work.write()


class _Work:
    """One batch: the rows that it touches, read once, changed in memory, written once."""

    def __init__(self, tx: Connection, entries: Sequence[Entry]) -> None:
        numbers = {entry.subject.removeprefix("case:") for entry in entries if entry.kind != "case.opened"}
        self._tx = tx
        self._cases = _read(tx, CaseRow, numbers)
        asked = {e.subject.removeprefix("case:") for e in entries if e.kind.startswith("case.request_")}
        self._requests = _read(tx, CaseRequestRow, asked)
        self._links: dict[tuple[Any, ...], Values] = {}
        self._actors: dict[tuple[Any, ...], Values] = {}

    def take(self, entry: Entry) -> None:
        """Change the rows by an entry; BadInput for one that does not fit."""
        if entry.kind == "case.opened":
            self._open(entry)
            return
        number = entry.subject.removeprefix("case:")
        case = self._cases.get((number,))
        if case is None:
            raise BadInput(f"{entry.subject}: {entry.kind} of a case that is not known here")
        if case["owner"] != entry.origin or entry.version <= case["version"]:
            raise BadInput(f"{entry.subject}: {entry.origin} wrote version {entry.version} on one of {case['owner']}")
        _TAKES[entry.kind](self, entry, case)
        case["version"], case["changed_at"] = entry.version, entry.at

    def write(self) -> None:
        """Write what was touched."""
        _write(self._tx, CaseRow, self._cases)
        _write(self._tx, CaseRequestRow, self._requests)
        _write(self._tx, CaseLinkRow, self._links)
        _write(self._tx, CaseActorRow, self._actors)

    def _open(self, entry: Entry) -> None:
        if entry.version != 1:
            raise BadInput(f"{entry.subject}: opened at version {entry.version}; a case is opened once, at version 1")
        case = fold(None, entry)
        o = case.opened
        values = msgspec.structs.asdict(o)
        row = {name: values.get(name) for name in _names(CaseRow)}
        row |= {
            "owner": case.owner, "community": None if o.grid is None else o.grid[:12], "report_subject": o.report,
            "opened_at": case.opened_at, "similar": orjson.dumps(o.similar).decode(), "version": case.version,
            "changed_at": case.changed_at, "clock": case.clock, "filed_at": case.filed_at, "final": 0, "overdue": 0,
            "requests": 0, "counts": "{}",
        }  # fmt: skip
        self._cases[(case.number,)] = row
        for who, axis in case.actors:
            self.act(case.number, who, axis, entry.at)

    def stepped(self, entry: Entry, case: Values) -> None:
        """A step: the case stands as the body says."""
        body = body_of(entry, kinds.CaseStepped)
        if body.from_state != case["state"]:
            raise BadInput(f"{entry.subject}: a step from {body.from_state}, but it is {case['state']}")
        _settle(case, body, entry.at)
        for who in (entry.actor, body.confirmed_by):
            self.act(case["number"], who, body.axis, entry.at)

    def request_made(self, entry: Entry, case: Values) -> None:
        """A request waits."""
        body = body_of(entry, kinds.CaseRequestMade)
        self._requests[case["number"], body.request] = {
            "number": case["number"], "request": body.request, "owner": case["owner"], "what": body.what,
            "state": "open", "actor": entry.actor, "post": body.post, "unit": body.unit, "opinion": body.opinion,
            "made_at": entry.at, "until": body.until, "expires": body.expires,
            "approvers": orjson.dumps(body.approvers).decode(), "reviewers": body.reviewers, "reviews": "[]",
            "decided_at": None,
        }  # fmt: skip
        case["requests"] += 1
        self.act(case["number"], entry.actor, body.axis, entry.at)

    def request_decided(self, entry: Entry, case: Values) -> None:
        """A reviewer answered; the last one's grant, or a refusal, ends the request."""
        body = body_of(entry, kinds.CaseRequestDecided)
        request = self._open_request(entry, body.request)
        reviews = [*orjson.loads(request["reviews"]), [entry.actor, body.granted, entry.at]]
        request["reviews"] = orjson.dumps(reviews).decode()
        if not body.granted or len(reviews) >= request["reviewers"]:
            self._end(case, request, "granted" if body.granted else "refused", entry.at)
        if body.effect is not None:
            _settle(case, body.effect, entry.at)
        self.act(case["number"], entry.actor, body.axis, entry.at)

    def request_expired(self, entry: Entry, case: Values) -> None:
        """Nobody decided in time."""
        request = self._open_request(entry, body_of(entry, kinds.CaseRequestExpired).request)
        self._end(case, request, "expired", entry.at)

    def resumed(self, entry: Entry, case: Values) -> None:
        """A suspension ended when the body says."""
        body = body_of(entry, kinds.CaseResumed)
        _settle(case, body.effect, body.effective)
        self.act(case["number"], entry.actor, body.axis, entry.at)

    def became_overdue(self, entry: Entry, case: Values) -> None:
        """One more deadline passed."""
        case["overdue"] += 1
        case["overdue_told"] = body_of(entry, kinds.CaseBecameOverdue).deadline

    def linked(self, entry: Entry, case: Values) -> None:
        """A link, or the end of one."""
        live = entry.kind == "case.linked"
        body = body_of(entry, kinds.CaseLinked) if live else body_of(entry, kinds.CaseUnlinked)
        key = (case["number"], body.other, body.kind)
        self._links[key] = dict(zip(_names(CaseLinkRow), (*key, int(live), entry.at), strict=True))
        self.act(case["number"], entry.actor, body.axis, entry.at)

    def merged(self, entry: Entry, case: Values) -> None:
        """A merge, or its undoing."""
        merge = entry.kind == "case.merged"
        body = body_of(entry, kinds.CaseMerged) if merge else body_of(entry, kinds.CaseUnmerged)
        _settle(case, body.effect, entry.at)
        case["merged_into"] = body.into if isinstance(body, kinds.CaseMerged) else None
        self.act(case["number"], entry.actor, body.axis, entry.at)

    def act(self, number: str, actor: str | None, axis: str | None, at: int) -> None:
        """Somebody acted on an axis."""
        if actor is not None and axis is not None:
            row = dict(zip(_names(CaseActorRow), (number, actor, axis, at), strict=True))
            self._actors[number, actor, axis] = row

    def _open_request(self, entry: Entry, id: str) -> Values:
        request = self._requests.get((entry.subject.removeprefix("case:"), id))
        if request is None or request["state"] != "open":
            raise BadInput(f"{entry.subject}: request {id} is not open")
        return request

    @staticmethod
    def _end(case: Values, request: Values, state: str, at: int) -> None:
        request["state"], request["decided_at"] = state, at
        case["requests"] -= 1


_TAKES: Mapping[str, Callable[[_Work, Entry, Values], None]] = MappingProxyType(
    {
        "case.stepped": _Work.stepped,
        "case.request_made": _Work.request_made,
        "case.request_decided": _Work.request_decided,
        "case.request_expired": _Work.request_expired,
        "case.resumed": _Work.resumed,
        "case.became_overdue": _Work.became_overdue,
        "case.linked": _Work.linked,
        "case.unlinked": _Work.linked,
        "case.merged": _Work.merged,
        "case.unmerged": _Work.merged,
    }
)


def _settle(case: Values, outcome: Outcome, at: int) -> None:
    """The case's columns as the body says it stands."""
    limit = outcome.limit
    case |= {
        "state": outcome.state, "stage": outcome.stage, "final": int(outcome.final), "department": outcome.department,
        "collector": outcome.collector, "clock": outcome.clock, "limit_value": None if limit is None else limit.value,
        "limit_unit": None if limit is None else limit.unit, "deadline": outcome.deadline, "warn_at": outcome.warn,
        "until": outcome.until, "closed_at": _closed_at(case, outcome, at),
    }  # fmt: skip
    if case["filed_at"] is None and outcome.stage == "dispatch":
        case["filed_at"] = at
    if outcome.counts:
        counts = orjson.loads(case["counts"])
        for name in outcome.counts:
            counts[name] = counts.get(name, 0) + 1
        case["counts"] = orjson.dumps(counts, option=orjson.OPT_SORT_KEYS).decode()


def _closed_at(case: Values, outcome: Outcome, at: int) -> int | None:
    """When the case ended: what is decided about it afterwards (an appeal) does not move that."""
    if not outcome.final:
        return None
    return at if case["closed_at"] is None else int(case["closed_at"])


@cache
def _names(row: type[Row]) -> tuple[str, ...]:
    return tuple(column.name for column in table(row).columns)


def _read(tx: Connection, row: type[Row], numbers: Iterable[str]) -> dict[tuple[Any, ...], Values]:
    """Rows of these cases by primary key."""
    found, names = {}, _names(row)
    keys = [column.name for column in table(row).primary_key.columns]
    for values in rows_among(tx, row, "number", numbers):
        one = dict(zip(names, values, strict=True))
        found[tuple(one[key] for key in keys)] = one
    return found


def _write(tx: Connection, row: type[Row], rows: Mapping[tuple[Any, ...], Values]) -> None:
    ordered = itemgetter(*_names(row))
    upsert_rows(tx, row, [ordered(values) for values in rows.values()])
