"""What is out in the city: collectors' terminals, vehicles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wanmi_tui.cells import ago, clock, degrees
from wanmi_tui.pages import Cell, Column, Line, Look, Page, dim, joined, page_of, plain, state_cell
from wanmi_tui.state import NodeState
from wanmi_tui.topics import ASKED, DEVICES, FENCES, POSITIONS, TERMINALS, VEHICLES
from wanmi_tui.views.devices import fix_cells
from wanmi_tui.wire import Device, Devices, Fix, Part
from wanmi_tui.wire_field import (
    Ask,
    Asks,
    Fence,
    Fences,
    Position,
    Positions,
    Terminal,
    Terminals,
    Vehicle,
    Vehicles,
)
from wanmi_tui.words import T, word

TERMINAL_COLUMNS = (
    Column(T.terminal, 13, 1),
    Column(T.state, 15),
    Column(T.heard, 6, right=True),
    Column(T.battery, 7, right=True),
    Column(T.queue, 5, right=True),
    Column(T.version, 7, 1),
    Column(T.place, 19),
)
VEHICLE_COLUMNS = (
    Column(T.vehicle, 12, 1),
    Column(T.fix, 13),
    Column(T.place, 19),
    Column(T.speed, 8, right=True),
    Column(T.heard, 6, right=True),
    Column(T.course, 12, 2),
)
LOW = 20
"""Percent of a battery below which somebody should know."""


def terminals_page(look: Look, states: Sequence[NodeState]) -> Page:
    """A line for each terminal; those that ask to be admitted come first."""
    asking = [line for state in states for line in _asks(look, state)]
    known = [line for state in states for line in _terminals(look, state)]
    return page_of(look, states, TERMINALS, T.what_terminals, TERMINAL_COLUMNS, asking + known)


def _asks(look: Look, state: NodeState) -> Iterator[Line]:
    told = state.get(ASKED) or Asks()
    yield from (_ask(look, state, one, told.as_of) for one in told.asked)


def _ask(look: Look, state: NodeState, one: Ask, now: int) -> Line:
    """The end of the fingerprint stands in the line, all of it below."""
    lang = look.lang
    cells = (
        plain(one.model or one.id), state_cell("asking", lang), dim(ago(one.asked_at, now, lang)), dim("–"), dim("–"),
        plain(one.app or "–"), plain(f"…{one.fingerprint[-18:]}"),
    )  # fmt: skip
    times = f"{clock(one.asked_at, date=True)} → {clock(one.expires_at, date=True)}"
    notes = (
        f"{T.fingerprint.to(lang)} {one.fingerprint}",
        T.compare.to(lang),
        joined(one.id, one.model, one.edge, times),
    )
    return Line(f"ask {one.id}", state, cells, one, notes)


def _terminals(look: Look, state: NodeState) -> Iterator[Line]:
    told = state.get(TERMINALS) or Terminals()
    places = {one.terminal: one for one in (state.get(POSITIONS) or Positions()).positions}
    yield from (_terminal(look, state, one, places.get(one.terminal), told.as_of) for one in told.terminals)


def _terminal(look: Look, state: NodeState, one: Terminal, place: Position | None, now: int) -> Line:
    lang = look.lang
    battery = dim("–") if one.battery is None else Cell(f"{one.battery} %", "plain" if one.battery >= LOW else "warn")
    queue = dim("–") if one.queue is None else plain(str(one.queue))
    reach = ("up" if one.connected else "not_connected") if one.state == "admitted" else one.state
    cells = (
        plain(one.terminal), state_cell(reach, lang), dim(ago(one.heard_at, now, lang)), battery, queue,
        plain(one.app or "–"), plain("–" if place is None else degrees(place.lon_e7, place.lat_e7)),
    )  # fmt: skip
    trip = "" if one.round_trip_ms is None else f"{one.round_trip_ms} ms"
    proven = (
        T.confirmed.to(lang, at=clock(one.confirmed_at, date=True), trip=trip)
        if one.confirmed_at
        else T.unconfirmed.to(lang)
    )
    counts = T.counts.to(lang, tasks=one.pending_tasks, refused=one.refused or 0)
    holder = f"{T.holder.to(lang)} {one.holder}" if one.holder else ""
    since = f"{T.credentials.to(lang)} {clock(one.credentials_since, date=True)}" if one.credentials_since else ""
    fixed = f"{T.place.to(lang)} {clock(place.fix_at, date=True)}" if place is not None else ""
    heard = f"{T.heard.to(lang)} {clock(one.heard_at, date=True)}"
    notes = (proven, joined(counts, heard, fixed), joined(one.district, one.edge or "", holder, since))
    return Line(f"{one.district}|{one.terminal}", state, cells, one, notes)


def vehicles_page(look: Look, states: Sequence[NodeState]) -> Page:
    """A line for each vehicle: those that the node lists, and those that only a gateway among its devices tells of."""
    return page_of(look, states, VEHICLES, T.what_vehicles, VEHICLE_COLUMNS, _vehicles(look, states))


def _vehicles(look: Look, states: Sequence[NodeState]) -> Iterator[Line]:
    for state in states:
        told = state.get(VEHICLES) or Vehicles()
        yield from (_vehicle(look, state, one, told.as_of) for one in told.vehicles)
        listed = {(one.device, one.part) for one in told.vehicles}
        devices = state.get(DEVICES) or Devices()
        for device in devices.devices:
            if device.kind in {"vehicles", "tracks"}:
                parts = (part for part in device.parts if part.fix is not None and (device.id, part.part) not in listed)
                yield from (_part(look, state, device, part, devices.as_of) for part in parts)
    for state in states:
        yield from (_fence(look, state, one) for one in (state.get(FENCES) or Fences()).fences)


def _vehicle(look: Look, state: NodeState, one: Vehicle, now: int) -> Line:
    """A vehicle at its newest fix; where that has no place, at the newest good one."""
    known = one.fix if one.fix.lon_e7 is not None else one.valid
    seen = "" if one.valid is None else f"{word('valid', look.lang)} {clock(one.valid.made_at, date=True)}"
    notes = (
        one.fix.reason,
        joined(one.name, one.vehicle, f"{T.heard.to(look.lang)} {clock(one.came_at, date=True)}", seen),
    )
    cells = _fix_line(look, one.part or one.name or one.vehicle, one.fix, known, ago(one.came_at, now, look.lang))
    return Line(f"{state.code}|{one.vehicle}", state, cells, one, notes)


def _part(look: Look, state: NodeState, device: Device, part: Part, now: int) -> Line:
    fix = part.fix or Fix("no_fix")
    cells = _fix_line(look, part.part or device.name, fix, fix, ago(part.fix_at, now, look.lang))
    notes = (joined(fix.reason, device.reason), joined(device.id, device.name, device.driver))
    return Line(f"{state.code}|{device.id}|{part.part}", state, cells, device, notes)


def _fix_line(look: Look, name: str, fix: Fix, known: Fix | None, heard: str) -> tuple[Cell, ...]:
    told, _ = fix_cells(fix, look.lang)
    place = "–" if known is None else degrees(known.lon_e7, known.lat_e7)
    course = "" if fix.course_cdeg is None else f"{fix.course_cdeg / 100:.0f}°"
    return (
        plain(name),
        told,
        plain(place),
        plain(speed(fix.speed_cm_s)),
        dim(heard),
        dim(joined(course, " ".join(fix.systems), by=" ")),
    )


def _fence(look: Look, state: NodeState, one: Fence) -> Line:
    lang = look.lang
    first = one.points[0] if one.points else (None, None)
    shape = f"⌀ {2 * one.radius_m} m" if one.radius_m else T.corners.to(lang, n=len(one.points))
    cells = (
        plain(one.name or one.id), state_cell("watched" if one.enabled else "off", lang), plain(degrees(*first)), dim(""), dim(""), plain(shape),
    )  # fmt: skip
    notes = (T.fence_rule.to(lang, margin=one.margin_m, dwell=one.dwell_s), joined(one.id, " ".join(one.vehicles)))
    return Line(f"{state.code}|fence {one.id}", state, cells, one, notes)


def speed(cm_s: int | None) -> str:
    """A speed in km/h."""
    return "–" if cm_s is None else f"{cm_s * 0.036:.0f} km/h"
