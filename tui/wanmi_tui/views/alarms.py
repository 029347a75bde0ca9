"""Open alarms of every node, the gravest and newest first; one alarm that several nodes know stands once a node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wanmi_tui.cells import ago, clock, degrees
from wanmi_tui.pages import Cell, Column, Line, Look, Page, joined, page_of, plain, state_cell
from wanmi_tui.state import NodeState
from wanmi_tui.topics import ALARMS
from wanmi_tui.wire import Alarm
from wanmi_tui.words import T, word

COLUMNS = (
    Column(T.severity, 10),
    Column(T.device, 12, 1),
    Column(T.what, 14, 2),
    Column(T.value, 8),
    Column(T.since, 6, right=True),
    Column(T.seen, 14, 1),
)
_GRAVITY = {"critical": 0, "warning": 1, "notice": 2}


def alarms_page(look: Look, states: Sequence[NodeState]) -> Page:
    """A line for each open alarm."""
    pairs = list(open_alarms(states))
    pairs.sort(key=lambda pair: (_GRAVITY.get(pair[0].severity, 3), -pair[0].raised_at, pair[0].device, pair[0].rule))
    return page_of(look, states, ALARMS, T.what_alarms, COLUMNS, (_line(look, *pair) for pair in pairs))


def open_alarms(states: Sequence[NodeState]) -> Iterator[tuple[Alarm, NodeState]]:
    """Every alarm with the node to say it to: an alarm that several nodes know is told by its own edge, or the first."""
    told: dict[tuple[str, str, str], tuple[Alarm, NodeState]] = {}
    for state in states:
        answer = state.get(ALARMS)
        for alarm in answer.alarms if answer is not None else ():
            key = (alarm.edge, alarm.device, alarm.rule)
            if key not in told or state.code == alarm.edge:
                told[key] = (alarm, state)
    yield from told.values()


def alarm_words(alarm: Alarm, look: Look) -> str:
    """What is wrong; of a gateway's part without its name, which stands in the place of the device's."""
    words = (alarm.zh if look.lang == "zh" else alarm.en) or alarm.rule
    return words.removesuffix(f" {_part(alarm)}")


def alarm_device(alarm: Alarm) -> str:
    """What it is wrong with: a gateway's part (a vehicle's number), else the device."""
    return _part(alarm) or alarm.device_name or alarm.device


def _part(alarm: Alarm) -> str:
    return alarm.rule.partition(":")[2]


def _line(look: Look, alarm: Alarm, state: NodeState) -> Line:
    lang = look.lang
    answer = state.get(ALARMS)
    now = answer.as_of if answer is not None else look.now
    cells = (
        state_cell(alarm.severity, lang), plain(alarm_device(alarm)), plain(alarm_words(alarm, look)),
        plain(alarm.value), plain(ago(alarm.since or alarm.raised_at, now, lang)), _handled(look, alarm, now),
    )  # fmt: skip
    seen = T.not_acknowledged.to(lang) if alarm.acknowledged_at is None else T.acknowledged.to(
        lang, by=alarm.acknowledged_by or "", at=clock(alarm.acknowledged_at, date=True)
    )  # fmt: skip
    quiet = T.silenced.to(lang, at=clock(alarm.silenced_until, date=True)) if alarm.silenced_until > now else ""
    place = "" if alarm.lon_e7 is None else degrees(alarm.lon_e7, alarm.lat_e7)
    number = f"{alarm.edge} {alarm.device} {alarm.rule} #{alarm.occurrence}"
    raised = joined(number, clock(alarm.raised_at, date=True))
    value = f"{alarm.reading} = {alarm.value}" + (f" ({T.raw.to(lang)} {alarm.raw})" if alarm.raw else "")
    notes = (joined(word(alarm.state, lang), value, quiet), joined(place, seen, alarm.note), raised)
    return Line(f"{alarm.edge}|{alarm.device}|{alarm.rule}", state, cells, alarm, notes)


def _handled(look: Look, alarm: Alarm, now: int) -> Cell:
    lang = look.lang
    if alarm.state == "over":
        return state_cell("over", lang)
    if alarm.silenced_until > now:
        return Cell(T.silenced.to(lang, at=clock(alarm.silenced_until)[:5]), "dim")
    if alarm.acknowledged_at is not None:
        return Cell(f"✓ {clock(alarm.acknowledged_at)[:5]}", "good")
    return Cell(T.not_acknowledged.to(lang), "warn")
