"""Cases of a real district node, from the chains of real edge journals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import wanmi_casework
from edge.street import Street
from support.journals import Bench, admission, open_bench, sqlite_url
from wanmi.clock import ManualClock
from wanmi.codes import CaseNumber, Profile
from wanmi.hookspecs import Located, ReportFacts, hookimpl
from wanmi.journal import ReactorRunner
from wanmi.kinds import Attachment, ReportReceived, TerminalAdmitted, TerminalRevoked, report_subject
from wanmi.models import CaseRow, table
from wanmi.node.creating import NewNode, create_node
from wanmi.node.node import Node
from wanmi.plugins import Plugin
from wanmi.registry import Draft
from wanmi.reports import decode_report
from wanmi.reports.envelope import to_b64

DISTRICT = "210102"
SOUTH_EDGE, NORTH_EDGE = "21010201", "21010202"
START = 1_795_500_000_000_000
"""2026-11-24 14:00 in Shenyang, µs UTC."""
HOUR = 3_600_000_000
LAST_GRID = "210102001002001"


class Grids:
    """A plugin that locates: everything north of a line lies in one grid."""

    __name__ = "test_grids"

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, str]] = []

    @hookimpl
    def locate_point(self, node: Any, lon_e7: int, lat_e7: int, datum: str) -> Located | None:
        self.asked.append((lon_e7, lat_e7, datum))
        return Located(LAST_GRID, "grids-1") if lat_e7 > 417_000_000 else None


class Town:
    """A district node, two edges' journals, a terminal."""

    def __init__(self, dir: Path) -> None:
        self.dir = dir
        self.clock = ManualClock(START)
        self.grids = Grids()
        self.edges = {code: edge_bench(dir / code, code, seed) for seed, code in ((11, SOUTH_EDGE), (12, NORTH_EDGE))}
        if not (dir / "district").exists():
            create_node(
                dir / "district",
                NewNode("district", DISTRICT, plugins=("casework", "grids")),
                given=self.plugins,
                clock=self.clock,
            )
        self.node = Node.open(dir / "district", clock=self.clock, plugins=self.plugins)
        self.street = Street("T210102-0001")

    @property
    def plugins(self) -> list[Plugin]:
        return [Plugin("casework", "0.1.0", wanmi_casework), Plugin("grids", "1", self.grids)]  # type: ignore[arg-type]

    def reopen(self) -> None:
        """The node's process dies and another takes over."""
        self.node.close()
        self.node = Node.open(self.dir / "district", clock=self.clock, plugins=self.plugins)

    def admit(self, street: Street) -> None:
        body = TerminalAdmitted(street.id, street.public.hex(), street.verifier, None)
        self.node.journal.append(Draft("terminal.admitted", f"terminal:{DISTRICT}:{street.id}", body)).result()

    def receive(self, edge: str, message: bytes, **lies: Any) -> None:
        """An edge's entry for a report; ``lies`` change what the entry says beside the envelope."""
        self.edges[edge].journal.append(received(edge, message, **lies)).result()

    def bring(self) -> int:
        """Bring the edges' chains, run the reactors; how many entries they made."""
        for code, bench in self.edges.items():
            while (batch := bench.journal.batch_for(DISTRICT, code, self.node.journal.cursor(code).seq)) is not None:
                self.node.journal.apply(batch, code).result()
        return ReactorRunner(self.node).run_once()

    def cases(self) -> list[Any]:
        row = table(CaseRow)
        with self.node.store.reader() as connection:
            return list(connection.execute(select(row).order_by(row.c.day, row.c.day_seq)))

    def counts(self) -> dict[str, Any]:
        (line,) = self.node.registry.probes["casework"].read(self.node)
        return dict(line.facts)


def edge_bench(dir: Path, code: str, seed: int) -> Bench:
    bench = open_bench(code, sqlite_url(dir), seed=seed)
    bench.clock.step(START - bench.clock.now())
    return bench


def received(edge: str, message: bytes, **lies: Any) -> Draft:
    decoded = decode_report(message)
    said = decoded.report
    body = ReportReceived(
        said.terminal, said.report_id, to_b64(decoded.envelope), to_b64(decoded.signature), decoded.digest, said.kind,
        said.category, said.made_at, [Attachment(a.role, a.digest, a.size, a.media, "cd" * 32) for a in said.attachments],
    )  # fmt: skip
    for name, value in lies.items():
        body = replace_body(body, name, value)
    return Draft("report.received", report_subject(edge, said.report_id, said.terminal), body)


