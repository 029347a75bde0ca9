"""The first page: how many cases stand where, the newest ones, how the node is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from wanmi.cases import STAGES
from wanmi.codes import local_date
from wanmi.query import Tally, day_start, link_states, newest_cases, tally_cases
from wanmi.web import needs
from wanmi.web.seen import seen_by
from wanmi_console.pages import Pages

if TYPE_CHECKING:
    from fastapi import APIRouter

_NEWEST = 12


@dataclass(frozen=True)
class DistrictLine:
    """A district's row: cases at each stage, in order, all of them, and those of today."""

    district: str
    at_stage: tuple[int, ...]
    all: int
    today: int


def home_routes(router: APIRouter, pages: Pages) -> None:
    """/"""
    node = pages.node

    @router.get("/")
    @needs("home.read")
    def home(request: Request) -> Response:
        """The overview."""
        visit = pages.visit(request)
        today, seen = local_date(node.clock.now()).isoformat(), seen_by(visit.caller)
        with node.store.reader() as tx:
            tallies, of_today = tally_cases(tx, seen=seen), tally_cases(tx, day_start(today), seen)
            newest, links = newest_cases(tx, _NEWEST, seen=seen), link_states(tx)
        lines = district_lines(tallies, of_today)
        return pages.show(
            visit,
            "home.html",
            stages=STAGES,
            lines=lines,
            total=total_line(lines),
            today=today,
            newest=newest,
            health=node.health(),
            links=links,
        )


def district_lines(tallies: list[Tally], of_today: list[Tally]) -> list[DistrictLine]:
    """One row a district, in the order of their codes."""
    today: dict[str, int] = {}
    for tally in of_today:
        today[tally.district] = today.get(tally.district, 0) + tally.cases
    counts: dict[str, dict[str, int]] = {}
    for tally in tallies:
        counts.setdefault(tally.district, {})[tally.stage] = tally.cases
    return [
        DistrictLine(
            district,
            tuple(stages.get(stage.id, 0) for stage in STAGES),
            sum(stages.values()),
            today.get(district, 0),
        )
        for district, stages in sorted(counts.items())
    ]


def total_line(lines: list[DistrictLine]) -> DistrictLine:
    """The sum of all rows."""
    at_stage = tuple(sum(line.at_stage[n] for line in lines) for n in range(len(STAGES)))
    return DistrictLine("", at_stage, sum(line.all for line in lines), sum(line.today for line in lines))
