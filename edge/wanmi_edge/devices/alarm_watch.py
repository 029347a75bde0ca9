"""From readings to entries: alarms by their rules, power by its word, health when it has lasted. On the edge, offline too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from wanmi.clock import SECOND
from wanmi.device_kinds import (
    AlarmCleared,
    AlarmOver,
    AlarmRaised,
    DeviceHealthChanged,
    PowerChanged,
    PowerState,
    alarm_subject,
    device_subject,
    power_subject,
)
from wanmi.devices import CALM, AlarmRule, AlarmState, DeviceHealth, Driver, Fix, Reading, acknowledge, step
from wanmi.journal.device_rows import AlarmNoteRow, AlarmRow, DeviceRow, PowerRow
from wanmi.models import table
from wanmi.registry import Draft, NodeContext

POWER = "power.state"
"""The quantity that every driver of a power source gives: one of device_kinds.PowerState."""
_POWER_STATES: tuple[PowerState, ...] = ("mains", "battery", "low", "bypass", "off", "unknown")


Point = tuple[int, int]
"""Longitude and latitude, 1e-7 degree WGS-84."""


@dataclass(frozen=True)
class Judged:
    """A rule that is not the driver's, its reading as it was judged elsewhere, and since when it is so (0: not known)."""

    rule: AlarmRule
    reading: Reading
    since: int


