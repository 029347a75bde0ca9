"""Cases as CSV, for spreadsheets: UTF-8 with a byte order mark, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from wanmi.coords import format_degrees
from wanmi.query import CaseLine
from wanmi_console.names import Names
from wanmi_console.shown import local_time
from wanmi_console.words import SOURCES, Translate

_CHUNK = 200
_RISKY = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(cases: Iterable[CaseLine], names: Names, t: Translate) -> Iterator[str]:
    """The file in pieces of some hundred rows."""
    yield "\ufeff"
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(_header(t))
    for n, case in enumerate(cases, 1):
        writer.writerow(_row(case, names.of(case.profile), t))
        if n % _CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _header(t: Translate) -> list[str]:
    return [
        t("Number"),
        t("District"),
        t("Street"),
        t("Community"),
        t("Unit grid"),
        t("Kind"),
        t("Category code"),
        t("Category"),
        t("Stage"),
        t("Reported"),
        t("Opened"),
        t("Longitude (WGS-84)"),
        t("Latitude (WGS-84)"),
        t("Source"),
        t("Terminal"),
        t("State"),
    ]


def _row(case: CaseLine, names: Names, t: Translate) -> list[str]:
    grid = case.grid or ""
    return [
        _text(case.number),
        _text(names.division(case.district)),
        _text(names.division(grid[:9]) if grid else ""),
        _text(names.division(grid[:12]) if grid else ""),
        _text(grid),
        _text(names.kind(case.kind)),
        _text(case.category),
        _text(names.category(case.kind, case.category)),
        _text(names.stage(case.stage)),
        local_time(case.reported_at),
        local_time(case.opened_at),
        format_degrees(case.lon_e7),
        format_degrees(case.lat_e7),
        _text(t(SOURCES.get(case.source, case.source))),
        _text(case.terminal or ""),
        _text(names.state(case.state)),
    ]


def _text(value: str) -> str:
    """A cell that a spreadsheet takes for text: what begins like a formula gets an apostrophe."""
    return f"'{value}" if value.startswith(_RISKY) else value
