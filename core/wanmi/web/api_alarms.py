"""/api/v1/alarms and /api/v1/equipment: alarms and devices of every edge known here; what people do about alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from wanmi.device_kinds import AlarmAcknowledged, AlarmSilenced, alarm_subject
from wanmi.errors import Conflict
from wanmi.query.alarms import Alarm, AlarmKind, SetDevice, find_alarm, list_alarms, list_devices
from wanmi.registry import Body, Draft, NodeContext
from wanmi.web.bounds import Count, Words
from wanmi.web.callers import Caller, Reading, needs

LONGEST_SILENCE = 7 * 86_400
"""Seconds: a week; no alarm is silenced for ever."""
SECOND = 1_000_000

EdgeCode = Annotated[str, Path(pattern=r"^[0-9]{8}$")]
DeviceId = Annotated[str, Path(pattern=r"^D[0-9]{4,9}$")]
RuleName = Annotated[str, Path(max_length=60)]


@dataclass(frozen=True)
class AlarmsOut:
    """Alarms, the newest first; ``as_of`` µs UTC."""

    as_of: int
    alarms: list[Alarm]


@dataclass(frozen=True)
class EquipmentOut:
    """Devices that are kept."""

    devices: list[SetDevice]


@dataclass(frozen=True)
class AcknowledgeIn:
    """Somebody has seen this occurrence."""

    occurrence: Count
    note: Words = ""


@dataclass(frozen=True)
class SilenceIn:
    """Quiet for ``seconds`` (0: shout again); the alarm stays listed."""

    occurrence: Count
    seconds: Annotated[int, Field(ge=0, le=LONGEST_SILENCE)]
    note: Words = ""


def alarm_routes(node: NodeContext) -> APIRouter:
    """The routes under /api/v1."""
    router = APIRouter(tags=["devices"])

    @router.get("/alarms")
    @needs("device.read")
    def alarms(state: AlarmKind = "open", edge: Annotated[str, Query(max_length=10)] = "") -> AlarmsOut:
        """Alarms of every edge that is known here."""
        with node.store.reader() as tx:
            return AlarmsOut(node.clock.now(), list_alarms(tx, state, edge))

    @router.get("/equipment")
    @needs("device.read")
    def equipment(edge: Annotated[str, Query(max_length=10)] = "") -> EquipmentOut:
        """Devices as their edges set them and find them."""
        with node.store.reader() as tx:
            return EquipmentOut(list_devices(tx, edge))

    _handling(router, node)
    return router


def _handling(router: APIRouter, node: NodeContext) -> None:
    @router.post("/alarms/{edge}/{device}/{rule}/acknowledge")
    @needs("alarm.handle")
    def acknowledge(caller: Reading, edge: EdgeCode, device: DeviceId, rule: RuleName, ask: AcknowledgeIn) -> Alarm:
        """Say that somebody has seen it; a latched alarm that is over ends with that."""
        alarm = _open_alarm(node, (edge, device, rule), ask.occurrence)
        body = AlarmAcknowledged(edge, device, rule, alarm.occurrence, ask.note.strip())
        return _write(node, caller, "alarm.acknowledged", (edge, device, rule), body)

    @router.post("/alarms/{edge}/{device}/{rule}/silence")
    @needs("alarm.handle")
    def silence(caller: Reading, edge: EdgeCode, device: DeviceId, rule: RuleName, ask: SilenceIn) -> Alarm:
        """No screen shall shout about it for a while."""
        alarm = _open_alarm(node, (edge, device, rule), ask.occurrence)
        until = node.clock.now() + ask.seconds * SECOND
        body = AlarmSilenced(edge, device, rule, alarm.occurrence, until, ask.note.strip())
        return _write(node, caller, "alarm.silenced", (edge, device, rule), body)


def _open_alarm(node: NodeContext, key: tuple[str, str, str], occurrence: int) -> Alarm:
    with node.store.reader() as tx:
        alarm = find_alarm(tx, *key)
    if alarm.occurrence != occurrence:
        raise Conflict(
            f"alarm {key[2]} of {key[1]} was raised again meanwhile (occurrence {alarm.occurrence}): look again"
        )
    if alarm.state == "cleared":
        raise Conflict(f"alarm {key[2]} of {key[1]} is cleared already")
    return alarm


def _write(node: NodeContext, caller: Caller, kind: str, key: tuple[str, str, str], body: Body) -> Alarm:
    draft = Draft(kind=kind, subject=alarm_subject(*key), body=body, actor=caller.actor.id)
    node.journal.append(draft).result()
    with node.store.reader() as tx:
        return find_alarm(tx, *key)
