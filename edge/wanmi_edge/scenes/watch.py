"""The reactor of scenes: alarms and power in the edge's own journal call them and end them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from wanmi.device_kinds import AlarmRaised, PowerChanged
from wanmi.entries import Entry
from wanmi.journal.device_rows import DeviceRow
from wanmi.models import table
from wanmi.registry import Draft, NodeContext, Stored
from wanmi_edge.scenes.book import Place, SceneBook
from wanmi_edge.scenes.plan import Call, calls_on_alarm, calls_on_power, watches_power

KINDS = ("alarm.raised", "alarm.cleared", "power.changed", "scene.set", "scene.removed")
Pair = tuple[Stored, Draft]


def watch_scenes(node: NodeContext, batch: Sequence[Stored]) -> list[Pair]:
    """What the entries of this edge call and end."""
    watch = _Watch(node)
    return [
        (stored, draft)
        for stored in batch
        if stored.entry is not None and stored.origin == node.code
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
            yield from self._over(f"alarm:{entry.body['device']}:{entry.body['rule']}")
        elif entry.kind == "power.changed":
            yield from self._powered(entry, msgspec.convert(entry.body, PowerChanged))
        elif entry.kind == "scene.removed" or not entry.body.get("enabled", True):
            yield from self._gone(str(entry.body["scene"]))

    def _raised(self, entry: Entry, alarm: AlarmRaised) -> Iterator[Draft]:
        device = self._device(alarm.device)
        words = {**device, "device": alarm.device, "rule": alarm.rule, "severity": alarm.severity}
        why = f"{device['name']}: {alarm.en} / {alarm.zh} ({alarm.value})"
        for name, kept in self._scenes.items():
            live = kept.scene.enabled and kept.changed_at <= entry.at
            if live and calls_on_alarm(kept.scene.trigger, alarm, device["kind"]):
                yield self._call(name, f"alarm:{alarm.device}:{alarm.rule}", why, words)

    def _powered(self, entry: Entry, power: PowerChanged) -> Iterator[Draft]:
        device, key = self._device(power.device), f"power:{power.device}"
        words = {**device, "device": power.device, "state": power.state}
        for name, kept in self._scenes.items():
            live = kept.scene.enabled and kept.changed_at <= entry.at
            if live and calls_on_power(kept.scene.trigger, power):
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


def overdue(calls: Sequence[Call], now: int) -> list[Call]:
    """The calls whose time is over."""
    return [one for one in calls if one.until and one.until <= now]
