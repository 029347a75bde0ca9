"""Questions to the tables: every filter against plain Python, pages that join up, exports, evidence, chains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.postgres import new_database, postgresql
from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotFound
from wanmi.models import CORE_ROWS, AttachmentRow, BlobRow, CaseRow, CosignRow, HeadRow, table
from wanmi.query import (
    CaseFilter,
    CaseLine,
    Count,
    cosigns,
    count_cases,
    day_start,
    evidence_by_blob,
    evidence_of,
    existing_cases,
    find_case,
    heads,
    iter_cases,
    list_cases,
    read_cursor,
    tally_cases,
    write_cursor,
)
from wanmi.store import Store, upsert_rows

START = day_start("2026-11-22")
DISTRICTS = ("210102", "210103")
CATEGORIES = ("0101", "0102", "0505")
STAGES = ("collect", "file", "close")


def make_cases(count: int) -> list[CaseLine]:
    """Cases spread over four days, several at one and the same moment."""
    cases = []
    for n in range(count):
        district, kind = DISTRICTS[n % 2], ("component", "event")[n % 3 == 0]
        opened = START + (n // 3) * 4_000 * SECOND
        grid = None if n % 11 == 5 else f"{district}00{1 + n % 3}00{1 + n % 2}00{n % 7}"
        day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=opened)).astimezone(ZoneInfo("Asia/Shanghai"))
        number = f"{district}-{'CE'[kind == 'event']}{CATEGORIES[n % 3]}-{day:%Y%m%d}-{n:04d}"
        cases.append(
            CaseLine(
                number, district, district, kind, CATEGORIES[n % 3], None, grid, grid and grid[:12], n, n, "collector",
                f"T{district}-0001", f"R{n}", f"report:{district}01:T:R{n}", opened - 5, opened, STAGES[n % 5 % 3],
                "reported", ("210102-E0102-20261122-0001",) if n % 4 == 0 else (), 1, opened,
            )
        )  # fmt: skip
    return cases


CASES = make_cases(260)


def put(store: Store, cases: list[CaseLine]) -> None:
    import json

    rows = [
        (
            c.number, c.owner, c.district, c.number.split("-")[2], n, c.kind, c.category, c.component, c.grid,
            c.community, c.lon_e7, c.lat_e7, c.source, c.terminal, c.report_id, c.report, c.reported_at, c.opened_at,
            c.stage, c.state, json.dumps(c.similar), c.version, c.changed_at,
            c.department, c.collector, c.clock, None, None, c.deadline, c.warn_at, c.until, c.filed_at, c.closed_at,
            int(c.final), c.merged_into, c.overdue, None, c.requests, "{}", c.profile,
        )
        for n, c in enumerate(cases)
    ]  # fmt: skip
    store.write(lambda tx: upsert_rows(tx, CaseRow, rows)).result()


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]),
    ],
)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The cases in a database of each kind."""
    if request.param == "sqlite":
        opened = Store.open(f"sqlite:///{tmp_path_factory.mktemp('query') / 'journal.db'}", CORE_ROWS)
        put(opened, CASES)
        yield opened
        opened.close()
        return
    with postgresql() as base:
        opened = Store.open(new_database(base, "query"), CORE_ROWS)
        put(opened, CASES)
        yield opened
        opened.close()


def fits(case: CaseLine, wanted: CaseFilter) -> bool:
    """The filter in plain Python."""
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=case.opened_at)).astimezone(
        ZoneInfo("Asia/Shanghai")
    )
    return (
        wanted.district in ("", case.district)
        and wanted.category in ("", case.category)
        and wanted.kind in ("", case.kind)
        and wanted.stage in ("", case.stage)
        and (not wanted.grid or (case.grid or "").startswith(wanted.grid))
        and quotes(wanted.number, case.number)
        and (not wanted.since or day.date().isoformat() >= wanted.since)
        and (not wanted.until or day.date().isoformat() <= wanted.until)
    )


def quotes(said: str, number: str) -> bool:
    """Whether somebody who says this may mean the number: its beginning, or some of its parts."""
    if not said or number.startswith(said):
        return True
    _owner, coded, day, sequence = number.split("-")
    rest = said.strip("-").split("-")
    return len(rest) < 4 and all(part in (coded, day) or part.lstrip("0") == sequence.lstrip("0") for part in rest)


def in_order(cases: list[CaseLine]) -> list[CaseLine]:
    return sorted(cases, key=lambda case: (case.opened_at, case.number), reverse=True)


def maybe(*values: str) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), st.sampled_from(values))


DAYS = tuple(f"2026-11-{day}" for day in (21, 22, 23, 24, 25, 26, 27))
FILTERS = st.builds(
    CaseFilter,
    district=maybe(*DISTRICTS, "210104"),
    grid=maybe("210102001", "210103002", "210102001001", "210103003002", "210102001001000", "210103002002001"),
    category=maybe(*CATEGORIES, "0199"),
    kind=maybe("component", "event"),
    stage=maybe(*STAGES, "evaluate"),
    number=maybe(
        "210102",
        "210102-C",
        "210103-E0102-202611",
        "20261123",
        "0007",
        "31",
        "-C0101-",
        "E0505",
        "E0101-20261123",
        "C0102-0019",
        "20261124-0098",
        CASES[40].number,
        CASES[41].number[:-1],
        CASES[42].number[7:],
    ),
    since=maybe(*DAYS),
    until=maybe(*DAYS),
)


