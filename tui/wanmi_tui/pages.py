"""A page: what a section shows, as data. Views make pages from nodes' states; widgets draw them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from wanmi_tui.state import NodeState
from wanmi_tui.topics import Topic
from wanmi_tui.words import Lang, T, Text, word

Tone = Literal["plain", "dim", "good", "warn", "bad"]
MOST_LINES = 500
"""Lines of a table: more than that nobody reads, and every one costs on a slow link."""

TONES: dict[str, Tone] = {
    "fine": "good", "up": "good", "valid": "good", "shown": "good", "watched": "good", "called": "warn", "failed": "bad", "not_connected": "warn", "mains": "good", "good": "good", "current": "good", "on": "good",
    "warn": "warn", "asking": "warn", "warning": "warn", "stale": "warn", "implausible": "warn", "no_fix": "warn", "over": "warn",
    "battery": "warn", "bypass": "warn", "pending": "warn", "connecting": "warn", "warming": "warn", "cooling": "warn",
    "bad": "bad", "critical": "bad", "unreachable": "bad", "refused": "bad", "lost": "bad", "low": "bad",
    "revoked": "bad", "fault": "bad",
    "off": "dim", "never_seen": "dim", "unknown": "dim", "notice": "plain", "cleared": "dim",
}  # fmt: skip
"""The tone of a state; its word is always beside it."""
_MARKS: dict[Tone, str] = {"good": "●", "warn": "▲", "bad": "✗", "dim": "○", "plain": "·"}


@dataclass(frozen=True)
class Cell:
    """A text and how it is toned."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Column:
    """A column: ``least`` cells wide, more by ``weight``; ``tail``: the end of a longer text is what counts."""

    title: Text
    least: int
    weight: int = 0
    right: bool = False
    tail: bool = False


@dataclass(frozen=True)
class Line:
    """A line; ``key`` stays the same while the thing does. ``about`` is the record behind it, ``notes`` what a strip
    below the table says of it.
    """

    key: str
    node: NodeState
    cells: tuple[Cell, ...]
    about: object = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """What a section shows; ``empty`` says why there are no lines."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    empty: str = ""
    of: int = 0


@dataclass(frozen=True)
class Look:
    """How somebody looks: language, time of this machine (µs UTC), what they seek, whether several nodes are watched."""

    lang: Lang
    now: int
    find: str = ""
    several: bool = False


def plain(text: str) -> Cell:
    """A cell without a tone."""
    return Cell(text)


def dim(text: str) -> Cell:
    """A cell that stands back."""
    return Cell(text, "dim")


def state_cell(state: str | None, lang: Lang) -> Cell:
    """A state: mark, word, tone."""
    tone = TONES.get(state or "", "plain")
    return Cell(f"{_MARKS[tone]} {word(state, lang)}", tone)


def page_of(
    look: Look,
    states: Sequence[NodeState],
    topic: Topic[object],
    what: Text,
    columns: tuple[Column, ...],
    lines: Iterable[Line],
) -> Page:
    """The page, with the node's column where there are several, of lines that fit what is sought."""
    every = list({line.key: line for line in lines}.values())
    if look.several:
        columns = (Column(T.node, 8), *columns)
        every = [replace(line, cells=(dim(line.node.code), *line.cells)) for line in every]
    found = [line for line in every if fits(line, look.find)]
    empty = "" if found else why_empty(look, states, topic, what, bool(every))
    return Page(columns, tuple(found[:MOST_LINES]), empty, len(every))


def fits(line: Line, find: str) -> bool:
    """Whether every word that is sought stands somewhere in the line or in its notes."""
    if not find:
        return True
    hay = " ".join([*(cell.text for cell in line.cells), *line.notes]).casefold()
    return all(part in hay for part in find.casefold().split())


def why_empty(look: Look, states: Sequence[NodeState], topic: Topic[object], what: Text, some: bool) -> str:
    """Why nothing is shown: nothing fits, nothing read yet, no such route, not allowed, or there is nothing."""
    lang = look.lang
    if some:
        return T.nothing_found.to(lang, find=look.find)
    answers = [state.answered(topic) for state in states]
    problem = next((answer.problem for answer in answers if answer.problem), "")
    if problem:
        return T.may_not.to(lang, why=problem)
    if any(answer.value is not None for answer in answers):
        return T.empty.to(lang, what=what.to(lang))
    if any(answer.absent for answer in answers):
        return T.absent.to(lang, what=what.to(lang))
    return T.waiting.to(lang)


def joined(*parts: str, by: str = " · ") -> str:
    """The parts that are there."""
    return by.join(part for part in parts if part)
