"""Projections of terminals and their keys: admitted, rotated, revoked by their district; asked for at an edge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import BigInteger, Connection, String, delete, select, tuple_
from sqlalchemy.orm import Mapped, mapped_column

from wanmi import kinds
from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.models import Row, TerminalKeyRow, TerminalOrderRow, TerminalRow, mark, table
from wanmi.registry import Registry
from wanmi.reports.keys import Known, PastKey, admit_key, revoke_key, rotate_key
from wanmi.store import upsert_rows

SECOND = 1_000_000
Holding = tuple[str, str]
"""A district and a terminal that it admitted."""


class TerminalRotatingRow(Row):
    """The newest request for a new key that an edge journaled of a terminal; ``digest`` of what was signed."""

    __tablename__ = "terminal_rotating"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


def register_terminals(to: Registry) -> None:
    """Kinds and projections."""
    to.entry_kind("terminal.admitted", kinds.TerminalAdmitted, zh="终端准入", en="Terminal admitted")
    to.entry_kind("terminal.revoked", kinds.TerminalRevoked, zh="终端吊销", en="Terminal revoked")
    to.entry_kind("terminal.rotating", kinds.TerminalRotating, zh="终端申请换钥", en="New key asked for")
    to.entry_kind("terminal.rotated", kinds.TerminalRotated, zh="终端换钥", en="Terminal's key rotated")
    to.entry_kind(
        "terminal.rotation_ordered", kinds.TerminalRotationOrdered, zh="要求终端换钥", en="Key rotation ordered"
    )
    to.projection(
        "terminals",
        kinds=("terminal.admitted", "terminal.revoked", "terminal.rotated", "terminal.rotation_ordered"),
        rows=(TerminalRow, TerminalKeyRow, TerminalOrderRow),
        apply=project_terminals,
    )
    to.projection(
        "terminals_rotating", kinds=("terminal.rotating",), rows=(TerminalRotatingRow,), apply=project_rotating
    )


def project_terminals(tx: Connection, entries: Sequence[Entry]) -> None:
    """What districts say of their terminals' keys."""
    for entry in entries:
        _APPLY[entry.kind](tx, entry)


def project_rotating(tx: Connection, entries: Sequence[Entry]) -> None:
    """The newest request of each terminal at each edge."""
    for entry in entries:
        body = body_of(entry, kinds.TerminalRotating)
        upsert_rows(tx, TerminalRotatingRow, [(entry.origin, body.terminal, body.digest, entry.at)])


def known_terminals(tx: Connection, which: Sequence[Holding] | None = None) -> dict[Holding, Known]:
    """The keys of terminals by district and id, all of them or those of ``which``."""
    row, key = table(TerminalRow).c, table(TerminalKeyRow).c
    found = select(row.district, row.terminal, row.sign_key, row.state, row.at)
    earlier = select(table(TerminalKeyRow)).order_by(key.ended_at, key.sign_key)
    if which is not None:
        found = found.where(tuple_(row.district, row.terminal).in_(which))
        earlier = earlier.where(tuple_(key.district, key.terminal).in_(which))
    past: dict[Holding, list[PastKey]] = {}
    for one in tx.execute(earlier):
        gone = PastKey(bytes.fromhex(one.sign_key), one.ended_at, one.heard_until, bool(one.revoked))
        past.setdefault((one.district, one.terminal), []).append(gone)
    return {
        (one.district, one.terminal): Known(
            bytes.fromhex(one.sign_key),
            one.state != "admitted",
            tuple(past.get((one.district, one.terminal), ())),
            one.at if one.state != "admitted" else 0,
        )
        for one in tx.execute(found)
    }


def ordered_terminals(tx: Connection) -> set[str]:
    """The terminals that some district wants to rotate their keys."""
    return set(tx.execute(select(table(TerminalOrderRow).c.terminal)).scalars())


def _admitted(tx: Connection, entry: Entry) -> None:
    body = body_of(entry, kinds.TerminalAdmitted)
    which = (entry.origin, body.terminal)
    known = admit_key(_known(tx, which), bytes.fromhex(body.sign_key), entry.at)
    row = (*which, body.sign_key, body.broker_verifier, body.holder, "admitted", entry.at)
    upsert_rows(tx, TerminalRow, [row])
    _keep_past(tx, which, known)
    _end_order(tx, which)


def _rotated(tx: Connection, entry: Entry) -> None:
    """A second entry of one rotation, or one that came when the terminal was revoked, changes nothing."""
    body = body_of(entry, kinds.TerminalRotated)
    which = (entry.origin, body.terminal)
    before = _known(tx, which)
    if before is None:
        raise BadInput(f"{entry.origin} has no terminal {body.terminal}")
    public = bytes.fromhex(body.sign_key)
    known = rotate_key(before, bytes.fromhex(body.old_key), public, entry.at, body.grace * SECOND)
    if known == before:
        return
    row = table(TerminalRow)
    changed = {"sign_key": body.sign_key, "broker_verifier": body.broker_verifier, "at": entry.at}
    tx.execute(row.update().where(row.c.district == which[0], row.c.terminal == which[1]).values(changed))
    _keep_past(tx, which, known)
    _end_order(tx, which)


def _revoked(tx: Connection, entry: Entry) -> None:
    which = (entry.origin, body_of(entry, kinds.TerminalRevoked).terminal)
    before = _known(tx, which)
    if before is None:
        return
    row = table(TerminalRow)
    of_it = (row.c.district == which[0]) & (row.c.terminal == which[1])
    tx.execute(row.update().where(of_it).values(state="revoked", at=entry.at))
    _keep_past(tx, which, revoke_key(before, entry.at))
    _end_order(tx, which)


def _ordered(tx: Connection, entry: Entry) -> None:
    terminal = body_of(entry, kinds.TerminalRotationOrdered).terminal
    known = _known(tx, (entry.origin, terminal))
    if known is not None and not known.revoked:
        upsert_rows(tx, TerminalOrderRow, [(entry.origin, terminal, entry.at)])


def _known(tx: Connection, which: Holding) -> Known | None:
    return known_terminals(tx, [which]).get(which)


def _keep_past(tx: Connection, which: Holding, known: Known) -> None:
    """The past keys as they are now; the key of today is no past one."""
    key = table(TerminalKeyRow).c
    tx.execute(
        delete(table(TerminalKeyRow)).where(
            key.district == which[0], key.terminal == which[1], key.sign_key == known.public_key.hex()
        )
    )
    rows = [(*which, one.public_key.hex(), one.ended_at, one.heard_until, int(one.revoked)) for one in known.past]
    upsert_rows(tx, TerminalKeyRow, rows)


def _end_order(tx: Connection, which: Holding) -> None:
    row = table(TerminalOrderRow).c
    tx.execute(delete(table(TerminalOrderRow)).where(row.district == which[0], row.terminal == which[1]))


_APPLY: Mapping[str, Callable[[Connection, Entry], None]] = {
    "terminal.admitted": _admitted,
    "terminal.rotated": _rotated,
    "terminal.revoked": _revoked,
    "terminal.rotation_ordered": _ordered,
}
