"""A restored node tells that it was: an entry in its own chain, as soon as it may write again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, Connection, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.models import Row, mark, table
from wanmi.registry import Draft, NodeContext, Registry, Stored
from wanmi.store import delete_keys

LOOK = 1.0
"""Seconds between two looks at whether the node may write."""


class NodeRestored(msgspec.Struct, frozen=True):
    """The node was put back from a backup.

    ``made_at`` is when the backup was made (µs UTC), ``seq`` how far its own chain went in it, ``back`` how far it went
    once its peers had given back what it lost. ``without`` are peers that were not waited for.
    """

    made_at: int
    seq: int
    back: int
    without: list[str]


class RestoredRow(Row):
    """A restore that is not told of yet; ``without`` are codes with commas."""

    __tablename__ = "restored"
    at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    made_at: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    without: Mapped[str] = mapped_column(Text)
    __table_args__ = mark("local")


def register_restored(to: Registry) -> None:
    """Register the kind, its table and the task that writes the entry."""
    to.tables(RestoredRow)
    to.entry_kind("node.restored", NodeRestored, zh="节点恢复", en="Node restored")
    to.task("restored", tell_when_writing)


async def tell_when_writing(node: NodeContext) -> None:
    """Wait until the node may write, tell of each restore, end."""
    while True:
        if await asyncio.to_thread(tell_of_restores, node):
            return
        await asyncio.sleep(LOOK)


def tell_of_restores(node: NodeContext) -> bool:
    """Journal each restore that was not told of; False while the node may not write yet."""
    row = table(RestoredRow)
    with node.store.reader() as tx:
        untold = tx.execute(select(row).order_by(row.c.at)).all()
    if not untold:
        return True
    if node.journal.held is not None:
        return False
    back = node.journal.cursor(node.code).seq
    for one in untold:
        body = NodeRestored(one.made_at, one.seq, back, [code for code in one.without.split(",") if code])
        key = (one.at,)

        def forget(tx: Connection, _stored: Sequence[Stored], key: tuple[int] = key) -> None:
            delete_keys(tx, RestoredRow, [key])

        node.journal.append(Draft("node.restored", f"node:{node.code}", body), also=forget).result()
    return True
