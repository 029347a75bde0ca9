"""A city and a district with the desk and orders, on disk: what one writes is at the other after ``exchange``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import select

import wanmi_casework
import wanmi_supervision
from core.cases.worked import LIMIT, START
from support.pictures import JPEG
from wanmi.cases import Case
from wanmi.clock import ManualClock
from wanmi.hookspecs import Actor
from wanmi.kinds import Attachment, Place, ReportRegistered, report_subject
from wanmi.models import CaseRow, table
from wanmi.node import Node
from wanmi.registry import Draft
from wanmi.reports import digest_of, text_part
from wanmi.testing import SmallCity, carry, react, replay_differences, small_city
from wanmi_casework.attached import upload
from wanmi_casework.desk import CaseDesk, Said
from wanmi_supervision.asking import IssueAsk
from wanmi_supervision.cases import audience_of
from wanmi_supervision.issuing import issue
from wanmi_supervision.queues import Counter, Order, counters

HOUR = 3_600_000_000
CITY, DISTRICT = "210100", "210102"
GRID = "210102001002007"
DEPARTMENT = "dep-1"
OPERATOR, LEADER, DISPATCHER = Actor("o-1", "operator"), Actor("l-1", "shift_leader"), Actor("c-1", "dispatcher")
SUPERVISOR, WORKER = Actor("s-1", "supervisor"), Actor("d-1", "department")
COLLECTOR = Actor("T210102-0001", "collector")
FILED = (("accept", OPERATOR), ("file", LEADER))
WORKED = (
    ("dispatch", DISPATCHER), ("take", WORKER), ("answer", WORKER), ("pass_on", DISPATCHER), ("send_check", OPERATOR),
    ("answer_check_passed", COLLECTOR), ("close", OPERATOR),
)  # fmt: skip


class TwoTiers:
    """A city and a district; what one writes is at the other after ``exchange``."""

    def __init__(self, nodes: SmallCity) -> None:
        self.nodes = nodes
        self.city, self.district = nodes.city, nodes.district

    @property
    def now(self) -> int:
        return self.city.clock.now()

    def advance(self, us: int) -> None:
        self.city.clock.advance(us)  # type: ignore[attr-defined]

    def exchange(self) -> None:
        """Carry and react until both sides have nothing more to say."""
        while True:
            said = react(self.city) + react(self.district)
            said += carry(self.city, self.district) + carry(self.district, self.city)
            if not said:
                return

    def case_from(self, source: str = "leader", text: str = "桥下积水", grid: str | None = None) -> str:
        """A case of the city, as it comes in; its number."""
        subject = written_down(self.city, source, text, grid)
        react(self.city)
        return self.number(self.city, CaseRow.report_subject, subject)

    def number(self, node: Node, column: Any, value: object) -> str:
        row = table(CaseRow).c
        with node.store.reader() as tx:
            return str(tx.execute(select(row.number).where(column == value, row.owner == node.code)).scalar_one())

    def work(self, node: Node, number: str, *steps: tuple[str, Actor]) -> Case:
        desk = CaseDesk(node)
        for step, who in steps:
            shown = step in ("answer", "answer_check_passed")
            photos = (upload(node, number, who.id, JPEG, "image/jpeg"),) if shown else ()
            said = Said(DEPARTMENT if who is WORKER else None, f"{step} it is", attachments=photos)
            more: dict[str, Any] = {"department": DEPARTMENT, "limit": LIMIT} if step == "dispatch" else {}
            desk.step(number, step, who, said, **more)
        return desk.case(number)

    def handed_down(self) -> tuple[str, Order]:
        """A filed case of the city, handed down to the district; its number and the order, not yet carried."""
        number = self.case_from()
        self.work(self.city, number, *FILED)
        ask = IssueAsk("hand_down", "请于今日处理", self.now + 24 * HOUR, case=number, district=DISTRICT)
        return number, issue(self.city, ask, DISPATCHER)

    def district_case(self) -> str:
        """A case of the district's own, dispatched, known at the city."""
        subject = written_down(self.district, "patrol", "垃圾")
        self.exchange()
        number = self.number(self.district, CaseRow.report_subject, subject)
        self.work(self.district, number, *FILED, *WORKED[:1])
        self.exchange()
        return number

    def count(self, code: str = DISTRICT) -> Counter:
        return next(one for one in counters(self.city) if one.node == code)

    def settled(self) -> None:
        """Both nodes replay to what they hold, and nothing was put aside."""
        self.exchange()
        for node in (self.city, self.district):
            assert replay_differences(node) == []
            assert [line for line in node.health() if line.state == "bad"] == []


def written_down(node: Node, source: str, text: str, grid: str | None = None) -> str:
    """A report that came by no terminal, with its text sealed, as a node writes it down; its subject."""
    content = text_part(text, node.ids.token(16))
    sealed = node.blobs.seal(content)
    part = Attachment("text", digest_of(content), len(content), "text/plain", sealed.blob)
    report_id = node.ids.token(13).hex()
    place = Place(1_234_290_000, 417_960_000, "grid" if grid else "point", grid, None)
    body = ReportRegistered(
        report_id, source, "event", "0102", place, "北一路", node.clock.now(), [part], None, OPERATOR.id
    )
    draft = Draft(
        "report.registered", report_subject(node.code, report_id, source), body, audience_of(node), OPERATOR.id
    )
    node.journal.append(draft, also=lambda tx, _: node.blobs.add(tx, sealed)).result()
    return draft.subject


@contextmanager
def small_tiers(
    dir: Path, *more: ModuleType, sections: Mapping[str, Mapping[str, object]] | None = None
) -> Iterator[TwoTiers]:
    """Shenyang and one district of it, with ``more`` plugins at both."""
    plugins = [wanmi_casework, wanmi_supervision, *more]
    edge = [wanmi_supervision] if sections else []  # sections stand in every node's settings
    with small_city(
        dir, city=plugins, district=plugins, edge=edge, sections=sections, clock=ManualClock(START)
    ) as nodes:
        yield TwoTiers(nodes)


def links(node: Node, number: str) -> list[tuple[str, str]]:
    """What a case is linked with, as (kind, number)."""
    return [(link.kind, link.other) for link in CaseDesk(node).case(number).links]
