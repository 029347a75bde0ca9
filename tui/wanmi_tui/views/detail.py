"""A device's readings: cooked beside raw, quality, age, and the trend of what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wanmi_tui.cells import ago, clock, number, spark
from wanmi_tui.pages import Cell, Column, Line, Look, Page, dim, joined, plain, state_cell
from wanmi_tui.state import NodeState
from wanmi_tui.views.devices import addresses, title_of, value_text
from wanmi_tui.wire import Device, Part, Reading
from wanmi_tui.words import Lang, T, word

COLUMNS = (
    Column(T.reading, 16, 2),
    Column(T.value, 12, 1, right=True),
    Column(T.raw, 10, 1),
    Column(T.quality, 13),
    Column(T.heard, 6, right=True),
    Column(T.trend, 14, 2, tail=True),
)
Trends = Mapping[tuple[str, str, str], Sequence[float | None]]
DRAWN = 60


def readings_page(device: Device, state: NodeState, look: Look) -> Page:
    """A line for each reading of each part, and for each fix."""
    lines = [line for part in device.parts for line in _of_part(device, part, state, look)]
    found = [line for line in lines if not look.find or look.find.casefold() in line.cells[0].text.casefold()]
    return Page(COLUMNS, tuple(found), "" if found else T.empty.to(look.lang, what=T.reading.to(look.lang)), len(lines))


def _of_part(device: Device, part: Part, state: NodeState, look: Look) -> Iterator[Line]:
    if part.fix is not None:
        yield _fix_line(part, state, look)
    for reading in part.readings:
        yield _reading_line(device, part, reading, state, look)


def _reading_line(device: Device, part: Part, reading: Reading, state: NodeState, look: Look) -> Line:
    lang = look.lang
    trend = list(state.trends.get((device.id, part.part, reading.name), ()))
    # Rows of one quantity (phases, ports) have one name in words: their number tells them apart.
    row = next((piece for piece in reading.name.split(".") if piece.isdigit()), "")
    name = joined(part.part, title_of(reading, lang) + (f" {row}" if row else ""), by=" ")
    cells = (
        plain(name), Cell(value_text(reading, lang), "plain" if reading.quality == "good" else "warn"), dim(reading.raw),
        state_cell(reading.quality, lang), dim(ago(reading.at, max(look.now, reading.at), lang)), plain(spark(trend, DRAWN)),
    )  # fmt: skip
    notes = (
        joined(reading.name, f"{T.raw.to(lang)} {reading.raw}", clock(reading.at, date=True)),
        trend_text(trend, reading.unit),
    )
    return Line(f"{part.part}|{reading.name}", state, cells, reading, notes)


def _fix_line(part: Part, state: NodeState, look: Look) -> Line:
    from wanmi_tui.views.devices import fix_cells

    fix, lang = part.fix, look.lang
    assert fix is not None  # noqa: S101 - the caller looked
    told, place = fix_cells(fix, lang)
    speed = "" if fix.speed_cm_s is None else f"{fix.speed_cm_s * 0.036:.1f} km/h"
    course = "" if fix.course_cdeg is None else f"{fix.course_cdeg / 100:.0f}°"
    hdop = "" if fix.hdop is None else f"HDOP {fix.hdop / 100:.1f}"
    sats = "" if fix.satellites is None else f"{T.satellites.to(lang)} {fix.satellites}"
    cells = (
        plain(joined(part.part, T.place.to(lang), by=" ")), plain(place.text), dim(""), told,
        dim(ago(part.fix_at, max(look.now, part.fix_at), lang)), plain(joined(sats, " ".join(fix.systems), by=" ")),
    )  # fmt: skip
    notes = (
        joined(place.text, speed, course, hdop, sats),
        joined(fix.reason, f"{T.time.to(lang)} {clock(fix.made_at, date=True)}"),
    )
    return Line(f"{part.part}|fix", state, cells, fix, notes)


def trend_text(trend: Sequence[float | None], unit: str) -> str:
    """The least and greatest of a trend."""
    known = [value for value in trend if value is not None]
    return f"{number(min(known))} … {number(max(known))} {unit}".rstrip() if known else ""


def head_lines(device: Device, look: Look) -> tuple[str, str]:
    """Two lines about the device itself."""
    lang = look.lang
    who = next((part.identity for part in device.parts if part.identity is not None), None)
    made = "" if who is None else joined(who.maker, who.model, who.serial, who.firmware, by=" ")
    state = state_cell(device.state, lang).text
    again = "" if not device.tries_again_at else f"{T.tries_again.to(lang)} {clock(device.tries_again_at)}"
    first = joined(device.name, state, device.reason, again)
    return first, joined(
        device.id, device.driver, addresses(device.settings), made, f"{T.heard.to(lang)} {clock(device.seen_at)}"
    )


def event_line(device: Device, lang: Lang) -> str:
    """The newest event, in one line."""
    every = [event for part in device.parts for event in part.events]
    newest = max(every, key=lambda one: one.at, default=None)
    if newest is None:
        return ""
    facts = " ".join(f"{name}={text}" for name, text in newest.facts.items())
    return f"{T.events.to(lang)} {len(every)}: {clock(newest.at)} {word(newest.kind, lang)} {facts}"
