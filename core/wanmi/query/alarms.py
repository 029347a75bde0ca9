"""Devices and alarms of every edge that this node knows of, as their entries add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, select

from wanmi.errors import NotFound
from wanmi.journal.device_rows import AlarmNoteRow, AlarmRow, DeviceRow, PowerRow
from wanmi.models import table

AlarmKind = Literal["open", "standing", "over", "cleared"]
MOST_ALARMS = 500


@dataclass(frozen=True)
class Alarm:
    """An alarm's newest occurrence. ``open`` is standing or over; times µs UTC, place 1e-7 degree WGS-84; ``silenced_until`` 0: not silenced."""

    edge: str
    device: str
    device_name: str
    rule: str
    occurrence: int
    severity: str
    zh: str
    en: str
    reading: str
    value: str
    raw: str
    state: str
    raised_at: int
    since: int
    lon_e7: int | None
    lat_e7: int | None
    cleared_at: int | None
    acknowledged_at: int | None
    acknowledged_by: str | None
    silenced_until: int
    note: str


@dataclass(frozen=True)
class SetDevice:
    """A device as its edge set it and finds it. ``settings`` without secrets."""

    edge: str
    device: str
    driver: str
    kind: str
    name: str
    enabled: bool
    settings: Mapping[str, str]
    lon_e7: int | None
    lat_e7: int | None
    changed_at: int
    health: str
    health_reason: str
    health_since: int | None
    power: str | None
    power_at: int | None


def list_alarms(tx: Connection, kind: AlarmKind = "open", edge: str = "", limit: int = MOST_ALARMS) -> list[Alarm]:
    """Alarms in that state, the newest first."""
    row = table(AlarmRow)
    states = ("standing", "over") if kind == "open" else (kind,)
    query = select(row).where(row.c.state.in_(states))
    if edge:
        query = query.where(row.c.edge == edge)
    return _joined(tx, query.order_by(row.c.raised_at.desc(), row.c.edge, row.c.device, row.c.rule).limit(limit))


def find_alarm(tx: Connection, edge: str, device: str, rule: str) -> Alarm:
    """One alarm; NotFound when its rule never raised it."""
    row = table(AlarmRow)
    query = select(row).where(row.c.edge == edge, row.c.device == device, row.c.rule == rule)
    found = _joined(tx, query)
    if not found:
        raise NotFound(f"no alarm {rule!r} of device {device} at {edge}")
    return found[0]


def list_devices(tx: Connection, edge: str = "") -> list[SetDevice]:
    """Devices that are kept, by edge and number."""
    row, power = table(DeviceRow), table(PowerRow)
    query = select(row).where(row.c.state == "kept").order_by(row.c.edge, row.c.device)
    if edge:
        query = query.where(row.c.edge == edge)
    powers = {(one.edge, one.device): one for one in tx.execute(select(power))}
    return [_device(found, powers.get((found.edge, found.device))) for found in tx.execute(query)]


def _device(found: Any, power: Any) -> SetDevice:
    return SetDevice(
        edge=found.edge, device=found.device, driver=found.driver, kind=found.kind, name=found.name,
        enabled=bool(found.enabled), settings=msgspec.json.decode(found.settings), lon_e7=found.lon_e7,
        lat_e7=found.lat_e7, changed_at=found.changed_at, health=found.health or "never_seen",
        health_reason=found.health_reason or "", health_since=found.health_since,
        power=power.state if power else None, power_at=power.at if power else None,
    )  # fmt: skip


def _joined(tx: Connection, query: Any) -> list[Alarm]:
    """Alarms with what people did about this occurrence, whichever node wrote it."""
    alarms = tx.execute(query).all()
    devices, notes = table(DeviceRow), table(AlarmNoteRow)
    keys = {(one.edge, one.device) for one in alarms}
    names = {
        (one.edge, one.device): one.name
        for one in tx.execute(select(devices.c.edge, devices.c.device, devices.c.name))
        if (one.edge, one.device) in keys
    }
    said: dict[tuple[str, str, str], list[Any]] = {}
    for note in tx.execute(select(notes)):
        said.setdefault((note.edge, note.device, note.rule), []).append(note)
    return [
        _alarm(one, names.get((one.edge, one.device), one.device), said.get((one.edge, one.device, one.rule), []))
        for one in alarms
    ]


def _alarm(found: Any, name: str, notes: list[Any]) -> Alarm:
    seen = [one for one in notes if one.acknowledged == found.occurrence]
    first = min(seen, key=lambda one: (one.acknowledged_at, one.node), default=None)
    quiet = [one for one in notes if one.silenced == found.occurrence]
    last = max(quiet, key=lambda one: (one.silenced_at, one.node), default=None)
    newest = max([*seen, *quiet], key=lambda one: max(one.acknowledged_at or 0, one.silenced_at or 0), default=None)
    return Alarm(
        edge=found.edge, device=found.device, device_name=name, rule=found.rule, occurrence=found.occurrence,
        severity=found.severity, zh=found.zh, en=found.en, reading=found.reading, value=found.value, raw=found.raw,
        state=found.state, raised_at=found.raised_at, since=found.since, lon_e7=found.lon_e7, lat_e7=found.lat_e7, cleared_at=found.cleared_at,
        acknowledged_at=first.acknowledged_at if first else None, acknowledged_by=first.acknowledged_by if first else None,
        silenced_until=(last.silenced_until or 0) if last else 0, note=newest.note if newest else "",
    )  # fmt: skip
