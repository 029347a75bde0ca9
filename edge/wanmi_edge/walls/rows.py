"""Which walls may stand at an edge's broker: entries, and the rows that they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from sqlalchemy import BigInteger, Connection, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.models import Row, mark, table
from wanmi.registry import Registry
from wanmi.store import upsert_rows


class WallAdmitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``wall.admitted``: a wall may stand at this edge's broker; again: with a new password.

    ``verifier`` is the broker's hash of a password of 256 random bits, which is shown once and kept nowhere.
    """

    wall: str
    verifier: str


class WallRevoked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``wall.revoked``: no longer."""

    wall: str
    reason: Annotated[str, msgspec.Meta(max_length=2000)]


class WallRow(Row):
    """A wall of an edge; ``state``: admitted or revoked."""

    __tablename__ = "edge_wall"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    wall: Mapped[str] = mapped_column(String(40), primary_key=True)
    verifier: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    changed_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


def wall_subject(edge: str, wall: str) -> str:
    """The subject of a wall."""
    return f"wall:{edge}:{wall}"


def register_walls(to: Registry) -> None:
    """Kinds and projection."""
    to.entry_kind("wall.admitted", WallAdmitted, zh="显示墙准入", en="Wall admitted")
    to.entry_kind("wall.revoked", WallRevoked, zh="显示墙撤销", en="Wall revoked")
    to.projection("walls", kinds=("wall.admitted", "wall.revoked"), rows=(WallRow,), apply=project_walls)


def project_walls(tx: Connection, entries: Sequence[Entry]) -> None:
    """Walls by (edge, wall)."""
    for entry in entries:
        if entry.kind == "wall.admitted":
            body = body_of(entry, WallAdmitted)
            upsert_rows(tx, WallRow, [(entry.origin, body.wall, body.verifier, "admitted", entry.at)])
            continue
        row, gone = table(WallRow), body_of(entry, WallRevoked)
        which = (row.c.edge == entry.origin) & (row.c.wall == gone.wall)
        if tx.execute(update(row).where(which).values(state="revoked", changed_at=entry.at)).rowcount == 0:
            raise BadInput(f"{entry.origin} has no wall {gone.wall}")


def wall_verifiers(tx: Connection, edge: str) -> dict[str, str]:
    """The password hash of every wall that is admitted at this edge."""
    row = table(WallRow)
    query = select(row.c.wall, row.c.verifier).where(row.c.edge == edge, row.c.state == "admitted")
    return {one.wall: one.verifier for one in tx.execute(query)}
