"""Who sits at which telephone: people take a seat when their shift begins; local data."""

from __future__ import annotations

from sqlalchemy import Connection, delete, or_, select

from wanmi.errors import BadInput
from wanmi.models import table
from wanmi.registry import NodeContext
from wanmi.store import upsert_rows
from wanmi_hotline.rows import SeatRow

LONGEST = 60


def take_seat(node: NodeContext, person: str, seat: str) -> None:
    """``person`` sits at the telephone ``seat`` from now on, and nobody else; an empty seat: nowhere."""
    wanted = seat.strip()
    if len(wanted) > LONGEST or not wanted.isprintable():
        raise BadInput(f"seat: at most {LONGEST} printable characters, the extension as the telephone system says it")
    row, now = table(SeatRow), node.clock.now()

    def work(tx: Connection) -> None:
        tx.execute(delete(row).where(or_(row.c.person == person, row.c.seat == wanted)))
        if wanted:
            upsert_rows(tx, SeatRow, [(wanted, person, now)])

    node.store.write(work).result()


def person_at(node: NodeContext, seat: str) -> str | None:
    """Who sits there; None when nobody said so."""
    row = table(SeatRow).c
    with node.store.reader() as tx:
        return tx.execute(select(row.person).where(row.seat == seat)).scalar_one_or_none()


def seat_of(node: NodeContext, person: str) -> str:
    """Where a person sits; empty when nowhere."""
    row = table(SeatRow).c
    with node.store.reader() as tx:
        return tx.execute(select(row.seat).where(row.person == person)).scalar_one_or_none() or ""
