"""The projection of settings changes that districts ordered. What comes first, the order or an answer, makes no difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Index, Integer, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from wanmi import settings_kinds as kinds
from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.models import Row, mark, table
from wanmi.registry import Registry
from wanmi.store import upsert_rows


class SettingsChangeRow(Row):
    """A change that ``district`` ordered of ``edge``, with how far the edge is. ``changes`` (JSON) is null while only
    an answer is here; ``tried_seq`` is where the edge's chain says that it runs with the new settings.
    """

    __tablename__ = "settings_change"
    district: Mapped[str] = mapped_column(String(10), primary_key=True)
    change_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    changes: Mapped[str | None] = mapped_column(Text)
    probation: Mapped[int | None] = mapped_column(Integer)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    ordered_at: Mapped[int | None] = mapped_column(BigInteger)
    ordered_by: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    state_at: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    tried_seq: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("settings_change_waits", "edge", "state", "ordered_at"))


ANSWERS: Mapping[str, type[msgspec.Struct]] = {
    "settings.staged": kinds.SettingsStaged,
    "settings.tried": kinds.SettingsTried,
    "settings.refused": kinds.SettingsRefused,
    "settings.confirmed": kinds.SettingsConfirmed,
    "settings.rolled_back": kinds.SettingsRolledBack,
}


def register_settings(to: Registry) -> None:
    """Kinds and projection of ordered settings changes."""
    to.entry_kind("settings.ordered", kinds.SettingsOrdered, zh="下达设置变更", en="Settings change ordered")
    to.entry_kind("settings.staged", kinds.SettingsStaged, zh="设置变更已暂存", en="Settings change staged")
    to.entry_kind("settings.tried", kinds.SettingsTried, zh="设置变更试运行", en="Settings change on probation")
    to.entry_kind("settings.refused", kinds.SettingsRefused, zh="设置变更拒收", en="Settings change refused")
    to.entry_kind("settings.confirmed", kinds.SettingsConfirmed, zh="设置变更确认", en="Settings change confirmed")
    to.entry_kind("settings.rolled_back", kinds.SettingsRolledBack, zh="设置变更回退", en="Settings change rolled back")
    told = ("settings.ordered", *ANSWERS)
    to.projection("settings_changes", kinds=told, rows=(SettingsChangeRow,), apply=project_settings)


def project_settings(tx: Connection, entries: Sequence[Entry]) -> None:
    """Orders by their district, answers by the edge that they are for."""
    for entry in entries:
        if entry.kind == "settings.ordered":
            _order(tx, entry)
        else:
            _answer(tx, entry)


def _order(tx: Connection, entry: Entry) -> None:
    body = body_of(entry, kinds.SettingsOrdered)
    if entry.version != 1 or entry.subject != kinds.change_subject(entry.origin, body.change_id):
        raise BadInput(f"{entry.subject}: change {body.change_id} is ordered once, under {entry.origin}'s own subject")
    _put(tx, entry.origin, body.change_id, body.edge, {
        "changes": msgspec.json.encode(body.changes).decode(), "probation": body.probation,
        "expires_at": body.expires_at, "ordered_at": entry.at, "ordered_by": entry.actor,
    })  # fmt: skip


def _answer(tx: Connection, entry: Entry) -> None:
    body: Any = body_of(entry, ANSWERS[entry.kind])
    state = entry.kind.removeprefix("settings.")
    kind, _, rest = entry.subject.partition(":")
    district, _, change_id = rest.partition(":")
    if kind != "change" or change_id != body.change_id:
        raise BadInput(f"{entry.subject}: an answer to change {body.change_id} stands under another subject")
    before = _read(tx, district, change_id, entry.origin)
    known = before["state"] if before is not None else "ordered"
    if kinds.RANK[state] <= kinds.RANK.get(known, 0):
        raise BadInput(f"{entry.subject}: {entry.origin} says {state}, and said {known} before")
    said = {"state": state, "state_at": entry.at, "reason": _reason(body)}
    tried = {"tried_seq": entry.seq} if state == "tried" else {}
    _put(tx, district, change_id, entry.origin, said | tried)


def _reason(body: Any) -> str:
    if isinstance(body, kinds.SettingsRefused):
        return "; ".join(body.reasons)
    return body.reason if isinstance(body, kinds.SettingsRolledBack) else ""


def _read(tx: Connection, district: str, change_id: str, edge: str) -> Mapping[str, Any] | None:
    row = table(SettingsChangeRow)
    query = select(row).where(row.c.district == district, row.c.change_id == change_id, row.c.edge == edge)
    found = tx.execute(query).mappings().one_or_none()
    return None if found is None else {str(name): value for name, value in found.items()}


def _put(tx: Connection, district: str, change_id: str, edge: str, values: Mapping[str, Any]) -> None:
    """Change those columns of the row, which need not be there yet."""
    names = [column.name for column in table(SettingsChangeRow).columns]
    before = _read(tx, district, change_id, edge) or {**dict.fromkeys(names), "state": "ordered", "reason": ""}
    row = {**before, "district": district, "change_id": change_id, "edge": edge, **values}
    upsert_rows(tx, SettingsChangeRow, [tuple(row[name] for name in names)])
