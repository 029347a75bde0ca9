"""Projection of how terminals are, as edges heard; one row a terminal and edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.models import Row, mark
from wanmi.registry import Registry
from wanmi.reports.statuses import TerminalsHeard, heard_subject
from wanmi.store import upsert_rows


class TerminalHeardRow(Row):
    """The newest status of a terminal that an edge journaled; ``seq`` of its entry. Times µs UTC."""

    __tablename__ = "terminal_heard"
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    status_id: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[int] = mapped_column(BigInteger)
    heard_at: Mapped[int] = mapped_column(BigInteger)
    app: Mapped[str] = mapped_column(Text)
    battery: Mapped[int | None] = mapped_column(Integer)
    queue: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    tasks: Mapped[int] = mapped_column(BigInteger)
    confirmed_at: Mapped[int | None] = mapped_column(BigInteger)
    round_trip_ms: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("terminal_heard_seq", "edge", "seq"))


def register_heard(to: Registry) -> None:
    """The kind and its projection."""
    to.entry_kind("terminals.heard", TerminalsHeard, zh="终端状态", en="Terminals heard")
    to.projection("terminals_heard", kinds=("terminals.heard",), rows=(TerminalHeardRow,), apply=project_heard)


def project_heard(tx: Connection, entries: Sequence[Entry]) -> None:
    """The newest status of each terminal at each edge."""
    newest: dict[tuple[str, str], tuple[Any, ...]] = {}
    for entry in entries:
        if entry.subject != heard_subject(entry.origin):
            raise BadInput(
                f"{entry.subject}: node {entry.origin} says what it heard under {heard_subject(entry.origin)}"
            )
        for one in body_of(entry, TerminalsHeard).terminals:
            newest[one.terminal, entry.origin] = (
                one.terminal, entry.origin, entry.seq, one.status_id, one.made_at, one.heard_at, one.app, one.battery,
                one.queue, one.refused, one.tasks, one.confirmed_at, one.round_trip_ms,
            )  # fmt: skip
    upsert_rows(tx, TerminalHeardRow, list(newest.values()))
