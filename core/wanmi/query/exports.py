"""Cases as CSV, GeoJSON (RFC 7946) and XLSX, piece by piece: memory does not grow with the number of cases.

Times are local (+08:00), places WGS-84. A cell that a spreadsheet would run as a formula never leaves as one.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from wanmi.codes import CITY_ZONE
from wanmi.coords import format_degrees
from wanmi.query.cases import CaseLine
from wanmi.query.columns import Column

ROWS = 200
"""Cases in one piece."""
PIECE = 64 * 1024
"""Bytes in one piece of a finished file."""
SHEET_ROWS = 1_000_000
"""Cases on one sheet: a spreadsheet holds 1,048,576 rows."""
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_LON, _LAT = "lon", "lat"


def local_time(at: int) -> datetime:
    """µs UTC as the city's own time, to the second."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(ZoneInfo(CITY_ZONE))


def csv_pieces(cases: Iterable[CaseLine], columns: Sequence[Column]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark (spreadsheets ask for it); headings are the names for programs."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    yield b"\xef\xbb\xbf"
    writer.writerow([*(column.name for column in columns), _LON, _LAT])
    for n, case in enumerate(cases, 1):
        place = (format_degrees(case.lon_e7), format_degrees(case.lat_e7))
        writer.writerow([*(_cell(column, case) for column in columns), *place])
        if n % ROWS == 0:
            yield _drain(buffer)
    yield _drain(buffer)


def geojson_pieces(cases: Iterable[CaseLine], columns: Sequence[Column]) -> Iterator[bytes]:
    """One FeatureCollection of points; a file that was cut off is not valid JSON."""
    yield b'{"type":"FeatureCollection","features":[\n'
    features: list[bytes] = []
    lead = b""
    for case in cases:
        features.append(orjson.dumps(_feature(case, columns)))
        if len(features) == ROWS:
            yield lead + b",\n".join(features)
            lead, features = b",\n", []
    yield (lead + b",\n".join(features) if features else b"") + b"\n]}\n"


def xlsx_pieces(cases: Iterable[CaseLine], columns: Sequence[Column]) -> Iterator[bytes]:
    """A workbook, written row by row to a temporary file first: a ZIP file has its directory at its end."""
    with tempfile.TemporaryDirectory(prefix="wanmi-export-") as folder:
        path = Path(folder) / "cases.xlsx"
        _write_workbook(path, cases, columns)
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


def _write_workbook(path: Path, cases: Iterable[CaseLine], columns: Sequence[Column]) -> None:
    from xlsxwriter import Workbook

    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False,
               "strings_to_urls": False, "strings_to_numbers": False, "in_memory": False}  # fmt: skip
    with Workbook(path, options) as book:
        times, heads = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}), book.add_format({"bold": True})
        degrees = book.add_format({"num_format": "0.0000000"})
        sheet: Any = None
        for n, case in enumerate(cases):
            if n % SHEET_ROWS == 0:
                sheet = _sheet(book, columns, heads)
            _write_row(sheet, n % SHEET_ROWS + 1, case, columns, times, degrees)
        if sheet is None:
            _sheet(book, columns, heads)


def _sheet(book: Any, columns: Sequence[Column], heads: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 1)
    for n, title in enumerate([*(column.zh for column in columns), "经度 (WGS-84)", "纬度 (WGS-84)"]):
        sheet.write_string(0, n, title, heads)
        sheet.set_column(n, n, 20)
    return sheet


def _write_row(sheet: Any, row: int, case: CaseLine, columns: Sequence[Column], times: Any, degrees: Any) -> None:
    for n, column in enumerate(columns):
        value = column.of(case)
        if value is None:
            continue
        if column.shape == "time":
            sheet.write_datetime(row, n, local_time(int(value)).replace(tzinfo=None), times)
        elif column.shape == "count":
            sheet.write_number(row, n, int(value))
        else:
            sheet.write_string(row, n, str(value))
    sheet.write_number(row, len(columns), case.lon_e7 / 1e7, degrees)
    sheet.write_number(row, len(columns) + 1, case.lat_e7 / 1e7, degrees)


def _feature(case: CaseLine, columns: Sequence[Column]) -> dict[str, Any]:
    told = {column.name: _plain(column, case) for column in columns}
    place = {"type": "Point", "coordinates": [case.lon_e7 / 1e7, case.lat_e7 / 1e7]}
    return {"type": "Feature", "id": case.number, "geometry": place, "properties": told}


def _plain(column: Column, case: CaseLine) -> str | int | None:
    value = column.of(case)
    return local_time(int(value)).isoformat() if column.shape == "time" and value is not None else value


def _cell(column: Column, case: CaseLine) -> str:
    text = str(value) if (value := _plain(column, case)) is not None else ""
    return f"'{text}" if column.shape == "text" and text.startswith(_RISKY) else text


def _drain(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
