"""Cases: the list with its filters, the export, one case with all that led to it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from wanmi.cases import STAGES
from wanmi.errors import BadInput, NotAllowed, NotFound
from wanmi.query import (
    CaseFilter,
    CasePage,
    Count,
    Evidence,
    count_cases,
    evidence_of,
    existing_cases,
    find_case,
    iter_cases,
    list_cases,
    report_in,
    widened,
)
from wanmi.reports import read_text
from wanmi.store import vouchers_of
from wanmi.web import Caller, caller_of, needs
from wanmi.web.seen import need_case, open_evidence, seen_by
from wanmi_console.case_life import LIGHTS, MARKS, PHASES, REQUEST_STATES, life_of
from wanmi_console.case_tasks import DOUBTS, GRADE_MARKS, GRADES, KINDS, OUTCOMES, RESULTS, STATES, tasks_of
from wanmi_console.export import csv_lines
from wanmi_console.filters import chips, choices, filter_of_form
from wanmi_console.node_pages import entry_lines
from wanmi_console.pages import Pages
from wanmi_console.words import EVIDENCE_ROLES, FIXES, SOURCES

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wanmi_console.pages import Visit

_LONGEST_TEXT = 20_000
_TASK_WORDS = SimpleNamespace(
    kinds=KINDS, states=STATES, results=RESULTS, grades=GRADES, marks=GRADE_MARKS, doubts=DOUBTS, outcomes=OUTCOMES
)


def case_routes(router: APIRouter, pages: Pages) -> None:
    """/cases, /cases.csv, /cases/NUMBER"""
    node = pages.node

    @router.get("/cases")
    @needs("case.read")
    def cases(request: Request) -> Response:
        """The list. A form's blanks are taken out of the address, so that it says just what is looked for."""
        visit = pages.visit(request)
        try:
            wanted, wrong = filter_of_form(request.query_params), ""
        except BadInput as error:
            wanted, wrong = CaseFilter(), str(error)
        if "form" in request.query_params and not wrong:
            return RedirectResponse("/cases" + _query(wanted), 303)
        return _list_page(pages, visit, wanted, wrong)

    @router.get("/cases.csv")
    @needs("case.export")
    async def export(request: Request) -> Response:
        """Every case that fits, as a spreadsheet; sent while it is read."""
        visit = pages.visit(request)
        wanted = filter_of_form(request.query_params)
        cases = iter_cases(node.store, widened(wanted, pages.profiles), seen=seen_by(visit.caller))
        lines = csv_lines(cases, visit.names, visit.t)
        headers = {"content-disposition": f'attachment; filename="cases-{node.code}.csv"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    @router.get("/cases/{number}")
    @needs("case.read")
    def case(request: Request, number: str) -> Response:
        """One case; in a thread, since opening its text is journaled."""
        return _case_page(pages, pages.visit(request), number)


def _list_page(pages: Pages, visit: Visit, wanted: CaseFilter, wrong: str) -> Response:
    cursor = visit.request.query_params.get("cursor", "")
    size = pages.settings.page_size
    page, count, seen = CasePage((), None), Count(0, exact=True), seen_by(visit.caller)
    wide = widened(wanted, pages.profiles)
    if not wrong:
        with pages.node.store.reader() as tx:
            page = list_cases(tx, wide, cursor=cursor, limit=size, seen=seen)
            count = count_cases(tx, wide, seen)
    return pages.show(
        visit,
        "cases.html",
        422 if wrong else 200,
        wanted=wanted,
        wrong=wrong,
        given=visit.request.query_params,
        chips=chips(wanted, visit.names, visit.t),
        choices=choices(pages.node, wanted, visit.names),
        page=page,
        count=f"{count.cases}{'' if count.exact else '+'}",
        on_later_page=bool(cursor),
        export="/cases.csv" + _query(wanted),
        lights=LIGHTS,
        light_marks=MARKS,
        stages=STAGES,
    )


def _case_page(pages: Pages, visit: Visit, number: str) -> Response:
    node, caller = pages.node, caller_of(visit.request)
    with node.store.reader() as tx:
        need_case(tx, caller, number)
        case = find_case(tx, number)
        subjects = [f"case:{number}", *([case.report] if case.report else [])]
        evidence = evidence_of(tx, subjects, vouchers_of(node.code, node.parent))
        similar = existing_cases(tx, case.similar)
        tasks = tasks_of(node, tx, number)
    of_report = node.journal.subject(case.report) if case.report else []
    entries = [*of_report, *node.journal.subject(f"case:{number}")]
    report = next((one for one in map(report_in, of_report) if one is not None), None)
    may_open = caller.opens_sealed
    names = visit.names.of(case.profile)
    own = replace(visit, names=names)
    return pages.show(
        visit,
        "case.html",
        case=case,
        names=names,
        life=life_of(node, number, entries, names, visit.t),
        light=case.light(node.clock.now()),
        tasks=tasks,
        task_words=_TASK_WORDS,
        now=node.clock.now(),
        lights=LIGHTS,
        light_marks=MARKS,
        phases=PHASES,
        request_states=REQUEST_STATES,
        stages=STAGES,
        stage_at=next((n for n, stage in enumerate(STAGES) if stage.id == case.stage), -1),
        report=report,
        may_open=may_open,
        photos=[one for one in evidence if one.role == "photo"],
        others=[one for one in evidence if one.role not in ("photo", "text")],
        texts=[(one, _text(pages, caller, one) if may_open else "") for one in evidence if one.role == "text"],
        similar_here=similar,
        entries=entry_lines(pages, own, entries, callers=False),
        sources=SOURCES,
        fixes=FIXES,
        evidence_roles=EVIDENCE_ROLES,
    )


def _text(pages: Pages, caller: Caller, evidence: Evidence) -> str:
    """The text itself; empty where it is not here or was erased meanwhile."""
    if evidence.state != "here":
        return ""
    try:
        return read_text(open_evidence(pages.node, caller, evidence.blob)[1])[:_LONGEST_TEXT]
    except (NotFound, NotAllowed, BadInput):
        return ""


def _query(wanted: CaseFilter) -> str:
    fields = wanted.set_fields()
    return f"?{urlencode(fields)}" if fields else ""