@given(wanted=FILTERS, limit=st.integers(1, 60))
def test_pages_hold_just_what_fits_in_order(store: Store, wanted: CaseFilter, limit: int) -> None:
    expected = in_order([case for case in CASES if fits(case, wanted)])
    found: list[CaseLine] = []
    cursor = ""
    with store.reader() as tx:
        assert count_cases(tx, wanted) == Count(len(expected), exact=True)
        for _ in range(len(CASES) + 1):
            page = list_cases(tx, wanted, cursor=cursor, limit=limit)
            assert len(page.cases) <= limit
            found += page.cases
            if page.next is None:
                break
            cursor = page.next
    assert found == expected
    assert list(iter_cases(store, wanted, chunk=limit)) == expected


@given(wanted=FILTERS)
def test_a_filter_survives_its_url(wanted: CaseFilter) -> None:
    assert CaseFilter.parse(wanted.set_fields()) == wanted
    assert CaseFilter.parse({**asdict(wanted), "page": "7", "number": f" {wanted.number.lower()} "}) == wanted


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("district", "21010"), ("district", "２１０１０２"), ("grid", "2101020010"), ("category", "'; --"),
        ("kind", "thing"), ("stage", "COLLECT"), ("number", "a b"), ("number", "%"), ("number", "X"), ("number", "02-E0"), ("number", "210102-0007"),
        ("since", "2026-02-30"),
        ("until", "24.11.2026"), ("since", "0000-01-01"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_for_is_named(field: str, value: str) -> None:
    with pytest.raises(BadInput) as refused:
        CaseFilter.parse({field: value})
    assert field in str(refused.value) or "no such day" in str(refused.value)


@given(st.integers(0, 10**16 - 1), st.from_regex(r"[0-9A-Za-z-]{1,60}", fullmatch=True))
def test_cursors_come_back(opened_at: int, number: str) -> None:
    assert read_cursor(write_cursor(opened_at, number)) == (opened_at, number)


@given(st.text(max_size=300))
def test_any_other_cursor_is_refused_or_read(text: str) -> None:
    try:
        opened_at, number = read_cursor(text)
    except BadInput:
        return
    assert read_cursor(write_cursor(opened_at, number)) == (opened_at, number)


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_has_bounds(store: Store, limit: int) -> None:
    with store.reader() as tx, pytest.raises(BadInput, match="1 to 500"):
        list_cases(tx, CaseFilter(), limit=limit)


def test_one_case(store: Store) -> None:
    with store.reader() as tx:
        assert find_case(tx, CASES[7].number) == CASES[7]
        assert existing_cases(tx, (CASES[7].number, "x")) == {CASES[7].number}
        with pytest.raises(NotFound, match="case nope: not known"):
            find_case(tx, "nope")


def test_tallies_add_up(store: Store) -> None:
    since = day_start("2026-11-24")
    for start in (0, since):
        expected: dict[tuple[str, str], int] = {}
        for case in CASES:
            if case.opened_at >= start:
                key = (case.district, case.stage)
                expected[key] = expected.get(key, 0) + 1
        with store.reader() as tx:
            told = {(tally.district, tally.stage): tally.cases for tally in tally_cases(tx, start)}
        assert told == expected


def test_days_begin_in_shanghai() -> None:
    assert day_start("2026-11-24") == 1_795_449_600 * SECOND
    assert day_start("2026-11-24", 1) - day_start("2026-11-24") == 86_400 * SECOND


def test_evidence_tells_where_its_blob_is(store: Store) -> None:
    names = {"here": "a" * 64, "pending": "b" * 64, "erased": "c" * 64}
    rows = [
        ("21010201", seq, 0, "report:1" if seq < 4 else "report:2", "photo", "image/jpeg", 9, "d" * 64, names[state])
        for seq, state in enumerate(("here", "pending", "erased", "here"), 1)
    ]
    blobs = [{"blob": names["here"], "size": 30, "key": b"k"}, {"blob": names["erased"], "size": 30, "key": None}]

    def work(tx) -> None:  # type: ignore[no-untyped-def]
        upsert_rows(tx, AttachmentRow, rows)
        columns = [column.name for column in table(BlobRow).columns]
        upsert_rows(tx, BlobRow, [tuple({**one, "added_at": 1}.get(name) for name in columns) for one in blobs])

    store.write(work).result()
    with store.reader() as tx:
        found = evidence_of(tx, ["report:1", "report:2"], {"210102"})
        assert [one.state for one in found] == ["here", "pending", "erased"], "one blob is told once"
        assert [one.state for one in evidence_by_blob(tx, names["pending"], {"210102"})] == ["pending"]
        with pytest.raises(NotFound, match="no entry at this node names it"):
            evidence_by_blob(tx, "e" * 64, {"210102"})
        assert evidence_of(tx, [], {"210102"}) == []


def test_the_newest_of_each_chain_is_told(store: Store) -> None:
    def work(tx) -> None:  # type: ignore[no-untyped-def]
        upsert_rows(tx, HeadRow, [("210102", seq, bytes([seq]) * 32, seq, b"s") for seq in (3, 9, 5)])
        upsert_rows(
            tx,
            CosignRow,
            [("210102", by, seq, bytes([seq]) * 32, seq, b"s") for by in ("210100", "210103") for seq in (2, 4)],
        )

    store.write(work).result()
    with store.reader() as tx:
        assert [(head.origin, head.by, head.seq, head.hash[:2]) for head in heads(tx)] == [
            ("210102", "210102", 9, "09")
        ]
        assert [(one.by, one.seq) for one in cosigns(tx)] == [("210100", 4), ("210103", 4)]
