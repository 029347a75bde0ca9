"""The reactor of scenes: alarms and power in the edge's own journal call them and end them, and what its district tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from wanmi.clock import SECOND
from wanmi.device_kinds import AlarmCleared, AlarmRaised, EventTold, PowerChanged
from wanmi.entries import Entry
from wanmi.journal.device_rows import AlarmRow, DeviceRow
from wanmi.models import table
from wanmi.registry import Draft, NodeContext, Stored
from wanmi_edge.scenes.book import KeptScene, Place, SceneBook, event_key
from wanmi_edge.scenes.plan import Alarmed, Call, calls_on_alarm, calls_on_event, calls_on_power, watches_power

KINDS = ("alarm.raised", "alarm.cleared", "power.changed", "event.told", "scene.set", "scene.removed")
Pair = tuple[Stored, Draft]


def watch_scenes(node: NodeContext, batch: Sequence[Stored]) -> list[Pair]:
    """What the entries of this edge, and what its parent tells it, call and end."""
    watch = _Watch(node)
    return [
        (stored, draft)
        for stored in batch
        if stored.entry is not None
        and stored.origin == (node.parent if stored.entry.kind == "event.told" else node.code)
        for draft in watch.heard(stored.entry)
    ]


class _Watch:
    """The calls that stand, brought forward within one batch: an alarm raised and cleared in it calls and ends."""

    def __init__(self, node: NodeContext) -> None:
        self._book = SceneBook(node)
        self._node = node
        self._scenes = self._book.scenes()
        self._standing = {(one.scene, one.key): one for one in self._book.calls()}

    def heard(self, entry: Entry) -> Iterator[Draft]:
        """The drafts because of one entry."""
        if entry.kind == "alarm.raised":
            yield from self._raised(entry, msgspec.convert(entry.body, AlarmRaised))
        elif entry.kind == "alarm.cleared":
            yield from self._cleared(entry, msgspec.convert(entry.body, AlarmCleared))
        elif entry.kind == "event.told":
            yield from self._told(entry, msgspec.convert(entry.body, EventTold))
        elif entry.kind == "power.changed":
            yield from self._powered(entry, msgspec.convert(entry.body, PowerChanged))
        elif entry.kind == "scene.removed" or not entry.body.get("enabled", True):
            yield from self._gone(str(entry.body["scene"]))

    def _raised(self, entry: Entry, alarm: AlarmRaised) -> Iterator[Draft]:
        device = self._device(alarm.device)
        told = Alarmed(alarm.device, device["kind"], alarm.rule, alarm.severity, "raised")
        place = {} if alarm.lon_e7 is None else Place(alarm.lon_e7, alarm.lat_e7).words()
        why = f"{device['name']}: {alarm.en} / {alarm.zh} ({alarm.value})"
        yield from self._alarmed(entry, told, why, {**device, **place})

    def _cleared(self, entry: Entry, alarm: AlarmCleared) -> Iterator[Draft]:
        """What the alarm called ends; a scene may wait for just that."""
        yield from self._over(f"alarm:{alarm.device}:{alarm.rule}")
        if not any("cleared" in kept.scene.trigger.states for kept in self._scenes.values()):
            return
        device, row = self._device(alarm.device), table(AlarmRow)
        which = (row.c.edge == self._node.code, row.c.device == alarm.device, row.c.rule == alarm.rule)
        with self._node.store.reader() as tx:
            raised: Any = tx.execute(select(row).where(*which)).first()
        if raised is not None:
            told = Alarmed(alarm.device, device["kind"], alarm.rule, raised.severity, "cleared")
            place = {} if raised.lon_e7 is None else Place(raised.lon_e7, raised.lat_e7).words()
            why = f"{device['name']}: cleared / 解除: {raised.en} / {raised.zh}"
            yield from self._alarmed(entry, told, why, {**device, **place})

    def _alarmed(self, entry: Entry, told: Alarmed, why: str, about: dict[str, str]) -> Iterator[Draft]:
        words = {**about, "device": told.device, "rule": told.rule, "severity": told.severity, "state": told.state}
        key = "alarm" if told.state == "raised" else "cleared"
        for name, kept in self._scenes.items():
            if _is_live(kept, entry) and calls_on_alarm(kept.scene.trigger, told):
                yield self._call(name, f"{key}:{told.device}:{told.rule}", why, words)

    def _told(self, entry: Entry, told: EventTold) -> Iterator[Draft]:
        """What the district tells; late news (the link was down) call nothing whose time would be over."""
        key = event_key(told.event, told.ref)
        if told.over:
            yield from self._over(key)
            return
        words = {**Place(told.lon_e7, told.lat_e7, told.ref).words(), "rule": told.event, "severity": told.severity}
        for name, kept in self._scenes.items():
            fresh = entry.at + kept.scene.minutes * 60 * SECOND > self._node.clock.now()
            if fresh and kept.scene.enabled and calls_on_event(kept.scene.trigger, told.event, told.severity):
                yield self._call(name, key, f"{told.event} {told.ref}: {told.why}", words)

    def _powered(self, entry: Entry, power: PowerChanged) -> Iterator[Draft]:
        device, key = self._device(power.device), f"power:{power.device}"
        words = {**device, "device": power.device, "state": power.state}
        for name, kept in self._scenes.items():
            if _is_live(kept, entry) and calls_on_power(kept.scene.trigger, power):
                if (name, key) not in self._standing:
                    yield self._call(name, key, f"{device['name']}: power {power.state}", words)
            elif watches_power(kept.scene.trigger, power) and (name, key) in self._standing:
                yield self._book.ending(self._standing.pop((name, key)), "cleared")

    def _over(self, key: str) -> Iterator[Draft]:
        for which in [one for one in self._standing if one[1] == key]:
            yield self._book.ending(self._standing.pop(which), "cleared")

    def _gone(self, scene: str) -> Iterator[Draft]:
        for which in [one for one in self._standing if one[0] == scene]:
            yield self._book.ending(self._standing.pop(which), "removed")

    def _call(self, scene: str, key: str, why: str, words: dict[str, str]) -> Draft:
        draft, call = self._book.calling(self._scenes[scene].scene, key, why, words, None)
        self._standing[scene, key] = call
        return draft

    def _device(self, device: str) -> dict[str, str]:
        row = table(DeviceRow)
        query = select(row.c.name, row.c.kind, row.c.lon_e7, row.c.lat_e7).where(
            row.c.edge == self._node.code, row.c.device == device
        )
        with self._node.store.reader() as tx:
            found: Any = tx.execute(query).first()
        if found is None:
            return {"name": device, "kind": ""}
        return {"name": found.name, "kind": found.kind, **Place(found.lon_e7, found.lat_e7).words()}


def _is_live(kept: KeptScene, entry: Entry) -> bool:
    """Whether the scene stood so, and was on, when it happened."""
    return kept.scene.enabled and kept.changed_at <= entry.at


def overdue(calls: Sequence[Call], now: int) -> list[Call]:
    """The calls whose time is over."""
    return [one for one in calls if one.until and one.until <= now]
