"""The case list as files: the same filters, every format read back, 50,000 rows in little memory."""

from __future__ import annotations

import asyncio
import csv
import gc
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
from starlette.types import Message

from core.test_query import make_cases
from support.browser import Browser
from support.shipped import ShippedProfiles
from wanmi.identity import add_token
from wanmi.models import CaseRow, key_columns, table
from wanmi.node import Node
from wanmi.query import CaseLine, CaseNames
from wanmi.query.columns import case_columns
from wanmi.query.exports import csv_pieces, geojson_pieces, xlsx_pieces
from wanmi.store import upsert_rows
from wanmi.testing import small_node
from wanmi.web import build_app

MANY = 50_000
MIB = 2**20


def put_cases(node: Node, cases: list[CaseLine]) -> None:
    """Straight into the projection: no journal is needed to read it."""
    columns = table(CaseRow).columns
    blank = {c.name: None if c.nullable else c.type.python_type() for c in columns}

    def row(n: int, case: CaseLine) -> tuple[Any, ...]:
        told = {**blank, **{k: v for k, v in vars(case).items() if k in blank}}
        told |= {"similar": orjson.dumps(case.similar).decode(), "final": int(case.final), "counts": "{}"}
        told |= {"report_subject": case.report, "day": "20261124", "day_seq": n}
        return tuple(told[c.name] for c in columns)

    assert key_columns(CaseRow) == ["number"]
    rows = [row(n, case) for n, case in enumerate(cases)]
    node.store.write(lambda tx: upsert_rows(tx, CaseRow, rows)).result()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with small_node(tmp_path_factory.mktemp("exports") / "node") as made:
        put_cases(made, make_cases(900))
        yield made


@pytest.fixture(scope="module")
def reader(node: Node) -> Iterator[Browser]:
    with Browser(build_app(node), token=add_token(node, name="export", scopes=["cases:read"]).secret) as made:
        yield made


def listed(reader: Browser, query: str) -> list[str]:
    numbers: list[str] = []
    cursor = ""
    while True:
        page = reader.get(f"/api/v1/cases?limit=500&cursor={cursor}&{query}").json()
        numbers += [case["number"] for case in page["cases"]]
        if page["next"] is None:
            return numbers
        cursor = page["next"]


@pytest.mark.parametrize("query", ["", "district=210103", "kind=event&stage=file", "grid=210102001", "from=2027-01-01"])
def test_every_format_holds_what_the_list_holds(reader: Browser, query: str) -> None:
    wanted = listed(reader, query)
    text = reader.get(f"/api/v1/exports/cases.csv?{query}").content.decode("utf-8-sig")
    assert [row["number"] for row in csv.DictReader(io.StringIO(text))] == wanted
    geo = reader.get(f"/api/v1/exports/cases.geojson?{query}").json()
    assert [one["id"] for one in geo["features"]] == wanted
    book = openpyxl.load_workbook(io.BytesIO(reader.get(f"/api/v1/exports/cases.xlsx?{query}").content))
    assert [row[0] for row in book.active.iter_rows(min_row=2, values_only=True)] == wanted  # type: ignore[union-attr]


def test_the_answers_say_what_they_are(reader: Browser) -> None:
    told = {
        "csv": "text/csv; charset=utf-8",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "geojson": "application/geo+json",
    }
    for suffix, media in told.items():
        answer = reader.get(f"/api/v1/exports/cases.{suffix}?district=210102")
        assert answer.headers["content-type"] == media
        assert answer.headers["content-disposition"] == f'attachment; filename="cases-210102.{suffix}"'
    assert reader.get("/api/v1/exports/cases.csv?district=x").status_code == 422
    assert reader.get("/api/v1/exports/cases.pdf").status_code == 404


def test_a_case_reads_alike_in_every_format() -> None:
    case = replace(
        make_cases(1)[0], lon_e7=1_234_296_100, lat_e7=417_966_800, source="=1+1", reported_at=1_795_489_200_000_000,
        overdue=2, department=None,
    )  # fmt: skip
    columns = case_columns(CaseNames(ShippedProfiles()))
    [row] = csv.DictReader(io.StringIO(b"".join(csv_pieces([case], columns)).decode("utf-8-sig")))
    assert (row["lon"], row["lat"], row["source"]) == ("123.4296100", "41.7966800", "'=1+1")
    assert (row["reported_at"], row["overdue"], row["department"]) == ("2026-11-24T11:00:00+08:00", "2", "")
    feature = orjson.loads(b"".join(geojson_pieces([case], columns)))["features"][0]
    assert feature["geometry"]["coordinates"] == [123.42961, 41.79668]
    assert feature["properties"]["category_name"] == row["category_name"]
    assert feature["properties"]["source"] == "=1+1"
    sheet: Any = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx_pieces([case], columns)))).active
    told = dict(zip([column.name for column in columns], [c.value for c in sheet[2]], strict=False))
    assert (told["source"], told["overdue"], str(told["reported_at"])) == ("=1+1", 2, "2026-11-24 11:00:00")
    assert sheet.cell(2, [column.name for column in columns].index("source") + 1).data_type == "s"


@pytest.mark.parametrize("pieces", [csv_pieces, geojson_pieces, xlsx_pieces])
def test_nothing_is_a_file_too(pieces: Any) -> None:
    content = b"".join(pieces([], case_columns(CaseNames(ShippedProfiles()))))
    if pieces is geojson_pieces:
        assert orjson.loads(content) == {"type": "FeatureCollection", "features": []}
    assert content


def peak_of(node: Node, path: str, secret: str) -> tuple[int, int, int]:
    """(bytes of the answer, largest piece, growth of memory) of one request to the app itself."""
    app = build_app(node)
    sizes: list[int] = []
    path, _, query = path.partition("?")
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(), "scheme": "http",
        "root_path": "", "query_string": query.encode(), "server": ("node.test", 80), "client": ("::1", 1),
        "headers": [(b"authorization", f"Bearer {secret}".encode())],
    }  # fmt: skip

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        else:
            sizes.append(len(message["body"]))

    with watched_memory() as most:
        asyncio.run(app(scope, receive, send))
    return sum(sizes), max(sizes), most()


def resident() -> int:
    """Bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def watched_memory() -> Iterator[Callable[[], int]]:
    """By how much memory grew at most, looked at every few milliseconds."""
    gc.collect()
    before, seen, done = resident(), [0], threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            seen[0] = max(seen[0], resident() - before)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: seen[0]
    finally:
        done.set()
        thread.join()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with small_node(tmp_path_factory.mktemp("large") / "node") as made:
        put_cases(made, make_cases(MANY))
        yield made


@pytest.mark.parametrize(("suffix", "least"), [("csv", 12 * MIB), ("geojson", 25 * MIB), ("xlsx", 3 * MIB)])
def test_fifty_thousand_cases_stream_in_little_memory(large: Node, suffix: str, least: int) -> None:
    secret = add_token(large, name=suffix, scopes=["cases:read"]).secret
    peak_of(large, f"/api/v1/exports/cases.{suffix}?from=2027-01-01", secret)
    total, piece, peak = peak_of(large, f"/api/v1/exports/cases.{suffix}", secret)
    assert total > least
    assert piece < MIB
    assert peak < 30 * MIB, f"{peak / MIB:.1f} MiB"


def test_a_workbook_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pieces = xlsx_pieces(make_cases(3000), case_columns(CaseNames(ShippedProfiles())))
    next(pieces)
    assert list(tmp_path.iterdir())
    pieces.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
