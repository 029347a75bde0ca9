"""The three lines around the table: how the nodes are, the sections, the keys. Pure but for the type of styled text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text as Rich

from wanmi_tui.cells import clock
from wanmi_tui.pages import Tone
from wanmi_tui.sections import SECTIONS, Section
from wanmi_tui.state import NodeState
from wanmi_tui.themes import TONES
from wanmi_tui.wire import Alarm
from wanmi_tui.words import Lang, T, word

if TYPE_CHECKING:
    from wanmi_tui.app import WanmiApp

_REACH: dict[str, Tone] = {"up": "good", "connecting": "warn", "lost": "bad", "refused": "bad"}
_MARK = {"up": "●", "connecting": "…", "lost": "✗", "refused": "✗"}


def status_line(
    states: Sequence[NodeState],
    only: NodeState | None,
    alarms: Sequence[Alarm],
    paused: bool,
    lang: Lang,
    theme: str,
    width: int,
) -> Rich:
    """The nodes with their reach; at the right the alarms that nobody has seen, and of when the data is."""
    tones = TONES[theme]
    left = Rich("万米 ", style="bold", no_wrap=True, overflow="ellipsis")
    for state in states:
        style = tones[_REACH[state.reach]] + (" underline" if state is only else "")
        left.append(f" {_MARK[state.reach]} {state.code} {word(state.reach, lang)}", style)
    right = Rich(no_wrap=True)
    if paused:
        right.append(f" ‖ {T.paused.to(lang)} ", f"{tones['warn']} reverse")
    unseen = sum(1 for alarm in alarms if alarm.acknowledged_at is None)
    tone: Tone = "bad" if unseen else "warn" if alarms else "dim"
    right.append(f" {'!' if alarms else '✓'} {T.alarms.to(lang)} {len(alarms)}", tones[tone])
    if unseen:
        right.append(f" ({T.not_acknowledged.to(lang)} {unseen})", tones["bad"])
    heard = max((state.heard_at for state in states), default=0)
    right.append(f"  {clock(heard)[:5]} ", tones["dim"])
    left.truncate(max(width - right.cell_len, 0), overflow="ellipsis", pad=True)
    return left + right


def _tabs(lang: Lang) -> Iterator[tuple[Section, str]]:
    for section in SECTIONS:
        yield section, f"{section.key}{section.short.to(lang)}"


def tab_line(chosen: Section, lang: Lang, theme: str, width: int) -> Rich:
    """The sections with their keys; the chosen one in reverse, between brackets of its own."""
    line = Rich(no_wrap=True)
    gap = _gap(lang, width)
    for section, text in _tabs(lang):
        line.append(text, "reverse bold" if section is chosen else TONES[theme]["dim"])
        line.append(gap)
    return line


def tab_at(x: int, lang: Lang, width: int) -> str:
    """The section at a column of the line."""
    at, gap = 0, len(_gap(lang, width))
    for section, text in _tabs(lang):
        at += cell_len(text) + gap
        if x < at:
            return section.name
    return ""


def _gap(lang: Lang, width: int) -> str:
    """As much room between the sections as there is."""
    taken = sum(cell_len(text) for _, text in _tabs(lang))
    return " " * max(min((width - taken) // len(SECTIONS), 3), 1)


def key_line(section: Section, app: WanmiApp, lang: Lang, theme: str, width: int) -> Rich:
    """The keys that do something here."""
    does = {"acknowledge": ("a", T.key_ack), "silence": ("s", T.key_silence), "command": ("c", T.key_command)}
    does |= {"wall": ("w", T.key_wall), "retry": ("t", T.key_retry), "verify": ("v", T.key_verify)}
    does |= {"approve": ("a", T.key_approve), "deny": ("d", T.key_deny)}
    does |= {"rotate": ("o", T.key_rotate), "revoke": ("x", T.key_revoke)}
    pairs = [("↵", T.key_open), *(does[name] for name in section.does), ("/", T.key_find), ("y", T.key_copy)]
    pairs += [("p", T.key_go_on if app.paused else T.key_pause)]
    pairs += [("n", T.key_node)] if len(app.watches) > 1 else []
    pairs += [("^P", T.k_palette), ("?", T.k_help), ("F2", T.k_lang), ("q", T.k_quit)]
    line = Rich(no_wrap=True, overflow="ellipsis")
    for key, text in pairs:
        told = text.to(lang)
        if line.cell_len + cell_len(key) + cell_len(told) + 3 > width:
            continue
        line.append(key, "bold")
        line.append(f" {told}  ", TONES[theme]["dim"])
    return line
