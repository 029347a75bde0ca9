"""What the simulated nodes do with reports: a small casework, and a count of every effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec
from sqlalchemy import BigInteger, Connection, Integer, String, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.journal import register_core
from wanmi.kinds import CaseOpened, Role
from wanmi.links import LINK_ROWS
from wanmi.models import CaseRow, Row, mark, table
from wanmi.registry import Draft, NodeContext, Registry, Stored


class TallyRow(Row):
    """How often an entry took effect: a projection that is not idempotent, on purpose."""

    __tablename__ = "sim_tally"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer)
    __table_args__ = mark("projection")


class Thanked(msgspec.Struct, frozen=True):
    """``sim.thanked``: a node's answer to an entry from below, decided without looking at what was answered before."""

    to: str


_TALLY = "INSERT INTO sim_tally (origin, seq, n) VALUES (?, ?, 1) ON CONFLICT (origin, seq) DO UPDATE SET n = n + 1"


def project_tally(tx: Connection, entries: Sequence[Entry]) -> None:
    """Count the effects of every entry."""
    tx.exec_driver_sql(_TALLY, [(entry.origin, entry.seq) for entry in entries])


def open_cases(node: NodeContext, batch: Sequence[Stored]) -> Iterator[tuple[Stored, Draft]]:
    """One case for each (terminal, report id), whichever edge it came by."""
    case = table(CaseRow)
    with node.store.reader() as connection:
        rows = connection.execute(select(case.c.terminal, case.c.report_id).where(case.c.owner == node.code)).all()
    known = {(row.terminal, row.report_id) for row in rows}
    for stored in batch:
        assert stored.entry is not None
        key = (stored.entry.body["terminal"], stored.entry.body["report_id"])
        if key not in known:
            known.add(key)
            yield stored, _case(node.code, len(known), stored.entry)


def thank(node: NodeContext, batch: Sequence[Stored]) -> Iterator[tuple[Stored, Draft]]:
    """One answer an entry from below: only (cause, reactor) keeps it from being given twice.

    Some are for the one below alone, some for the parent: no peer holds all of a chain whole.
    """
    for stored in batch:
        if stored.entry is not None and stored.origin != node.code:
            below = node.code == "210100" or stored.seq % 2 == 0
            subject = stored.entry.subject
            audience = (stored.origin,) if below else ("210100",)
            yield stored, Draft("sim.thanked", f"thanks:{subject}", Thanked(subject), audience=audience)


def _case(district: str, n: int, report: Entry) -> Draft:
    number = f"{district}-E0102-20261124-{n:04d}"
    body = CaseOpened(
        number=number, district=district, day="20261124", day_seq=n, kind="event", category="0102", profile="cjt-2007",
        component=None, grid=None, grid_version=None, lon_e7=1234000000, lat_e7=418000000, source="terminal",
        terminal=report.body["terminal"], report_id=report.body["report_id"], report=report.subject,
        reported_at=report.body["made_at"], stage="collect", state="open", similar=[], attachments=[],
    )  # fmt: skip
    return Draft("case.opened", f"case:{number}", body, audience=("210100",), expect=0)


@lru_cache(maxsize=8)
def registry_for(role: Role) -> Registry:
    """What a node of a role runs: the core, the tally, and at a district the small casework."""
    made = Registry()
    with made.filling("sim", "0"):
        register_core(made)
        made.tables(*LINK_ROWS)
        made.entry_kind("sim.thanked", Thanked, zh="回复", en="Thanked")
        made.projection("tally", kinds=sorted({name for name, _ in made.kinds}), rows=(TallyRow,), apply=project_tally)
        if role == "district":
            made.reactor("casework", kinds=("report.received",), decide=open_cases)
            made.reactor("thanks", kinds=("report.received",), decide=thank)
        if role == "city":
            made.reactor("thanks", kinds=("case.opened",), decide=thank)
    return made
