"""Displays with what they show; below them the scenes that rules call up, and the walls that may stand at the broker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from wanmi_tui.cells import ago, clock
from wanmi_tui.pages import Cell, Column, Line, Look, Page, dim, joined, page_of, plain, state_cell
from wanmi_tui.state import NodeState
from wanmi_tui.topics import DEVICES, EQUIPMENT, SCENES, WALLS
from wanmi_tui.views.devices import AGE, HEARD, NAME, SAID, STATE, device_lines, first, summary, value_text
from wanmi_tui.wire import Device, Reading
from wanmi_tui.wire_field import Call, Held, Scene, Scenes, Wall, Walls
from wanmi_tui.words import T, word

SHOWN = ("power", "page", "input")
"""Readings in columns of their own."""
COLUMNS = (NAME, STATE, Column(T.power_state, 12), Column(T.input, 10), HEARD, SAID)


def displays_page(look: Look, states: Sequence[NodeState]) -> Page:
    """Displays, then scenes."""
    topic = DEVICES if any(state.get(DEVICES) for state in states) else EQUIPMENT
    return page_of(look, states, topic, T.what_displays, COLUMNS, _lines(look, states))


def _lines(look: Look, states: Sequence[NodeState]) -> Iterator[Line]:
    for line in device_lines(look, states, ("display",), len(COLUMNS), _display):
        held = _held(line)
        yield line if held is None else replace(line, notes=(*line.notes, _held_text(held, look)))
    for state in states:
        told = state.get(SCENES) or Scenes()
        yield from (_scene(look, state, scene, told.as_of) for scene in told.scenes)
    for state in states:
        walls = state.get(WALLS) or Walls()
        yield from (_wall(look, state, wall, walls.as_of) for wall in walls.walls)


def _held(line: Line) -> Held | None:
    """The scene that has this display, or had it last."""
    told = line.node.get(SCENES)
    id = line.about.id if isinstance(line.about, Device) else ""
    return next((one for one in told.displays if one.display == id), None) if told is not None else None


def _held_text(held: Held, look: Look) -> str:
    return joined(T.scene_title.to(look.lang, name=held.scene), word(held.state, look.lang), held.reason, held.page)


def _display(device: Device, look: Look) -> tuple[Cell, ...]:
    power, shown = first(device, "power"), first(device, "page", "input")
    told = dim("–") if power is None else _power(power, look)
    return (
        told,
        dim("–") if shown is None else plain(value_text(shown, look.lang)),
        AGE,
        plain(summary(device, look, without=SHOWN)),
    )


def _power(power: Reading, look: Look) -> Cell:
    """A display's power with its own word: warm-up is no fault."""
    mark = state_cell(str(power.value), look.lang)
    return Cell(f"{mark.text.split(' ')[0]} {value_text(power, look.lang)}", mark.tone)


def _scene(look: Look, state: NodeState, scene: Scene, now: int) -> Line:
    lang = look.lang
    words = (scene.zh if lang == "zh" else scene.en) or scene.name
    told = state_cell("off" if not scene.enabled else "called" if scene.calls else "ready", lang)
    call = scene.calls[0] if scene.calls else Call()
    cells = (
        plain(words), told, dim(T.scene.to(lang)), plain(word(scene.on, lang)), dim(ago(call.called_at, now, lang)),
        plain(joined(call.why, " ".join(scene.displays))),
    )  # fmt: skip
    until = f"→ {clock(call.until)}" if call.until else ""
    notes = (joined(words, call.why, until), joined(scene.name, " ".join(scene.displays), scene.page))
    return Line(f"{state.code}|scene {scene.name}", state, cells, scene, notes)


def _wall(look: Look, state: NodeState, wall: Wall, now: int) -> Line:
    """A wall: admitted or revoked, and whether it is heard."""
    lang, admitted = look.lang, wall.state == "admitted"
    cells = (
        plain(wall.wall), state_cell(wall.now or wall.state, lang), dim(T.wall.to(lang)), dim(wall.device or "–"),
        dim(ago(wall.changed_at, now, lang)), plain(wall.page),
    )  # fmt: skip
    silent = T.wall_silent.to(lang) if admitted and wall.now != "up" else ""
    unknown = T.wall_not_added.to(lang) if admitted and not wall.device else ""
    since = f"{word(wall.state, lang)} {clock(wall.changed_at, date=True)}"
    return Line(f"{state.code}|wall {wall.wall}", state, cells, wall, (since, joined(silent, unknown), wall.page))
