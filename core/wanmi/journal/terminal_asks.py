"""Projections of terminals that ask to be admitted, and of those that a district turned away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.journal.projecting import body_of
from wanmi.kinds import TerminalAsked, TerminalDenied
from wanmi.models import Row, TerminalKeyRow, TerminalRow, mark, table
from wanmi.registry import Registry
from wanmi.reports.asks import AskState
from wanmi.store import upsert_rows


class TerminalAskedRow(Row):
    """A request that an edge journaled, once for a key; good until ``expires_at``."""

    __tablename__ = "terminal_asked"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    sign_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    broker_verifier: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    app: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class TerminalDeniedRow(Row):
    """A key that a district does not admit."""

    __tablename__ = "terminal_denied"
    district: Mapped[str] = mapped_column(String(10), primary_key=True)
    sign_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


@dataclass(frozen=True)
class Asked:
    """A request and what became of it: ``terminal`` when approved, ``reason`` when denied. Times µs UTC."""

    edge: str
    sign_key: str
    broker_verifier: str
    model: str
    app: str
    asked_at: int
    expires_at: int
    state: AskState
    terminal: str = ""
    reason: str = ""


def register_asks(to: Registry) -> None:
    """Kinds and projections."""
    to.entry_kind("terminal.asked", TerminalAsked, zh="终端申请准入", en="Terminal asked to be admitted")
    to.entry_kind("terminal.denied", TerminalDenied, zh="终端申请驳回", en="Terminal turned away")
    to.projection("terminals_asked", kinds=("terminal.asked",), rows=(TerminalAskedRow,), apply=project_asked)
    to.projection("terminals_denied", kinds=("terminal.denied",), rows=(TerminalDeniedRow,), apply=project_denied)


def project_asked(tx: Connection, entries: Sequence[Entry]) -> None:
    """Requests by (edge, key)."""
    for entry in entries:
        body = body_of(entry, TerminalAsked)
        row = (entry.origin, body.sign_key, body.broker_verifier, body.model, body.app, entry.at, body.expires_at)
        upsert_rows(tx, TerminalAskedRow, [row])


def project_denied(tx: Connection, entries: Sequence[Entry]) -> None:
    """Denials by (district, key)."""
    for entry in entries:
        body = body_of(entry, TerminalDenied)
        upsert_rows(tx, TerminalDeniedRow, [(entry.origin, body.sign_key, body.reason, entry.at)])


def list_asked(tx: Connection, now: int, sign_key: str = "", edge: str = "") -> list[Asked]:
    """The requests that this node knows of, the newest first (one key's, one edge's), and how each stands at ``now``."""
    row = table(TerminalAskedRow).c
    query = select(table(TerminalAskedRow)).order_by(row.asked_at.desc(), row.edge, row.sign_key)
    if sign_key:
        query = query.where(row.sign_key == sign_key)
    if edge:
        query = query.where(row.edge == edge)
    found = tx.execute(query).all()
    admitted, denied, gone = _decided(tx, [one.sign_key for one in found])
    asks = []
    for one in found:
        state: AskState = "expired" if now > one.expires_at else "pending"
        if one.sign_key in denied or one.sign_key in gone:
            state = "denied"
        if one.sign_key in admitted:
            state = "approved"
        reason = denied.get(one.sign_key, "revoked" if one.sign_key in gone else "")
        asks.append(
            Asked(
                one.edge, one.sign_key, one.broker_verifier, one.model, one.app, one.asked_at, one.expires_at, state,
                admitted.get(one.sign_key, ""), reason if state == "denied" else "",
            )
        )  # fmt: skip
    return asks


def _decided(tx: Connection, keys: Sequence[str]) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Of these keys: the terminals that have them, the reasons of denials, and those that were a terminal's once."""
    terminal, past, no = table(TerminalRow).c, table(TerminalKeyRow).c, table(TerminalDeniedRow).c
    own = tx.execute(
        select(terminal.sign_key, terminal.terminal, terminal.state).where(terminal.sign_key.in_(keys))
    ).all()
    ended = set(tx.execute(select(past.sign_key).where(past.sign_key.in_(keys))).scalars())
    denied = {
        one.sign_key: one.reason for one in tx.execute(select(no.sign_key, no.reason).where(no.sign_key.in_(keys)))
    }
    admitted = {one.sign_key: one.terminal for one in own if one.state == "admitted"}
    return admitted, denied, ended | {one.sign_key for one in own if one.state != "admitted"}
