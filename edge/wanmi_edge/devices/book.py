"""The book of an edge's devices: what is set, in entries; how a driver's settings are checked and taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from pydantic import SecretStr, ValidationError
from sqlalchemy import Connection, Row, select

from wanmi.device_kinds import AlarmCleared, DeviceRemoved, DeviceSet, alarm_subject, device_subject
from wanmi.devices import DeviceSettings, Driver
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.journal.device_rows import AlarmRow, DeviceRow
from wanmi.models import table
from wanmi.registry import Draft, NodeContext, Stored
from wanmi_edge.devices.secrets import drop_secrets, keep_secrets, read_secrets

_NAME = re.compile(r"\S(.{0,58}\S)?")


@dataclass(frozen=True)
class Device:
    """A device as it is set. ``settings`` are plain text, secrets left out and named in ``secrets``."""

    id: str
    driver: str
    kind: str
    name: str
    enabled: bool
    settings: Mapping[str, str]
    secrets: tuple[str, ...]
    lon_e7: int | None
    lat_e7: int | None
    changed_at: int


@dataclass(frozen=True)
class Wanted:
    """What somebody wants a device to be; ``settings`` with its secrets in plain, as text."""

    driver: str
    name: str
    settings: Mapping[str, str]
    enabled: bool = True
    lon_e7: int | None = None
    lat_e7: int | None = None


class DeviceBook:
    """Reads and writes what is set. Adding and changing check the driver's settings first."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node

    def all(self) -> list[Device]:
        """Every device that is kept, by number."""
        row = table(DeviceRow)
        query = select(row).where(row.c.edge == self._node.code, row.c.state == "kept").order_by(row.c.device)
        with self._node.store.reader() as tx:
            return [_device(found) for found in tx.execute(query)]

    def get(self, key: str) -> Device:
        """A device by its number or its name; NotFound, or BadInput when two have that name."""
        found = [one for one in self.all() if key in (one.id, one.name)]
        exact = [one for one in found if one.id == key] or found
        if not exact:
            raise NotFound(f"no device {key!r} at {self._node.code}; `wanmi device list` shows them")
        if len(exact) > 1:
            raise BadInput(f"{len(exact)} devices have the name {key!r}: name one by its number ({exact[0].id} …)")
        return exact[0]

    def driver(self, name: str) -> Driver:
        """A driver by its name; NotFound names those that there are."""
        drivers = self._node.registry.drivers
        if name not in drivers:
            raise NotFound(f"no driver {name!r}; there are {', '.join(sorted(drivers)) or 'none: enable hardware'}")
        return drivers[name]

    def open_settings(self, device: Device) -> DeviceSettings:
        """The device's settings as its driver takes them, secrets included."""
        return parse_settings(self.driver(device.driver), self.secret_settings(device))

    def secret_settings(self, device: Device) -> dict[str, str]:
        """The device's settings as text, secrets in plain: not to be shown."""
        return {**device.settings, **read_secrets(self._node, device.id)}

    def add(self, wanted: Wanted, actor: str | None) -> Device:
        """Add a device; Conflict when its name is taken."""
        self._need_free_name(wanted.name, "")
        return self._set(self._next_id(), wanted, actor, 0)

    def change(self, id: str, wanted: Wanted, actor: str | None) -> Device:
        """Set a device otherwise; it keeps its number. Secrets that are not given stay as they are."""
        before = self.get(id)
        if wanted.driver != before.driver:
            raise BadInput(f"device {before.id} is a {before.driver}; remove it and add a {wanted.driver}")
        self._need_free_name(wanted.name, before.id)
        kept = {name: text for name, text in read_secrets(self._node, before.id).items() if name not in wanted.settings}
        return self._set(before.id, replace(wanted, settings={**kept, **wanted.settings}), actor, None)

    def remove(self, id: str, reason: str, actor: str | None) -> Device:
        """Take a device away; its number is never given again, its alarms end, its samples age out."""
        device = self.get(id)
        draft = Draft(
            kind="device.removed", subject=device_subject(self._node.code, device.id),
            body=DeviceRemoved(device.id, reason), actor=actor,
        )  # fmt: skip
        ended = self._alarms_end(device.id)
        self._node.journal.append(*ended, draft, also=lambda tx, _: drop_secrets(tx, device.id)).result()
        return device

    def _alarms_end(self, id: str) -> list[Draft]:
        """What stands of it is cleared: nobody will watch it any more."""
        row = table(AlarmRow)
        query = select(row.c.rule, row.c.occurrence).where(row.c.edge == self._node.code, row.c.device == id)
        with self._node.store.reader() as tx:
            standing = tx.execute(query.where(row.c.state != "cleared").order_by(row.c.rule)).all()
        return [
            Draft(
                "alarm.cleared", alarm_subject(self._node.code, id, rule), AlarmCleared(id, rule, n, "removed", "", "")
            )
            for rule, n in standing
        ]

    def _set(self, id: str, wanted: Wanted, actor: str | None, expect: int | None) -> Device:
        driver = self.driver(wanted.driver)
        if not _NAME.fullmatch(wanted.name):
            raise BadInput(f"name {wanted.name!r}: 1 to 60 characters, none of them white space at an end")
        plain, secrets = split_settings(driver, wanted.settings)
        body = DeviceSet(
            device=id, driver=driver.name, kind=driver.kind, name=wanted.name, enabled=wanted.enabled, settings=plain,
            secrets=sorted(secrets), lon_e7=wanted.lon_e7, lat_e7=wanted.lat_e7,
        )  # fmt: skip
        draft = Draft(
            kind="device.set", subject=device_subject(self._node.code, id), body=body, actor=actor, expect=expect
        )

        def also(tx: Connection, _stored: list[Stored]) -> None:
            keep_secrets(self._node, tx, id, secrets)

        self._node.journal.append(draft, also=also).result()
        return self.get(id)

    def _need_free_name(self, name: str, own: str) -> None:
        taken = [one.id for one in self.all() if one.name == name and one.id != own]
        if taken:
            raise Conflict(f"device {taken[0]} has the name {name!r} already; choose another one")

    def _next_id(self) -> str:
        row = table(DeviceRow)
        with self._node.store.reader() as tx:
            given = tx.execute(select(row.c.device).where(row.c.edge == self._node.code)).scalars()
            return f"D{max((int(id[1:]) for id in given), default=0) + 1:04d}"


