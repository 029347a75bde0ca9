"""/api/v1: cases, their evidence, the report facts behind them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from wanmi.profiles import ProfileStore
from wanmi.query import (
    MAX_PAGE,
    CaseFilter,
    CaseLine,
    Count,
    Evidence,
    JsonPage,
    case_json,
    count_cases,
    evidence_of,
    find_case,
    kin_of,
    report_in,
    widened,
)
from wanmi.registry import NodeContext, Stored
from wanmi.reports import read_text
from wanmi.store import vouchers_of
from wanmi.web.api_journal import EntryOut, entries_out
from wanmi.web.bounds import Id
from wanmi.web.callers import Caller, Reading, needs
from wanmi.web.headers import CONTENT_CSP
from wanmi.web.seen import need_case, open_evidence, seen_by, without_caller

SHOWN_MEDIA = frozenset({"image/jpeg", "image/png", "image/webp", "audio/mpeg", "audio/ogg", "audio/mp4"})
"""Media types that are shown; anything else is handed over as a file of unknown kind."""
_NUMBER = "the beginning of a case number, or whole parts of it: E0102, 20261124, 0007, E0102-20261124-0007"


@dataclass(frozen=True)
class CasesOut:
    """A page of cases; ``next`` is the cursor of the following page, null on the last one.

    A question looks through a bounded number of cases: a page of what is rare may be short, or empty, and yet have a
    ``next``, which looks on. ``count`` is of all that fit, when asked for: exactly, or "at least" when ``count_exact``
    is false (beyond 10,000, or where not all could be looked through).

    A filter by category also finds what it is in the other catalogues that hold or held here: ``alike`` names them
    (``event:06010``), ``unmapped`` the catalogues that have none.
    """

    cases: list[CaseLine]
    next: str | None
    count: int | None
    count_exact: bool | None
    alike: list[str]
    unmapped: list[str]


@dataclass(frozen=True)
class ReportOut:
    """What the terminal signed: position and datum as measured, times µs UTC, accuracy in cm."""

    terminal: str
    report_id: str
    made_at: int
    lon_e7: int
    lat_e7: int
    datum: str
    accuracy_cm: int | None
    fix: str
    fix_at: int
    satellites: int | None
    source: str
    self_handled: bool
    app: str


@dataclass(frozen=True)
class EvidenceOut:
    """A sealed attachment; ``url`` opens it once ``state`` is ``here``."""

    role: str
    media: str
    size: int
    digest: str
    blob: str
    subject: str
    state: str
    url: str


@dataclass(frozen=True)
class CaseOut:
    """A case with everything that led to it."""

    case: CaseLine
    report: ReportOut | None
    evidence: list[EvidenceOut]
    entries: list[EntryOut]


async def filter_from_query(
    district: Id = "",
    grid: Annotated[Id, Query(description="street (9 digits), community (12) or unit grid (15)")] = "",
    category: Id = "",
    stage: Id = "",
    kind: Annotated[Id, Query(description="component or event")] = "",
    q: Annotated[Id, Query(description=_NUMBER)] = "",
    from_: Annotated[Id, Query(alias="from", description="first local day, 2026-11-24")] = "",
    to: Annotated[Id, Query(description="last local day, 2026-11-24")] = "",
) -> CaseFilter:
    """The filter in an API request."""
    return CaseFilter.parse(
        {
            "district": district,
            "grid": grid,
            "category": category,
            "stage": stage,
            "kind": kind,
            "number": q,
            "since": from_,
            "until": to,
        }
    )


def case_routes(node: NodeContext) -> APIRouter:
    """Routes under /api/v1/cases and /api/v1/blobs. What reads runs in threads: a slow read holds nobody up."""
    router, profiles = APIRouter(tags=["cases"]), ProfileStore(node).watching()

    @router.get("/cases", response_model=CasesOut)
    @needs("case.read")
    def cases(
        caller: Reading,
        wanted: Annotated[CaseFilter, Depends(filter_from_query)],
        cursor: Id = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        count: bool = False,
    ) -> Response:
        """Cases, newest first. Follow ``next`` to the last page."""
        seen = seen_by(caller)
        wanted, kin = widened(wanted, profiles), kin_of(wanted, profiles)
        with node.store.reader() as tx:
            page = case_json(tx, wanted, cursor=cursor, limit=limit, seen=seen)
            total = count_cases(tx, wanted, seen) if count else None
        unmapped = dict.fromkeys(name for one in kin for name in one.without)
        alike = [f"{kind}:{code}" for kind, code in wanted.alike]
        return page_response(page, total, alike=alike, unmapped=list(unmapped))

    @router.get("/cases/{number}", response_model=CaseOut)
    @needs("case.read")
    def case(caller: Reading, number: Id) -> Response:
        """One case: as it stands, its report, its evidence, its entries."""
        with node.store.reader() as tx:
            need_case(tx, caller, number)
            found = find_case(tx, number)
            subjects = [f"case:{number}", *([found.report] if found.report else [])]
            evidence = evidence_of(tx, subjects, vouchers_of(node.code, node.parent))
        of_report = node.journal.subject(found.report) if found.report else []
        entries = _without_callers(entries_out(node, [*of_report, *node.journal.subject(f"case:{number}")]))
        out = CaseOut(found, report_out(of_report), [evidence_out(one) for one in evidence], entries)
        return Response(msgspec.json.encode(out), media_type="application/json")

    @router.get("/blobs/{blob}", response_class=Response)
    @needs("evidence.open")
    def blob(caller: Reading, blob: Id) -> Response:
        """The opened content of a sealed attachment; 404 until it is here, 403 once it was erased."""
        return blob_response(node, caller, blob)

    return router


def _without_callers(entries: list[EntryOut]) -> list[EntryOut]:
    return [one if one.body is None else replace(one, body=without_caller(one.body)) for one in entries]


def page_response(page: JsonPage, total: Count | None, **more: list[str]) -> Response:
    """A ``CasesOut``; the cases go out as the database wrote them, nothing of our own is validated again."""
    out = {
        "cases": msgspec.Raw(page.cases),
        "next": page.next,
        "count": None if total is None else total.cases,
        "count_exact": None if total is None else total.exact,
        **more,
    }
    return Response(msgspec.json.encode(out), media_type="application/json")


def report_out(entries: list[Stored]) -> ReportOut | None:
    """The facts of the first report among the entries."""
    reports = (report_in(entry) for entry in entries)
    report = next((one for one in reports if one is not None), None)
    if report is None:
        return None
    fields = msgspec.structs.asdict(report)
    return ReportOut(**{name: fields[name] for name in ReportOut.__dataclass_fields__})


def evidence_out(evidence: Evidence) -> EvidenceOut:
    """An attachment with the path that opens it."""
    return EvidenceOut(**asdict(evidence), url=f"/api/v1/blobs/{evidence.blob}")


def blob_response(node: NodeContext, caller: Caller, blob: str) -> Response:
    """The content, with the media type that its entry states (never sniffed) and forbidden to do anything."""
    evidence, content = open_evidence(node, caller, blob)
    headers = {"content-security-policy": CONTENT_CSP, "cache-control": "private, no-store"}
    if evidence.role == "text":
        return Response(read_text(content), 200, headers, "text/plain; charset=utf-8")
    if evidence.media in SHOWN_MEDIA:
        return Response(content, 200, headers, evidence.media)
    headers["content-disposition"] = f'attachment; filename="{evidence.blob[:16]}.bin"'
    return Response(content, 200, headers, "application/octet-stream")