class AlarmWatch:
    """One device's rules, brought forward by what it says. What stands was read from the projections at its start.

    A gateway's parts have alarms of their own: their rules' names end in a colon and the part.
    """

    def __init__(
        self, node: NodeContext, device: str, driver: Driver, health_after: float, place: Point | None = None
    ) -> None:
        self._node = node
        self._device = device
        self._driver = driver
        self._place = place
        self._fixes: dict[str, Fix] = {}
        self._health_after = round(health_after * SECOND)
        self._states: dict[str, AlarmState] = {}
        self._occurrences: dict[str, int] = {}
        self._told: dict[str, Mapping[str, Reading]] = {}
        self._power: PowerState = "unknown"
        self._health = ""
        self._turning: tuple[str, int] = ("", 0)
        self.read_again()

    def read_again(self) -> None:
        """How things stand by the journal: at the start, and when what was to be written could not be."""
        here = {"edge": self._node.code, "device": self._device}
        with self._node.store.reader() as tx:
            alarms = [dict(one._mapping) for one in tx.execute(_of(AlarmRow, here))]
            notes = [dict(one._mapping) for one in tx.execute(_of(AlarmNoteRow, here))]
            power = tx.execute(_of(PowerRow, here)).first()
            device = tx.execute(_of(DeviceRow, here)).first()
        self._states, self._occurrences = {}, {}
        for alarm in alarms:
            seen = any(n["rule"] == alarm["rule"] and n["acknowledged"] == alarm["occurrence"] for n in notes)
            self._occurrences[alarm["rule"]] = alarm["occurrence"]
            if alarm["state"] != "cleared":
                self._states[alarm["rule"]] = AlarmState(raised=True, over=alarm["state"] == "over", acknowledged=seen)
        self._power = power.state if power is not None else "unknown"
        self._health = (device.health or "") if device is not None else ""

    def sampled(
        self, readings: Mapping[str, Reading], now: int, part: str = "", fixes: Sequence[Fix] = ()
    ) -> list[Draft]:
        """What to write because of the newest readings of the device (or a part of it) and of where it is."""
        for fix in fixes:
            known = self._fixes.get(part)
            if fix.state == "valid" and (known is None or (fix.made_at or now) >= (known.made_at or 0)):
                self._fixes[part] = fix
        if not readings:
            return []
        self._told[part] = readings
        drafts = list(self._alarms(readings, now, part))
        power = readings.get(POWER)
        if not part and power is not None and power.quality == "good" and power.value != self._power:
            drafts += self._powered(power, readings, now)
        return drafts

    def _rules(self, part: str) -> Iterator[AlarmRule]:
        """The rules of the device, or those of a part, named after it."""
        if not part:
            yield from self._driver.rules
        for rule in self._driver.part_rules if part else ():
            yield _of_part(rule, part)

    def _alarms(self, readings: Mapping[str, Reading], now: int, part: str) -> Iterator[Draft]:
        for rule in self._rules(part):
            yield from self._alarm(rule, readings.get(rule.reading), part, now, now)

    def _alarm(self, rule: AlarmRule, reading: Reading | None, part: str, since: int, now: int) -> Iterator[Draft]:
        """What a reading, so since ``since``, makes of one rule."""
        before = self._states.get(rule.name, CALM)
        since = before.turning if before.turning is not None else since
        after, change = step(rule, before, reading, now)
        self._states[rule.name] = after
        if change == "raised" and reading is not None:
            yield self._raised(rule, reading, since, self._where(part))
        elif change == "cleared":
            yield self._cleared(rule.name, reading, "reading", since)
        elif after.over and not before.over:
            yield self._over(rule, reading, since)

    def judged(self, part: str, family: str, judged: Sequence[Judged], now: int) -> list[Draft]:
        """What to write because of all rules whose names begin with ``family``; an alarm whose rule is gone ends."""
        drafts: list[Draft] = []
        kept = set()
        for one in judged:
            rule = _of_part(one.rule, part) if part else one.rule
            kept.add(rule.name)
            drafts += self._alarm(rule, one.reading, part, one.since or now, now)
        return drafts + self._end(
            lambda rule: rule.startswith(family) and part_of(rule) == part and rule not in kept, now
        )

    def left(self, parts: Collection[str], now: int) -> list[Draft]:
        """The gateway has these parts only: what stands of others is cleared, since nobody watches it any more."""
        return self._end(lambda rule: part_of(rule) not in ("", *parts), now)

    def _end(self, is_gone: Callable[[str], bool], now: int) -> list[Draft]:
        gone = [rule for rule, state in self._states.items() if state.raised and is_gone(rule)]
        for rule in gone:
            self._states[rule] = CALM
        return [self._cleared(rule, None, "removed", now) for rule in gone]

    def _where(self, part: str) -> Point | None:
        """The newest good position of what moves, else where the device stands."""
        fix = self._fixes.get(part)
        if fix is None or fix.lon_e7 is None or fix.lat_e7 is None:
            return self._place
        return fix.lon_e7, fix.lat_e7

    def _raised(self, rule: AlarmRule, reading: Reading, since: int, place: Point | None) -> Draft:
        lon, lat = place if place is not None else (None, None)
        n = self._occurrences[rule.name] = self._occurrences.get(rule.name, 0) + 1
        body = AlarmRaised(
            self._device, rule.name, n, rule.severity, rule.zh, rule.en, rule.reading, _text(reading), reading.raw,
            since, lon, lat,
        )  # fmt: skip
        return self._draft("alarm.raised", rule.name, body)

    def _cleared(self, rule: str, reading: Reading | None, by: Any, since: int | None = None) -> Draft:
        raw = reading.raw if reading else ""
        body = AlarmCleared(self._device, rule, self._occurrences[rule], by, _text(reading), raw, since)
        return self._draft("alarm.cleared", rule, body)

    def _over(self, rule: AlarmRule, reading: Reading | None, since: int) -> Draft:
        raw = reading.raw if reading else ""
        body = AlarmOver(self._device, rule.name, self._occurrences[rule.name], _text(reading), raw, since)
        return self._draft("alarm.over", rule.name, body)

    def _draft(self, kind: str, rule: str, body: Any) -> Draft:
        return Draft(kind=kind, subject=alarm_subject(self._node.code, self._device, rule), body=body)

    def _powered(self, power: Reading, readings: Mapping[str, Reading], now: int) -> list[Draft]:
        state: PowerState = next((one for one in _POWER_STATES if one == power.value), "unknown")
        if state == self._power:
            return []
        was, self._power = self._power, state
        charge, minutes = (_whole(readings.get(name)) for name in ("battery.charge", "battery.minutes"))
        body = PowerChanged(self._device, state, was, charge, minutes, power.raw, now)
        return [Draft(kind="power.changed", subject=power_subject(self._node.code, self._device), body=body)]

    def acknowledged(self, rule: str, occurrence: int) -> list[Draft]:
        """Somebody has seen an occurrence of an alarm: a latched one that is over ends."""
        state = self._states.get(rule, CALM)
        if occurrence != self._occurrences.get(rule):
            return []
        self._states[rule], change = acknowledge(state)
        return [self._cleared(rule, self._reading_of(rule), "acknowledged")] if change == "cleared" else []

    def _reading_of(self, rule: str) -> Reading | None:
        for part, told in self._told.items():
            for one in self._rules(part):
                if one.name == rule:
                    return told.get(one.reading)
        return None

    def found(self, health: DeviceHealth, now: int) -> list[Draft]:
        """How the device is found; an entry once it has been so for a while (at once when it was never told)."""
        if health.state == self._health:
            self._turning = ("", 0)
            return []
        if self._turning[0] != health.state:
            self._turning = (health.state, now)
        since = self._turning[1]
        if self._health and now - since < self._health_after:
            return []
        self._health, self._turning = health.state, ("", 0)
        body = DeviceHealthChanged(self._device, health.state, health.reason, since)
        return [Draft(kind="device.health_changed", subject=device_subject(self._node.code, self._device), body=body)]


def part_of(rule: str) -> str:
    """The gateway's part that an alarm is about, from its rule's name."""
    return rule.partition(":")[2]


def _of_part(rule: AlarmRule, part: str) -> AlarmRule:
    return replace(rule, name=f"{rule.name}:{part}", zh=f"{rule.zh} {part}", en=f"{rule.en} {part}")


def _of(row: Any, key: Mapping[str, str]) -> Any:
    columns = table(row).c
    return select(table(row)).where(*(columns[name] == value for name, value in key.items()))


def _text(reading: Reading | None) -> str:
    if reading is None or reading.value is None:
        return ""
    return reading.value if isinstance(reading.value, str) else f"{reading.value:g}"


def _whole(reading: Reading | None) -> int | None:
    good = reading is not None and reading.quality == "good" and isinstance(reading.value, float | int)
    return round(float(reading.value)) if good and reading is not None and reading.value is not None else None