def replace_body(body: ReportReceived, name: str, value: Any) -> ReportReceived:
    import msgspec

    return msgspec.structs.replace(body, **{name: value})


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    for code, seed in ((SOUTH_EDGE, 11), (NORTH_EDGE, 12)):
        town.node.journal.append(admission(code, seed, parent=DISTRICT, role="edge")).result()
    town.admit(town.street)
    yield town
    town.node.close()
    for bench in town.edges.values():
        bench.close()


def test_a_report_becomes_a_case(town: Town) -> None:
    report, message = town.street.with_text("井盖丢失", made_at=START - HOUR)
    town.receive(SOUTH_EDGE, message)
    assert town.bring() == 1
    (case,) = town.cases()
    assert case.number == "210102-E0102-20261124-0001"
    assert CaseNumber.parse(case.number).number == case.day_seq == 1
    assert (case.grid, case.community) == (LAST_GRID, LAST_GRID[:12])
    assert (case.stage, case.state, case.district) == ("collect", "reported", DISTRICT)
    assert (case.terminal, case.report_id, case.reported_at) == (town.street.id, report.report_id, START - HOUR)
    stored = town.node.journal.subject(f"case:{case.number}")[0]
    entry = stored.entry
    assert entry is not None
    assert entry.cause == f"{SOUTH_EDGE}:1#casework.open_case"
    assert (entry.by, entry.audience) == ("casework@0.1.0", "*")
    assert entry.body["grid_version"] == "grids-1"
    assert entry.body["profile"] == f"cjt-2007@{Profile.load().digest[:16]}"
    assert [one["role"] for one in entry.body["attachments"]] == ["text"]


def test_the_datum_is_turned_once_and_the_hook_gets_the_point_as_it_came(town: Town) -> None:
    _, message = town.street.signed(datum="GCJ02")
    town.receive(SOUTH_EDGE, message)
    town.bring()
    (case,) = town.cases()
    asked = town.grids.asked[0]
    assert asked[2] == "GCJ02"
    assert 30_000 < asked[0] - case.lon_e7 < 90_000


def test_a_point_outside_every_grid_still_gets_its_case(town: Town) -> None:
    _, message = town.street.signed(lat_e7=416_999_999)
    town.receive(SOUTH_EDGE, message)
    town.bring()
    (case,) = town.cases()
    assert (case.grid, case.community) == (None, None)


def test_one_case_whichever_edge_a_report_came_by(town: Town) -> None:
    _, message = town.street.signed()
    town.receive(SOUTH_EDGE, message)
    town.receive(NORTH_EDGE, message)
    assert town.bring() == 1
    town.receive(NORTH_EDGE, town.street.signed()[1])
    assert town.bring() == 1
    assert len(town.cases()) == 2
    assert town.counts() == {"opened": 2, "linked": 1, "guests": 0, "refused": 0}


def test_one_case_also_across_a_restart(town: Town) -> None:
    _, message = town.street.signed()
    town.receive(SOUTH_EDGE, message)
    town.bring()
    town.reopen()
    town.receive(NORTH_EDGE, message)
    assert town.bring() == 0
    assert len(town.cases()) == 1


def test_numbers_go_on_after_a_restart_and_begin_again_with_the_day(town: Town) -> None:
    for _ in range(3):
        town.receive(SOUTH_EDGE, town.street.signed()[1])
        town.bring()
    town.reopen()
    town.receive(SOUTH_EDGE, town.street.signed(category="0103")[1])
    town.bring()
    town.clock.advance(12 * HOUR)
    town.receive(SOUTH_EDGE, town.street.signed()[1])
    town.bring()
    assert [case.number for case in town.cases()] == [
        "210102-E0102-20261124-0001",
        "210102-E0102-20261124-0002",
        "210102-E0102-20261124-0003",
        "210102-E0103-20261124-0004",
        "210102-E0102-20261125-0001",
    ]


