"""Devices as people and the terminal UI see them: what is set, how it is, what it says, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from wanmi.devices import Driver, Event, Fix, Found, Identity, Reading
from wanmi.registry import NodeContext
from wanmi_edge.devices.board import Part, Post
from wanmi_edge.devices.book import Device
from wanmi_edge.devices.devices import Devices


@dataclass(frozen=True)
class ReadingView:
    """A reading with its quantity's unit and words; ``at`` µs UTC when it came."""

    name: str
    value: float | str | None
    unit: str
    quality: str
    raw: str
    at: int
    zh: str
    en: str
    word_zh: str
    word_en: str


@dataclass(frozen=True)
class IdentityView:
    """Who the device says it is; empty where it does not say."""

    maker: str
    model: str
    serial: str
    firmware: str


@dataclass(frozen=True)
class FixView:
    """A position; the fields are those of ``wanmi.devices.Fix``."""

    state: str
    made_at: int | None
    lon_e7: int | None
    lat_e7: int | None
    altitude_cm: int | None
    speed_cm_s: int | None
    course_cdeg: int | None
    satellites: int | None
    hdop: int | None
    systems: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class EventView:
    """Something that the device said happened."""

    at: int
    kind: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class PartView:
    """The device itself (part "") or one of a gateway's."""

    part: str
    identity: IdentityView | None
    readings: list[ReadingView]
    fix: FixView | None
    fix_at: int
    events: list[EventView]


@dataclass(frozen=True)
class DeviceView:
    """A device: ``state`` and ``reason`` of its health, when it is tried again (µs UTC, 0: it is being talked to)."""

    id: str
    name: str
    driver: str
    kind: str
    enabled: bool
    settings: Mapping[str, str]
    secrets: list[str]
    lon_e7: int | None
    lat_e7: int | None
    state: str
    reason: str
    seen_at: int
    tries_again_at: int
    failures: int
    samples: int
    commands: list[str]
    parts: list[PartView]


@dataclass(frozen=True)
class CommandView:
    """A command of a driver."""

    name: str
    zh: str
    en: str
    args: Mapping[str, str]
    risky: bool


@dataclass(frozen=True)
class SettingView:
    """A setting of a driver: what it means, its default as text, whether it is a secret."""

    name: str
    help: str
    default: str
    required: bool
    secret: bool


@dataclass(frozen=True)
class DriverView:
    """A driver, with all that a form needs."""

    name: str
    kind: str
    zh: str
    en: str
    every: float
    finds: bool
    settings: list[SettingView]
    commands: list[CommandView]


@dataclass(frozen=True)
class FoundView:
    """A device that discovery came across."""

    driver: str
    name: str
    settings: Mapping[str, str]
    identity: IdentityView
    why: str


def view_device(node: NodeContext, devices: Devices, device: Device) -> DeviceView:
    """The device with what is known of it now."""
    post = devices.board.get(device.id)
    driver = node.registry.drivers.get(device.driver)
    state, reason, seen = _state(node, device, post, driver)
    return DeviceView(
        id=device.id, name=device.name, driver=device.driver, kind=device.kind, enabled=device.enabled,
        settings=dict(device.settings), secrets=list(device.secrets), lon_e7=device.lon_e7, lat_e7=device.lat_e7,
        state=state, reason=reason, seen_at=seen, tries_again_at=post.tries_again_at if post else 0,
        failures=post.failures if post else 0, samples=post.samples if post else 0,
        commands=[one.name for one in driver.commands] if driver else [],
        parts=[view_part(post.driver, name, part) for name, part in sorted(post.parts.items())] if post else [],
    )  # fmt: skip


def _state(node: NodeContext, device: Device, post: Post | None, driver: Driver | None) -> tuple[str, str, int]:
    if driver is None:
        return "off", f"no driver {device.driver} here: enable the plugin that brings it", 0
    if not device.enabled:
        return "off", "switched off", 0
    if post is None:
        return "never_seen", "the node has just started, or does not run", 0
    health = post.health(node.clock.now())
    return health.state, health.reason, health.seen_at


def view_part(driver: Driver, name: str, part: Part) -> PartView:
    """One part's newest readings, by name."""
    readings = [view_reading(driver, told.reading, told.at) for _, told in sorted(part.readings.items())]
    events = [_event(at, event) for at, event in part.events]
    identity = view_identity(part.identity) if part.identity is not None else None
    fix = view_fix(part.fix) if part.fix is not None else None
    return PartView(name, identity, readings, fix, part.fix_at, events[::-1])


def view_identity(identity: Identity) -> IdentityView:
    """Who it is."""
    return IdentityView(**msgspec.structs.asdict(identity))


def view_fix(fix: Fix) -> FixView:
    """Where it is."""
    return FixView(**msgspec.structs.asdict(fix))


def view_reading(driver: Driver, reading: Reading, at: int) -> ReadingView:
    """A reading with what its quantity says of it."""
    quantity = driver.quantity(reading.name)
    zh, en = (_of_row(text, reading.name) for text in ((quantity.zh, quantity.en) if quantity else (reading.name,) * 2))
    word = quantity.words.get(str(reading.value), ("", "")) if quantity and isinstance(reading.value, str) else ("", "")
    return ReadingView(
        name=reading.name, value=reading.value, unit=quantity.unit if quantity else "", quality=reading.quality,
        raw=reading.raw, at=at, zh=zh, en=en, word_zh=word[0], word_en=word[1],
    )  # fmt: skip


def _of_row(text: str, name: str) -> str:
    """The words of a row: ``input # voltage`` of the reading ``input.2.voltage`` is ``input 2 voltage``."""
    row = next((part for part in name.split(".") if part.isdigit()), "")
    return text.replace("#", row)


def _event(at: int, event: Event) -> EventView:
    return EventView(event.at or at, event.kind, dict(event.facts))


def view_driver(driver: Driver) -> DriverView:
    """A driver's form."""
    from pydantic import SecretStr

    secret = (SecretStr, SecretStr | None)
    settings = [
        SettingView(
            name, field.description or "", "" if field.is_required() or field.annotation in secret else str(field.default),
            field.is_required(), field.annotation in secret,
        )
        for name, field in driver.settings.model_fields.items()
    ]  # fmt: skip
    commands = [CommandView(one.name, one.zh, one.en, dict(one.args), one.risky) for one in driver.commands]
    finds = driver.discover is not None
    return DriverView(driver.name, driver.kind, driver.zh, driver.en, driver.every, finds, settings, commands)


def view_found(found: Found) -> FoundView:
    """A find, with its settings ready to add."""
    return FoundView(found.driver, found.name, dict(found.settings), view_identity(found.identity), found.why)
