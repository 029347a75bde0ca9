"""Devices by kind. At their own edge they come with readings; elsewhere as the journal tells of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from wanmi_tui.cells import ago, degrees, number, span
from wanmi_tui.pages import Cell, Column, Line, Look, Page, dim, joined, page_of, plain, state_cell
from wanmi_tui.state import NodeState
from wanmi_tui.topics import DEVICES, EQUIPMENT
from wanmi_tui.wire import Device, Devices, Equipment, Fix, Part, Reading, SetDevice
from wanmi_tui.words import Lang, T

NAME = Column(T.name, 12, 2)
STATE = Column(T.state, 13)
HEARD = Column(T.heard, 6, right=True)
SAID = Column(T.said, 12, 5)
Middle = Callable[[Device, Look], tuple[Cell, ...]]

POWER_COLUMNS = (
    NAME, STATE, Column(T.supply, 9), Column(T.charge, 7, right=True), Column(T.load, 7, right=True), Column(T.runtime, 8, right=True), HEARD, SAID,
)  # fmt: skip
GNSS_COLUMNS = (
    NAME, STATE, Column(T.fix, 9), Column(T.place, 19), Column(T.satellites, 4, right=True), Column(T.systems, 8), HEARD,
)  # fmt: skip
PLAIN_COLUMNS = (NAME, STATE, Column(T.driver, 10), HEARD, SAID)


def power_page(look: Look, states: Sequence[NodeState]) -> Page:
    """UPS and generators."""
    return _page(look, states, ("ups", "generator"), POWER_COLUMNS, _power)


def gnss_page(look: Look, states: Sequence[NodeState]) -> Page:
    """Receivers."""
    return _page(look, states, ("gnss",), GNSS_COLUMNS, _gnss)


def network_page(look: Look, states: Sequence[NodeState]) -> Page:
    """Network gear, and whatever has no section of its own."""
    return _page(look, states, ("network", "other"), PLAIN_COLUMNS, _plain)


def _page(
    look: Look, states: Sequence[NodeState], kinds: tuple[str, ...], columns: tuple[Column, ...], middle: Middle
) -> Page:
    lines = device_lines(look, states, kinds, len(columns), middle)
    topic = DEVICES if any(state.get(DEVICES) for state in states) else EQUIPMENT
    return page_of(look, states, topic, T.what_devices, columns, lines)


def device_lines(
    look: Look, states: Sequence[NodeState], kinds: tuple[str, ...], count: int, middle: Middle
) -> Iterator[Line]:
    """A line for each device of the kinds: by its own edge where that is watched, else as another node knows it."""
    edges = {state.code for state in states if state.get(DEVICES) is not None}
    for state in states:
        own = state.get(DEVICES) or Devices()
        yield from (_line(look, state, one, own.as_of, middle) for one in own.devices if one.kind in kinds)
    told: set[tuple[str, str]] = set()
    for state in states:
        for one in (state.get(EQUIPMENT) or Equipment()).devices:
            if one.kind in kinds and one.edge not in edges and (one.edge, one.device) not in told:
                told.add((one.edge, one.device))
                yield _elsewhere(look, state, one, count)


def _line(look: Look, state: NodeState, device: Device, now: int, middle: Middle) -> Line:
    lang = look.lang
    cells = (plain(device.name), state_cell(device.state, lang), *middle(device, look))
    heard = ago(device.seen_at, now, lang)
    cells = tuple(dim(heard) if cell is AGE else cell for cell in cells)
    again = "" if not device.tries_again_at else T.next_try.to(
        lang, in_=ago(now, device.tries_again_at, lang), n=device.failures
    )  # fmt: skip
    who = next((part.identity for part in device.parts if part.identity is not None), None)
    made = "" if who is None else joined(who.maker, who.model, who.serial, by=" ")
    notes = (joined(device.reason, again), joined(device.id, device.driver, made, addresses(device.settings)))
    return Line(f"{state.code}|{device.id}", state, cells, device, notes)


def addresses(settings: dict[str, str]) -> str:
    """The settings that say where a device is."""
    return " ".join(
        f"{name}={text}" for name, text in settings.items() if name in {"host", "port", "path", "url", "address"}
    )


LONG = 7200
"""Seconds from which on a length of time is told in hours and days."""
AGE = Cell("\0age")
"""Stands for "heard how long ago", which only the line knows."""


def _power(device: Device, look: Look) -> tuple[Cell, ...]:
    supply = first(device, "power.state")
    return (
        state_cell(str(supply.value), look.lang) if supply and supply.value else dim("–"),
        _value(first(device, "battery.charge"), look.lang),
        _value(first(device, "output.load", "load", "output.1.load"), look.lang),
        _value(first(device, "battery.minutes", "fuel.level"), look.lang), AGE, plain(summary(device, look)),
    )  # fmt: skip


def _gnss(device: Device, look: Look) -> tuple[Cell, ...]:
    fix = next((part.fix for part in device.parts if part.fix is not None), None)
    if fix is None:
        return (dim("–"), dim("–"), dim("–"), dim("–"), AGE)
    return (
        *fix_cells(fix, look.lang),
        plain(str(fix.satellites if fix.satellites is not None else "–")),
        plain(" ".join(fix.systems)),
        AGE,
    )


def _plain(device: Device, look: Look) -> tuple[Cell, ...]:
    return (plain(device.driver), AGE, plain(summary(device, look)))


def fix_cells(fix: Fix, lang: Lang) -> tuple[Cell, Cell]:
    """A fix's state, and its place."""
    return state_cell(fix.state, lang), plain(degrees(fix.lon_e7, fix.lat_e7))