def test_numbers_stay_apart_when_entries_are_decided_one_by_one(town: Town) -> None:
    """What the journal does when a batch raised: several decisions before one append."""
    for n in range(3):
        town.receive(SOUTH_EDGE, town.street.signed(category=f"010{n + 2}")[1])
    town.receive(NORTH_EDGE, town.street.signed(category="0105")[1])
    for code, bench in town.edges.items():
        batch = bench.journal.batch_for(DISTRICT, code, 0)
        assert batch is not None
        town.node.journal.apply(batch, code).result()
    reactor = town.node.registry.reactors["casework.open_case"]
    batch_ = town.node.journal.since(0, reactor.kinds, 100)
    drafts = [pair for stored in batch_ for pair in reactor.decide(town.node, [stored])]
    assert len({draft.subject for _, draft in drafts}) == len(drafts) == 4
    town.node.journal.append(*[draft for _, draft in drafts]).result()
    assert [case.day_seq for case in town.cases()] == [1, 2, 3, 4]


def test_near_reports_of_one_category_are_similar(town: Town) -> None:
    here = {"lon_e7": 1_234_330_000, "lat_e7": 417_900_000, "made_at": START}
    reports: list[dict[str, Any]] = [
        here,
        here | {"lon_e7": here["lon_e7"] + 4_000},
        here | {"category": "0103"},
        here | {"lon_e7": here["lon_e7"] + 9_000},
        here | {"made_at": START - 25 * HOUR},
    ]
    for changes in reports[:3]:
        town.receive(SOUTH_EDGE, town.street.signed(**changes)[1])
    town.bring()
    for changes in reports[3:]:
        town.receive(NORTH_EDGE, town.street.signed(**changes)[1])
    town.bring()
    numbers = [case.number for case in town.cases()]
    similar = [town.node.journal.subject(f"case:{number}")[0].entry.body["similar"] for number in numbers]  # type: ignore[union-attr]
    assert similar == [[], [numbers[0]], [], [numbers[1]], []]


def test_the_hook_find_duplicates_answers_for_a_screen(town: Town) -> None:
    town.receive(SOUTH_EDGE, town.street.signed(made_at=START)[1])
    town.bring()
    (case,) = town.cases()
    facts = ReportFacts("event", "0102", case.lon_e7, case.lat_e7, START)
    assert town.node.hooks.find_duplicates(town.node, facts) == [case.number]
    town.reopen()
    assert town.node.hooks.find_duplicates(town.node, facts) == [case.number]
    assert town.node.hooks.find_duplicates(town.node, replace(facts, category="0103")) == []


@pytest.mark.parametrize(
    "lies",
    [{"category": "0103"}, {"kind": "component"}, {"report_id": "R00000000000000000000000X"}, {"made_at": 1},
     {"digest": "00" * 32}, {"terminal": "T210102-0002"}, {"sig": "A" * 86}, {"attachments": [Attachment("text", "ab" * 32, 1, "text/plain", "cd" * 32)]}],
    ids=lambda lies: next(iter(lies)),
)  # fmt: skip
def test_an_entry_that_says_more_than_the_terminal_opens_nothing(town: Town, lies: dict[str, Any]) -> None:
    town.admit(Street("T210102-0002"))
    town.receive(SOUTH_EDGE, town.street.signed()[1], **lies)
    town.receive(SOUTH_EDGE, town.street.signed()[1])
    assert town.bring() == 1
    assert town.counts()["refused"] == 1
    (line,) = town.node.registry.probes["casework"].read(town.node)
    assert line.state == "warn"


def test_a_terminal_that_was_never_admitted_here_opens_nothing(town: Town) -> None:
    town.receive(SOUTH_EDGE, Street("T210102-0077").signed()[1])
    assert town.bring() == 0
    assert town.counts()["refused"] == 1


def test_a_report_taken_in_before_the_revocation_counts_and_one_after_it_does_not(town: Town) -> None:
    town.receive(SOUTH_EDGE, town.street.signed()[1])
    town.clock.advance(HOUR)
    body = TerminalRevoked(town.street.id, "lost")
    town.node.journal.append(Draft("terminal.revoked", f"terminal:{town.street.id}", body)).result()
    town.edges[SOUTH_EDGE].clock.advance(2 * HOUR)
    town.receive(SOUTH_EDGE, town.street.signed()[1])
    assert town.bring() == 1
    assert town.counts()["refused"] == 1


def test_reports_that_a_city_sees_open_no_cases_there(town: Town) -> None:
    town.receive(SOUTH_EDGE, town.street.signed()[1])
    town.node.role = "city"
    assert town.bring() == 0
