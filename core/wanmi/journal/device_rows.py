"""Projections of devices, alarms and power. An edge writes what is wrong, any node what its people did about it.

Acknowledging and silencing lie in rows of their own, by the node that wrote them: whichever chain comes first, the same
rows come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Index, Integer, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi import device_kinds as kinds
from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.journal.vehicle_rows import register_vehicles
from wanmi.models import Row, mark, table
from wanmi.registry import Registry
from wanmi.store import upsert_rows


class DeviceRow(Row):
    """A device as its edge set it last; ``state``: kept or removed. ``settings`` and ``secrets`` are JSON."""

    __tablename__ = "device"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    device: Mapped[str] = mapped_column(String(20), primary_key=True)
    driver: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(Text)
    enabled: Mapped[int] = mapped_column(Integer)
    settings: Mapped[str] = mapped_column(Text)
    secrets: Mapped[str] = mapped_column(Text)
    lon_e7: Mapped[int | None] = mapped_column(BigInteger)
    lat_e7: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10))
    changed_at: Mapped[int] = mapped_column(BigInteger)
    health: Mapped[str | None] = mapped_column(String(20))
    health_reason: Mapped[str | None] = mapped_column(Text)
    health_since: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = mark("projection", Index("device_kind", "kind", "edge", "device"))


class AlarmRow(Row):
    """The newest occurrence of an alarm; ``state``: standing, over (latched, waits to be acknowledged), cleared.

    ``raised_at`` is when that was written, ``since`` and ``cleared_at`` are when it was so.
    """

    __tablename__ = "alarm"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    device: Mapped[str] = mapped_column(String(20), primary_key=True)
    rule: Mapped[str] = mapped_column(String(60), primary_key=True)
    occurrence: Mapped[int] = mapped_column(Integer)
    severity: Mapped[str] = mapped_column(String(10))
    zh: Mapped[str] = mapped_column(Text)
    en: Mapped[str] = mapped_column(Text)
    reading: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    raw: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    raised_at: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[int] = mapped_column(BigInteger)
    lon_e7: Mapped[int | None] = mapped_column(BigInteger)
    lat_e7: Mapped[int | None] = mapped_column(BigInteger)
    cleared_at: Mapped[int | None] = mapped_column(BigInteger)
    cleared_by: Mapped[str | None] = mapped_column(String(20))
    __table_args__ = mark("projection", Index("alarm_state", "state", "raised_at"))


class AlarmNoteRow(Row):
    """What people of one node did about an alarm last: which occurrence they acknowledged or silenced."""

    __tablename__ = "alarm_note"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    device: Mapped[str] = mapped_column(String(20), primary_key=True)
    rule: Mapped[str] = mapped_column(String(60), primary_key=True)
    node: Mapped[str] = mapped_column(String(10), primary_key=True)
    acknowledged: Mapped[int | None] = mapped_column(Integer)
    acknowledged_at: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_by: Mapped[str | None] = mapped_column(Text)
    silenced: Mapped[int | None] = mapped_column(Integer)
    silenced_at: Mapped[int | None] = mapped_column(BigInteger)
    silenced_until: Mapped[int | None] = mapped_column(BigInteger)
    silenced_by: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    __table_args__ = mark("projection")


class PowerRow(Row):
    """Where a UPS's power comes from now, and since when (``at``)."""

    __tablename__ = "power"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    device: Mapped[str] = mapped_column(String(20), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    was: Mapped[str] = mapped_column(String(10))
    charge: Mapped[int | None] = mapped_column(Integer)
    minutes: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


DEVICES = ("device.set", "device.removed", "device.health_changed")
ALARMS = ("alarm.raised", "alarm.over", "alarm.cleared")
NOTES = ("alarm.acknowledged", "alarm.silenced")


def register_devices(to: Registry) -> None:
    """Kinds and projections of devices, alarms and power."""
    to.entry_kind("device.set", kinds.DeviceSet, zh="设备设定", en="Device set")
    to.entry_kind("device.removed", kinds.DeviceRemoved, zh="设备移除", en="Device removed")
    to.entry_kind("device.health_changed", kinds.DeviceHealthChanged, zh="设备状况变化", en="Device health changed")
    to.entry_kind("alarm.raised", kinds.AlarmRaised, zh="告警产生", en="Alarm raised")
    to.entry_kind("alarm.over", kinds.AlarmOver, zh="告警待确认", en="Alarm over, not acknowledged")
    to.entry_kind("alarm.cleared", kinds.AlarmCleared, zh="告警解除", en="Alarm cleared")
    to.entry_kind("alarm.acknowledged", kinds.AlarmAcknowledged, zh="告警确认", en="Alarm acknowledged")
    to.entry_kind("alarm.silenced", kinds.AlarmSilenced, zh="告警静音", en="Alarm silenced")
    to.entry_kind("power.changed", kinds.PowerChanged, zh="供电变化", en="Power changed")
    to.entry_kind("event.told", kinds.EventTold, zh="事件告知", en="Event told to edges")
    to.projection("devices", kinds=DEVICES, rows=(DeviceRow,), apply=project_devices)
    to.projection("alarms", kinds=ALARMS, rows=(AlarmRow,), apply=project_alarms)
    to.projection("alarm_notes", kinds=NOTES, rows=(AlarmNoteRow,), apply=project_notes)
    to.projection("power", kinds=("power.changed",), rows=(PowerRow,), apply=project_power)
    register_vehicles(to)


def project_devices(tx: Connection, entries: Sequence[Entry]) -> None:
    """Devices by (edge, device)."""
    for entry in entries:
        if entry.kind == "device.set":
            _set(tx, entry)
        elif entry.kind == "device.removed":
            gone = body_of(entry, kinds.DeviceRemoved)
            _change(tx, entry, gone.device, {"state": "removed", "enabled": 0, "changed_at": entry.at})
        else:
            body = body_of(entry, kinds.DeviceHealthChanged)
            values = {"health": body.state, "health_reason": body.reason, "health_since": body.since}
            _change(tx, entry, body.device, values)


def _set(tx: Connection, entry: Entry) -> None:
    body = body_of(entry, kinds.DeviceSet)
    if entry.subject != kinds.device_subject(entry.origin, body.device):
        raise BadInput(f"{entry.subject}: device {body.device} of {entry.origin} is set under its own subject")
    before = _row(tx, DeviceRow, edge=entry.origin, device=body.device)
    if before is not None and before["state"] == "removed":
        raise BadInput(f"device {body.device} of {entry.origin} was removed; a new one gets a new number")
    health = tuple(before[name] if before else None for name in ("health", "health_reason", "health_since"))
    settings, secrets = (msgspec.json.encode(one, order="sorted").decode() for one in (body.settings, body.secrets))
    row = (
        entry.origin, body.device, body.driver, body.kind, body.name, int(body.enabled), settings, secrets,
        body.lon_e7, body.lat_e7, "kept", entry.at, *health,
    )  # fmt: skip
    upsert_rows(tx, DeviceRow, [row])


def _change(tx: Connection, entry: Entry, device: str, values: dict[str, Any]) -> None:
    row = table(DeviceRow)
    which = (row.c.edge == entry.origin) & (row.c.device == device) & (row.c.state == "kept")
    if tx.execute(update(row).where(which).values(**values)).rowcount == 0:
        raise BadInput(f"{entry.kind}: {entry.origin} has no device {device}")


def project_alarms(tx: Connection, entries: Sequence[Entry]) -> None:
    """Alarms by (edge, device, rule): the newest occurrence."""
    for entry in entries:
        if entry.kind == "alarm.raised":
            body = body_of(entry, kinds.AlarmRaised)
            row = (
                entry.origin, body.device, body.rule, body.occurrence, body.severity, body.zh, body.en, body.reading,
                body.value, body.raw, "standing", entry.at, body.since, body.lon_e7, body.lat_e7, None, None,
            )  # fmt: skip
            upsert_rows(tx, AlarmRow, [row])
        elif entry.kind == "alarm.over":
            over = body_of(entry, kinds.AlarmOver)
            _alarm(tx, entry, over.device, over.rule, over.occurrence, {"state": "over"})
        else:
            end = body_of(entry, kinds.AlarmCleared)
            values = {"state": "cleared", "cleared_at": end.since or entry.at, "cleared_by": end.by}
            _alarm(tx, entry, end.device, end.rule, end.occurrence, values)


def _alarm(tx: Connection, entry: Entry, device: str, rule: str, occurrence: int, values: dict[str, Any]) -> None:
    row = table(AlarmRow)
    which = (row.c.edge == entry.origin) & (row.c.device == device) & (row.c.rule == rule)
    which = which & (row.c.occurrence == occurrence) & (row.c.state != "cleared")
    if tx.execute(update(row).where(which).values(**values)).rowcount == 0:
        raise BadInput(
            f"{entry.kind}: alarm {device} {rule} of {entry.origin} does not stand (occurrence {occurrence})"
        )


def project_notes(tx: Connection, entries: Sequence[Entry]) -> None:
    """What people did about alarms, by the node that wrote it."""
    names = [column.name for column in table(AlarmNoteRow).columns]
    for entry in entries:
        values = _noted(entry)
        key = {name: values[name] for name in ("edge", "device", "rule")}
        before = _row(tx, AlarmNoteRow, **key, node=entry.origin) or dict.fromkeys(names)
        merged = {**before, **values, "node": entry.origin}
        upsert_rows(tx, AlarmNoteRow, [tuple(merged[name] for name in names)])


def _noted(entry: Entry) -> dict[str, Any]:
    if entry.kind == "alarm.acknowledged":
        seen = body_of(entry, kinds.AlarmAcknowledged)
        return {
            "edge": seen.edge, "device": seen.device, "rule": seen.rule, "note": seen.note,
            "acknowledged": seen.occurrence, "acknowledged_at": entry.at, "acknowledged_by": entry.actor,
        }  # fmt: skip
    quiet = body_of(entry, kinds.AlarmSilenced)
    return {
        "edge": quiet.edge, "device": quiet.device, "rule": quiet.rule, "note": quiet.note,
        "silenced": quiet.occurrence, "silenced_at": entry.at, "silenced_until": quiet.until,
        "silenced_by": entry.actor,
    }  # fmt: skip


def project_power(tx: Connection, entries: Sequence[Entry]) -> None:
    """The newest power state of each UPS."""
    rows = []
    for entry in entries:
        body = body_of(entry, kinds.PowerChanged)
        since = body.since or entry.at
        rows.append((entry.origin, body.device, body.state, body.was, body.charge, body.minutes, since))
    upsert_rows(tx, PowerRow, rows)


def _row(tx: Connection, row: type[Row], **key: str) -> dict[str, Any] | None:
    columns = table(row).c
    query = select(table(row)).where(*(columns[name] == value for name, value in key.items()))
    found = tx.execute(query).mappings().one_or_none()
    return None if found is None else dict(found)