def _elsewhere(look: Look, state: NodeState, device: SetDevice, count: int) -> Line:
    lang = look.lang
    health = device.health if device.enabled else "off"
    power = state_cell(device.power, lang) if device.power else dim("–")
    cells = (plain(device.name), state_cell(health, lang), power, *([dim("–")] * (count - 3)))
    where = T.at_edge_only.to(lang, edge=device.edge)
    notes = (
        joined(device.health_reason, where),
        joined(device.edge, device.device, device.driver, addresses(device.settings)),
    )
    return Line(f"{device.edge}|{device.device}", state, cells, device, notes)


def first(device: Device, *names: str) -> Reading | None:
    """The first reading that the device has of those names."""
    readings = {reading.name: reading for part in device.parts for reading in part.readings}
    return next((readings[name] for name in names if name in readings), None)


def value_text(reading: Reading, lang: Lang) -> str:
    """A cooked value with its unit or its word."""
    if reading.value is None:
        return T.unknown.to(lang)
    if isinstance(reading.value, str):
        return (reading.word_zh if lang == "zh" else reading.word_en) or reading.value
    if reading.unit == "s" and reading.value >= LONG:
        return span(reading.value, lang)
    return f"{number(reading.value)} {reading.unit}".rstrip()


def title_of(reading: Reading, lang: Lang) -> str:
    """What is measured."""
    return (reading.zh if lang == "zh" else reading.en) or reading.name


def _value(reading: Reading | None, lang: Lang) -> Cell:
    if reading is None:
        return dim("–")
    return Cell(value_text(reading, lang), "plain" if reading.quality == "good" else "warn")


def summary(device: Device, look: Look, most: int = 6, without: Collection[str] = ()) -> str:
    """The first values that are known, in words; ``without`` those that stand in columns of their own."""
    parts: list[Part] = device.parts
    known = [one for part in parts for one in part.readings if one.value is not None and one.name not in without]
    told = [f"{title_of(one, look.lang)} {value_text(one, look.lang)}" for one in known[:most]]
    return device.reason if device.state not in {"fine", "implausible"} and device.reason else "  ".join(told)
