"""The reactor `casework.open_case`: a report that a terminal signed becomes a case of this district, once."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select, tuple_

from wanmi.cases import FIRST_STAGE, FIRST_STATE
from wanmi.codes import CaseNumber, Profile, local_date
from wanmi.coords import Point, to_wgs84
from wanmi.entries import EVERYONE
from wanmi.errors import BadInput
from wanmi.hookspecs import ReportFacts
from wanmi.journal.terminal_keys import known_terminals
from wanmi.kinds import Attachment, CaseOpened, ReportReceived, home_district
from wanmi.models import CaseRow, table
from wanmi.profiles import ProfileStore
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.reports import Known, Report
from wanmi_casework.evidence import signed_report, why_not
from wanmi_casework.near import NearIndex, Place
from wanmi_casework.registered import Registered, ordered_by, registered_by
from wanmi_casework.relay import report_of
from wanmi_casework.settings import CaseworkSettings

NAME = "casework.open_case"
HOUR = 3_600_000_000
"""Microseconds."""
LATE = 72 * HOUR
"""How late reports may come for cases from before the start to be compared with them."""
MEMORY = 50_000
Key = tuple[str, str]
"""(terminal, report id)."""
Brought = tuple[Stored, ReportReceived, int]
"""The entry that brought a report, the report, and when an edge took it (µs UTC)."""


@dataclass(frozen=True)
class Found:
    """A report that may be believed (its signature was verified, or this node wrote it), with the entry that brought it."""

    stored: Stored
    attachments: list[Attachment]
    report: Report | Registered


class CaseOpener:
    """Decides which cases to open; what it remembers only saves looks into the store."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.last_refusal = ""
        self._lock = threading.Lock()
        self._index = NearIndex()
        self._indexed_to: int | None = None
        self._looked_at = -1
        self._given: dict[str, int] = {}
        self._opened: OrderedDict[Key, tuple[str, int]] = OrderedDict()
        self._profiles: ProfileStore | None = None
        self._log = structlog.get_logger("wanmi.casework")

    def decide(self, node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:
        """A draft of `case.opened` for every report that has no case yet.

        Terminals report to districts; what was registered here, or is handed on to here, is opened here, also at a city.
        """
        if node.role == "edge":
            return []
        given = ((s, registered_by(s, node.code) or ordered_by(s, node.code)) for s in batch)
        registered = [Found(s, r.attachments, r) for s, r in given if r is not None]
        if node.role == "city":
            return self._drafts(node, registered) if registered else []
        fresh = self._without_cases(node, self._of_this_district(node, batch))
        terminals = _terminals(node, {body.terminal for _, body, _ in fresh})
        found = [one for brought in fresh if (one := self._verified(brought, terminals)) is not None] + registered
        return self._drafts(node, found) if found else []

    def near(self, node: NodeContext, place: Place, settings: CaseworkSettings) -> list[str]:
        """Numbers of this district's cases that may be about the same thing."""
        with self._lock:
            if self._indexed_to is None:
                self._indexed_to = node.clock.now() - settings.near_hours * HOUR - LATE
            pos = node.journal.pos
            if pos != self._looked_at:
                self._indexed_to = self._refresh(node, self._indexed_to)
                self._looked_at = pos
            return self._index.near(place, settings.near_m, settings.near_hours * HOUR, settings.similar)

    def _of_this_district(self, node: NodeContext, batch: Sequence[Stored]) -> list[Brought]:
        """Reports of this district's own terminals; a guest's go on to the city, which knows its home."""
        brought = []
        for stored in batch:
            report = report_of(stored)
            if report is None:  # not addressed to this node, or registered
                continue
            if home_district(report[0].terminal) == node.code:
                brought.append((stored, *report))
            else:
                self.counts["guests"] += 1
        return brought

    def _without_cases(self, node: NodeContext, brought: Sequence[Brought]) -> list[Brought]:
        """Each (terminal, report id) once, and only those without a case, whichever edge they came by."""
        known = _with_cases(node, {(body.terminal, body.report_id) for _, body, _ in brought})
        fresh = []
        for stored, body, at in brought:
            key, cause = (body.terminal, body.report_id), (stored.origin, stored.seq)
            if key in known or self._opened.get(key, cause) != cause:
                self.counts["linked"] += 1
                continue
            known.add(key)
            fresh.append((stored, body, at))
        return fresh

    def _verified(self, brought: Brought, terminals: dict[str, Known]) -> Found | None:
        stored, body, at = brought
        terminal = terminals.get(body.terminal)
        try:
            if terminal is None:
                raise BadInput(f"report {body.report_id}: terminal {body.terminal} was never admitted here")
            return Found(stored, body.attachments, signed_report(body, terminal, at))
        except BadInput as error:
            self._refuse(stored, error)
            return None

    def _refuse(self, stored: Stored, error: BadInput) -> None:
        self.counts["refused"] += 1
        self.last_refusal = why_not(error)
        self._log.error("report_without_case", origin=stored.origin, seq=stored.seq, error=str(error))

    def _drafts(self, node: NodeContext, found: Sequence[Found]) -> list[tuple[Stored, Draft]]:
        settings = node.settings.section("casework", CaseworkSettings)
        if self._profiles is None:
            self._profiles = ProfileStore(node).watching()
        desk = Desk.open(node, self._profiles, settings, self._given)
        drafts = []
        for one in found:
            drafts.append((one.stored, desk.draft(one)))
            if one.report.terminal is not None:
                self._remember((one.report.terminal, one.report.report_id), (one.stored.origin, one.stored.seq))
        self._given = {desk.day: desk.last}
        self.counts["opened"] += len(drafts)
        return drafts

    def _remember(self, key: Key, cause: tuple[str, int]) -> None:
        self._opened[key] = cause
        if len(self._opened) > MEMORY:
            self._opened.popitem(last=False)

    def _refresh(self, node: NodeContext, since: int) -> int:
        """Take in what was opened after ``since``: entry times of one chain only grow. The newest time."""
        row = table(CaseRow).c
        query = (
            select(row.number, row.kind, row.category, row.lon_e7, row.lat_e7, row.reported_at, row.opened_at)
            .where(row.owner == node.code, row.opened_at > since)
            .order_by(row.opened_at)
        )
        with node.store.reader() as connection:
            for number, kind, category, lon, lat, reported_at, opened_at in connection.execute(query):
                self._index.add(Place(number, kind, category, lon, lat, reported_at))
                since = opened_at
        return since


class Desk:
    """One batch at work: the day, the next number, and the cases of this batch, which no projection has yet."""

    def __init__(
        self, node: NodeContext, profiles: ProfileStore, settings: CaseworkSettings, *, now: int, day: str, last: int
    ) -> None:
        self.day = day
        self.last = last
        self._node = node
        self._profiles = profiles
        self._settings = settings
        self._now = now
        self._here = NearIndex()
        self._by = node.registry.plugins.get("casework", "0")
        self._audience = (node.parent,) if node.parent is not None else EVERYONE

    @classmethod
    def open(cls, node: NodeContext, profiles: ProfileStore, settings: CaseworkSettings, given: dict[str, int]) -> Desk:
        """Begin a batch: numbers continue after the day's highest, in the store or given out before."""
        now = node.clock.now()
        day = local_date(now).strftime("%Y%m%d")
        return cls(node, profiles, settings, now=now, day=day, last=max(_last_of_day(node, day), given.get(day, 0)))

    def draft(self, found: Found) -> Draft:
        """The entry that opens a case for a report."""
        report = found.report
        point = to_wgs84(Point(report.lon_e7, report.lat_e7), report.datum)
        profile = self._profiles.knowing(report.kind, report.category)
        self.last += 1
        number = str(
            CaseNumber.of(self._node.code, report.kind, report.category, self._now, self.last, profile=profile)
        )
        place = Place(number, report.kind, report.category, point.lon_e7, point.lat_e7, report.made_at)
        body = self._body(found, place, profile)
        self._here.add(place)
        actor = report.actor if isinstance(report, Registered) else None
        return Draft("case.opened", f"case:{number}", body, self._audience, actor, by=f"casework@{self._by}", expect=0)

    def _body(self, found: Found, place: Place, profile: Profile) -> CaseOpened:
        report = found.report
        located = report.located if isinstance(report, Registered) else None
        stage, state = report.begun if isinstance(report, Registered) else (FIRST_STAGE, FIRST_STATE)
        if located is None:
            located = self._node.hooks.locate_point(self._node, report.lon_e7, report.lat_e7, report.datum)
        return CaseOpened(
            number=place.number,
            district=self._node.code[:6],
            day=self.day,
            day_seq=self.last,
            kind=report.kind,
            category=report.category,
            profile=profile.ref,
            component=report.component,
            grid=located.grid if located else None,
            grid_version=located.version if located else None,
            lon_e7=place.lon_e7,
            lat_e7=place.lat_e7,
            source=report.source,
            terminal=report.terminal,
            report_id=report.report_id,
            report=found.stored.entry.subject if found.stored.entry else None,
            reported_at=report.made_at,
            stage=stage,
            state=state,
            similar=self._similar(place),
            attachments=found.attachments,
        )

    def _similar(self, place: Place) -> list[str]:
        settings = self._settings
        facts = ReportFacts(place.kind, place.category, place.lon_e7, place.lat_e7, place.reported_at)
        here = self._here.near(place, settings.near_m, settings.near_hours * HOUR, settings.similar)
        numbers = [*here, *self._node.hooks.find_duplicates(self._node, facts)]
        return list(dict.fromkeys(numbers))[: settings.similar]


def _with_cases(node: NodeContext, keys: Iterable[Key]) -> set[Key]:
    """Those of the keys for which this node has a case already."""
    row = table(CaseRow).c
    query = select(row.terminal, row.report_id).where(
        row.owner == node.code, tuple_(row.terminal, row.report_id).in_(list(keys))
    )
    with node.store.reader() as connection:
        return {(terminal, report_id) for terminal, report_id in connection.execute(query)}


def _terminals(node: NodeContext, ids: Iterable[str]) -> dict[str, Known]:
    """The terminals that this district admitted, among ``ids``, with their keys."""
    with node.store.reader() as connection:
        known = known_terminals(connection, [(node.code, terminal) for terminal in ids])
    return {terminal: one for (_, terminal), one in known.items()}


def _last_of_day(node: NodeContext, day: str) -> int:
    row = table(CaseRow).c
    query = select(func.coalesce(func.max(row.day_seq), 0)).where(row.owner == node.code, row.day == day)
    with node.store.reader() as connection:
        return int(connection.execute(query).scalar_one())
