"""/api/v1/exports: the case list as a file, with the filters of the list, streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import StreamingResponse

from wanmi.profiles import ProfileStore
from wanmi.query import CaseFilter, CaseLine, CaseNames, iter_cases, widened
from wanmi.query.columns import Column, case_columns
from wanmi.query.exports import csv_pieces, geojson_pieces, xlsx_pieces
from wanmi.registry import NodeContext
from wanmi.web.api_cases import filter_from_query
from wanmi.web.callers import Caller, Reading, needs
from wanmi.web.seen import seen_by

Filtered = Annotated[CaseFilter, Depends(filter_from_query)]


@dataclass(frozen=True)
class Format:
    """A file format: its media type and what writes it."""

    suffix: str
    media: str
    pieces: Callable[[Iterable[CaseLine], Sequence[Column]], Iterator[bytes]]

    @property
    def described(self) -> dict[int | str, dict[str, Any]]:
        """For the API's description."""
        return {200: {"content": {self.media: {"schema": {"type": "string", "format": "binary"}}}}}


CSV = Format("csv", "text/csv; charset=utf-8", csv_pieces)
XLSX = Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_pieces)
GEOJSON = Format("geojson", "application/geo+json", geojson_pieces)


def export_routes(node: NodeContext) -> APIRouter:
    """Routes under /api/v1/exports. A department's file holds its own cases only."""
    router = APIRouter(tags=["cases"], prefix="/exports", default_response_class=StreamingResponse)

    @router.get("/cases.csv", responses=CSV.described)
    @needs("case.export")
    def as_csv(caller: Reading, wanted: Filtered) -> StreamingResponse:
        """Every case that fits as CSV, newest first."""
        return _answer(node, caller, wanted, CSV)

    @router.get("/cases.xlsx", responses=XLSX.described)
    @needs("case.export")
    def as_xlsx(caller: Reading, wanted: Filtered) -> StreamingResponse:
        """Every case that fits as a workbook, newest first."""
        return _answer(node, caller, wanted, XLSX)

    @router.get("/cases.geojson", responses=GEOJSON.described)
    @needs("case.export")
    def as_geojson(caller: Reading, wanted: Filtered) -> StreamingResponse:
        """Every case that fits as GeoJSON points, newest first."""
        return _answer(node, caller, wanted, GEOJSON)

    return router


def _answer(node: NodeContext, caller: Caller, wanted: CaseFilter, form: Format) -> StreamingResponse:
    profiles = ProfileStore(node)
    cases = iter_cases(node.store, widened(wanted, profiles), seen=seen_by(caller))
    headers = {"content-disposition": f'attachment; filename="cases-{node.code}.{form.suffix}"'}
    return StreamingResponse(form.pieces(cases, case_columns(CaseNames(profiles))), 200, headers, form.media)
