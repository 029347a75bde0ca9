"""How fast a node is with very many cases: pages, one case, durable steps over HTTP; replay. SQLite and PostgreSQL.

    make bench ARGS="cases"          WANMI_CASES=100000 (default), WANMI_WALKED=1.0 the share walked to the closing,
                                     WANMI_DATABASES=sqlite,postgresql
                                     WANMI_KEPT=DIR keeps the cases that were written there, and takes them from there

The node is a process of its own (``wanmi run``), asked over loopback; databases are as durable as in service. The
PostgreSQL database gets the very rows that the SQLite one holds, by COPY. Floors of the same run: the same question
as bare SQL by the database's driver; one durable commit of a step's bytes by it; reading and decoding the same entries.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

from bench.cases_floor import commit_floor, copy_database, query_floor, read_floor
from bench.cases_town import open_desks, seats
from bench.kept import Recipe, copy_kept, find_kept, keep_cases
from bench.load import Ask, Seat, Times, run_clients, with_lines
from bench.million import DEPARTMENTS, DISTRICT, arrivals
from support.live import LiveNode
from support.postgres import new_database, postgresql
from wanmi.journal.proof import replaying
from wanmi.node import Node
from wanmi.query import CaseFilter

CASES = int(os.environ.get("WANMI_CASES", "100000"))
WALKED = float(os.environ.get("WANMI_WALKED", "1.0" if CASES <= 100_000 else "0.25"))
DATABASES = os.environ.get("WANMI_DATABASES", "sqlite,postgresql").split(",")
KEPT = os.environ.get("WANMI_KEPT", "")
READERS, CLIENTS, SECONDS, FRESH = 4, 32, 20.0, 14_000
OFFERED = 400.0
"""Steps a second that the clients offer together when they do not simply ask as fast as they are answered."""
LIMIT = {"value": 4, "unit": "work_hour"}
WAY = (
    ("operator", {"step": "accept", "opinion": "属实"}),
    ("operator", {"step": "file", "opinion": "立案"}),
    (
        "dispatcher",
        {"step": "dispatch", "opinion": "请处置", "department": DEPARTMENTS[0], "limit": LIMIT, "reason": "限时处置"},
    ),
    ("department", {"step": "take", "opinion": "接收"}),
)
"""The steps that are measured: who takes them and what is sent."""
Figure = dict[str, Any]


def filters(random: Random) -> CaseFilter:
    """What somebody may look for, alike often: by stage, matter, place, days, and by several of them at once."""
    category = random.choice(arrivals()["types"])["category"]
    community = f"{DISTRICT}{random.randrange(1, 11):03d}{random.randrange(1, 13):03d}"
    stage = random.choice(["collect", "dispatch", "handle", "evaluate"])
    return random.choice(
        [
            CaseFilter(),
            CaseFilter(district=DISTRICT, stage=stage),
            CaseFilter(district=DISTRICT, stage="evaluate", category=category),
            CaseFilter(category=category),
            CaseFilter(category=category, stage=stage, grid=community[:9]),
            CaseFilter(grid=community),
            CaseFilter(grid=f"{community}{random.randrange(1, 31):03d}", stage=stage),
            CaseFilter(grid=community[:9], kind="component"),
        ]
    )


def page_script(seat: Seat, seed: int) -> Callable[[], Ask]:
    """Page after page, each with another filter."""
    random = Random(seed)
    return lambda: (seat, "GET", f"/api/v1/cases?{urlencode(filters(random).set_fields())}", None)


def case_script(seat: Seat, numbers: Sequence[str], seed: int) -> Callable[[], Ask]:
    """Closed cases with their whole history, anywhere among all."""
    random = Random(seed)
    return lambda: (seat, "GET", f"/api/v1/cases/{random.choice(numbers)}", None)


def step_script(people: dict[str, Seat], numbers: Iterator[str]) -> Callable[[], Ask | None]:
    """One case after the other, each from its report to the department."""
    left: list[Ask] = []

    def script() -> Ask | None:
        if not left:
            number = next(numbers, None)
            if number is None:
                return None
            left.extend((people[who], "POST", f"/api/v1/cases/{number}/steps", said) for who, said in reversed(WAY))
        return left.pop()

    return script


async def over_http(
    people: dict[str, Seat], fresh: Sequence[str], whole: Sequence[str], pid: int
) -> tuple[Times, Times, Times, Times]:
    """Pages, cases, steps as fast as they go, steps as offered; with what processor time the node took for them."""
    reader, queue = people["operator"], iter(fresh)

    def reading(make: Callable[[int], Callable[[], Ask | None]], seconds: float) -> Any:
        return lambda lines: run_clients(lines, seconds, make, pid)

    await with_lines(reader, READERS, reading(lambda n: page_script(reader, 100 + n), 2.0))
    pages = await with_lines(reader, READERS, reading(lambda n: page_script(reader, n), SECONDS))
    cases = await with_lines(reader, READERS, reading(lambda n: case_script(reader, whole, n), SECONDS))

    def stepping(seconds: float, rate: float | None = None) -> Any:
        return lambda lines: run_clients(lines, seconds, lambda n: step_script(people, queue), pid, rate)

    await with_lines(reader, CLIENTS, stepping(2.0, OFFERED))
    offered = await with_lines(reader, CLIENTS, stepping(SECONDS, OFFERED))
    return pages, cases, await with_lines(reader, CLIENTS, stepping(SECONDS)), offered


def measure_http(dir: Path, name: str, whole: Sequence[str]) -> list[Figure]:
    """A node on one database, over HTTP, each figure beside its floor."""
    with Node.open(dir) as node:
        fresh, tokens = open_desks(node, FRESH)
        url = node.store.url
        page_floor = query_floor(node.store, [filters(Random(n)) for n in range(400)])
        case_floor = query_floor(node.store, whole[:400])
        cases = len(node.journal.subject(f"case:{whole[0]}"))
    (dir / "run.json").unlink(missing_ok=True)
    with LiveNode(dir) as live:
        live_at = live.facts()
        pages, history, steps, offered = asyncio.run(
            over_http(seats(str(live_at["web"]), tokens), fresh, whole, int(live_at["pid"]))
        )
    floor_rate, floor_ms = commit_floor(url, dir)
    return [
        _ms(f"{name}: page of 50, filtered, newest first, {READERS} readers, p99", pages.ms(0.99), page_floor.ms(0.99),
            "the same SQL, driver alone, p99", 100.0),
        _ms(f"{name}: the same, p50", pages.ms(0.5), page_floor.ms(0.5), "the same SQL, driver alone, p50", None),
        _ms(f"{name}: a case with history ({cases} entries), p99", history.ms(0.99), case_floor.ms(0.99),
            "the same SQL, driver alone, p99", 50.0),
        _ms(f"{name}: the same, p50", history.ms(0.5), case_floor.ms(0.5), "the same SQL, driver alone, p50", None),
        _ms(f"{name}: a step, {CLIENTS} clients, {OFFERED:.0f} steps/s offered, p99", offered.ms(0.99), floor_ms,
            "one commit of its bytes, p99", 50.0),
        _ms(f"{name}: the same, p50", offered.ms(0.5), None, "", None),
        _ms(f"{name}: a step, {CLIENTS} clients in a closed loop, p99", steps.ms(0.99), floor_ms, "one commit of its bytes, p99", 50.0),
        _ms(f"{name}: the same, p50", steps.ms(0.5), None, "", None),
        {"name": f"{name}: durable steps, {CLIENTS} clients in a closed loop", "value": steps.rate, "unit": "steps/s",
         "floor": floor_rate, "floor_name": "commits of a step's bytes, one by one", "goal": 400.0},
        *[_ms(f"{name}: processor time of the node, {what}", times.cpu_ms, None, "", None)
          for what, times in (("a page", pages), ("a case", history), ("a step", steps),
                              (f"a step at {OFFERED:.0f}/s", offered))],
    ]  # fmt: skip


def _ms(name: str, value: float, floor: float | None, floor_name: str, goal: float | None) -> Figure:
    return {"name": name, "value": value, "unit": "ms", "floor": floor, "floor_name": floor_name, "goal": goal}


def measure_replay(dir: Path) -> list[Figure]:
    """Seconds to replay all entries into a scratch store and to compare every row, as ``wanmi replay --check`` does."""
    with Node.open(dir) as node:
        start = perf_counter()
        steps = list(replaying(node.store, node.registry))
        seconds, done = perf_counter() - start, steps[-1].total
        floor = read_floor(node.store, done)
    return [
        {"name": f"replay of {done} entries, rows compared", "value": seconds, "unit": "s", "floor": floor,
         "floor_name": "reading and decoding them", "goal": 60.0 * done / 1_000_000},
    ]  # fmt: skip


def measure_writing(dir: Path) -> tuple[list[Figure], list[str]]:
    """Make the node ``dir`` and its cases, or copy the kept ones; how fast that was, and some closed cases."""
    kept = Path(KEPT or dir.parent / "kept").absolute()
    recipe = Recipe(CASES, WALKED)
    found = find_kept(kept, recipe)
    written = found or keep_cases(kept, recipe)
    if KEPT:
        copy_kept(kept, dir)
    else:
        (kept / "node").rename(dir)
    name = f"{written.cases} cases, {written.entries} entries written through the journal"
    figure = {
        "name": name, "value": written.entries / written.seconds, "unit": "entries/s", "floor": None, "floor_name": "",
        "goal": None,
    }  # fmt: skip
    return ([] if found else [figure]), written.whole


def run() -> list[Figure]:
    """Every figure."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wanmi-bench-", dir="."))).absolute()
        figures, whole = measure_writing(folder / "node")
        figures += measure_replay(folder / "node")
        if "postgresql" in DATABASES:
            url = new_database(stack.enter_context(postgresql(durable=True)), "cases")
            copy_database(folder / "node", folder / "on-postgresql", url)
        if "sqlite" in DATABASES:
            figures += measure_http(folder / "node", "SQLite", whole)
        shutil.rmtree(folder / "node")
        if "postgresql" in DATABASES:
            figures += measure_http(folder / "on-postgresql", "PostgreSQL", whole)
    return figures


if __name__ == "__main__":
    for figure in run():
        print(figure, file=sys.stdout, flush=True)