def parse_settings(driver: Driver, settings: Mapping[str, str]) -> DeviceSettings:
    """Settings as the driver takes them; BadInput names each wrong key (never a secret's value)."""
    try:
        return driver.settings.model_validate(dict(settings))
    except ValidationError as error:
        wrong = "; ".join(_told(one) for one in error.errors(include_input=False, include_url=False))
        known = ", ".join(driver.settings.model_fields)
        raise BadInput(f"driver {driver.name}: {wrong} (its settings: {known})") from None


def split_settings(driver: Driver, settings: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Checked settings as text: plain ones, and secrets."""
    parse_settings(driver, settings)
    hidden = {name for name, field in driver.settings.model_fields.items() if field.annotation in _SECRET}
    plain = {name: text for name, text in settings.items() if name not in hidden}
    return plain, {name: text for name, text in settings.items() if name in hidden}


_SECRET = (SecretStr, SecretStr | None)
_PLAIN = {"missing": "must be given", "extra_forbidden": "no such setting"}


def _told(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    said = _PLAIN.get(str(error["type"])) or str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def _device(found: Row[Any]) -> Device:
    return Device(
        id=found.device, driver=found.driver, kind=found.kind, name=found.name, enabled=bool(found.enabled),
        settings=msgspec.json.decode(found.settings), secrets=tuple(msgspec.json.decode(found.secrets)),
        lon_e7=found.lon_e7, lat_e7=found.lat_e7, changed_at=found.changed_at,
    )  # fmt: skip
