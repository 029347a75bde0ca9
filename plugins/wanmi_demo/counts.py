"""Counting and proving: what terminals made against what districts and the city hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select

from wanmi.journal.proof import replay_check, verify_paths
from wanmi.models import CaseRow, EntryRow, table
from wanmi.node import Node
from wanmi.store import Store
from wanmi_demo.city import CITY, DISTRICTS, DemoCity
from wanmi_demo.walkers import Walker

Report = tuple[str, str]
"""(terminal, report id)."""


@dataclass(frozen=True)
class Proof:
    """The last line of ``--once --json``."""

    reports_sent: int
    receipts: int
    refused: int
    cases_at_districts: int
    cases_at_city: int
    lost: int
    duplicated: int
    entries: int
    chains_verified: bool
    replay_identical: bool
    seconds: float

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, every chain verifies, replay is identical."""
        return self.lost == 0 and self.duplicated == 0 and self.chains_verified and self.replay_identical

    def values(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class Counts:
    """Reads the nodes' databases while they run."""

    def __init__(self, city: DemoCity) -> None:
        self._stores = {
            code: Store.open_to_read(f"sqlite:///{city.dir(code).absolute()}/journal.db") for code in (CITY, *DISTRICTS)
        }

    def cases(self, code: str) -> int:
        """Cases that a node holds."""
        return self._one(code, select(func.count()).select_from(table(CaseRow)))

    def entries(self, code: str) -> int:
        """Entries that a node holds, of all chains."""
        return self._one(code, select(func.count()).select_from(table(EntryRow)))

    def reports(self, code: str, *, owner: str | None = None) -> list[Report]:
        """The (terminal, report id) of each case that a node holds."""
        case = table(CaseRow).c
        query = select(case.terminal, case.report_id).where(case.terminal.is_not(None))
        if owner is not None:
            query = query.where(case.owner == owner)
        with self._stores[code].reader() as connection:
            return [(row.terminal, row.report_id) for row in connection.execute(query)]

    def stages(self) -> Counter[str]:
        """Cases at the districts by stage."""
        c, found = table(CaseRow).c, Counter[str]()
        for code in DISTRICTS:
            with self._stores[code].reader() as connection:
                query = select(c.stage, func.count()).where(c.owner == code).group_by(c.stage)
                for stage, count in connection.execute(query):
                    found[stage] = count + found[stage]
        return found

    def versions(self, code: str, owner: str) -> dict[str, tuple[int, str]]:
        """Version and state of an owner's cases as a node holds them."""
        c = table(CaseRow).c
        with self._stores[code].reader() as connection:
            rows = connection.execute(select(c.number, c.version, c.state).where(c.owner == owner))
            return {row.number: (row.version, row.state) for row in rows}

    def city_has_all(self) -> bool:
        """Whether the city holds every district's cases as they stand there."""
        return all(self.versions(CITY, code) == self.versions(code, code) for code in DISTRICTS)

    def bodies(self, code: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Subject and body of each entry of a kind that a node holds."""
        c = table(EntryRow).c
        with self._stores[code].reader() as connection:
            rows = connection.execute(select(c.subject, c.body).where(c.kind == kind, c.body.is_not(None)))
            return [(row.subject, json.loads(row.body)) for row in rows]

    def close(self) -> None:
        """Close the databases."""
        for store in self._stores.values():
            store.close()

    def _one(self, code: str, query: Any) -> int:
        with self._stores[code].reader() as connection:
            return int(connection.execute(query).scalar_one())


def made_by(walkers: Iterable[Walker]) -> set[Report]:
    """Every report that a terminal put on its disk."""
    return {(walker.terminal, report) for walker in walkers for report in walker.made}


def prove(city: DemoCity, walkers: list[Walker], seconds: float) -> tuple[Proof, list[str]]:
    """The proof of a run whose nodes are stopped, and what is wrong, line by line."""
    counter = Counts(city)
    try:
        wanted = made_by(walkers)
        at_districts = [report for code in DISTRICTS for report in counter.reports(code, owner=code)]
        at_city = counter.reports(CITY)
        missing = {r for r in wanted if r not in set(at_districts) or r not in set(at_city)}
        twice = [r for held in (at_districts, at_city) for r, n in Counter(held).items() for _ in range(n - 1)]
        entries = counter.entries(CITY)
    finally:
        counter.close()
    verified = verify_paths([node.dir for node in city.nodes.values()])
    differences = [line for code in city.nodes for line in _replay(city, code)]
    wrong = [f"lost: {r}" for r in sorted(missing)] + [f"twice: {r}" for r in twice]
    wrong += [str(finding) for finding in verified.findings] + differences
    proof = Proof(
        reports_sent=len(wanted),
        receipts=sum(int(walker.summary.get("receipts", 0)) for walker in walkers),
        refused=sum(int(walker.summary.get("refused", 0)) for walker in walkers),
        cases_at_districts=len(at_districts),
        cases_at_city=len(at_city),
        lost=len(missing),
        duplicated=len(twice),
        entries=entries,
        chains_verified=verified.ok,
        replay_identical=not differences,
        seconds=round(seconds, 1),
    )
    return proof, wrong


def _replay(city: DemoCity, code: str) -> list[str]:
    with Node.open(city.dir(code)) as node:
        return [f"{code}: {difference}" for difference in replay_check(node.store, node.registry)]
