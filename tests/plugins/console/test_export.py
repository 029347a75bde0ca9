"""The export: every case that fits, streamed, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from support.browser import Browser
from support.shipped import ShippedProfiles
from support.town_fixture import Shown
from wanmi.query import CaseLine
from wanmi_console.export import csv_lines
from wanmi_console.names import Names
from wanmi_console.words import translator

CASE = CaseLine(
    "210102-E0102-20261124-0001", "210102", "210102", "event", "0102", None, "210102001002007", "210102001002",
    1_234_296_100, 417_966_800, "collector", "T210102-0001", "R1", "report:1", 0, 0, "collect", "reported", (), 1, 0,
)  # fmt: skip


def rows_of(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_export_holds_what_the_filter_holds(operator: Browser, shown: Shown) -> None:
    answer = operator.get("/cases.csv?district=210103")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="cases-210100.csv"'
    header, *rows = rows_of(answer.text)
    assert [row[0] for row in rows] == [shown.component, shown.outside]
    told = dict(zip(header, rows[0], strict=True))
    assert (told["区县"], told["社区"], told["小类"], told["环节"]) == ("沈河区", "永顺社区", "上水井盖", "信息收集")
    assert told["单元网格"] == "210103005003001"
    assert operator.get("/cases.csv?district=x").status_code == 422


def test_the_export_speaks_english_too(operator: Browser) -> None:
    operator.page("/?lang=en")
    header, first, *_ = rows_of(operator.get("/cases.csv").text)
    assert header[:3] == ["Number", "District", "Street"]
    assert first[8] == "Collection"


def test_it_comes_in_pieces() -> None:
    pieces = list(csv_lines((CASE for _ in range(1000)), Names.load("zh", ShippedProfiles()), translator("zh")))
    assert len(pieces) > 4
    assert len(rows_of("".join(pieces))) == 1001


@given(st.text(min_size=1, max_size=20))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    case = replace(CASE, terminal=text, source=text, stage=text, category=text)
    [_, row] = rows_of("".join(csv_lines([case], Names.load("en", ShippedProfiles()), translator("en"))))
    for cell in (row[6], row[8], row[13], row[14]):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
