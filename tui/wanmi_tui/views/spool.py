"""The ledger of an edge (taken in = delivered + waiting + refused), and what it refused, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wanmi_tui.cells import clock, size
from wanmi_tui.pages import Cell, Column, Line, Look, Page, dim, joined, page_of, plain
from wanmi_tui.state import NodeState
from wanmi_tui.topics import LEDGER, REFUSED
from wanmi_tui.wire_field import Ledger, RefusedReport, RefusedReports, Tally
from wanmi_tui.words import T, word

COLUMNS = (
    Column(T.state, 16),
    Column(T.what, 9, 1),
    Column(T.terminal, 12),
    Column(T.time, 14),
    Column(T.why, 14, 6),
)


def spool_page(look: Look, states: Sequence[NodeState]) -> Page:
    """The ledger's lines first, then what was refused, the newest first."""
    lines = (line for state in states for line in _of_node(look, state))
    return page_of(look, states, LEDGER, T.what_ledger, COLUMNS, lines)


def _of_node(look: Look, state: NodeState) -> Iterator[Line]:
    ledger = state.get(LEDGER) or Ledger()
    yield from (_tally(look, state, one, ledger) for one in ledger.kinds)
    refused = state.get(REFUSED) or RefusedReports()
    yield from (_refused(look, state, one) for one in refused.refused)


def _tally(look: Look, state: NodeState, one: Tally, ledger: Ledger) -> Line:
    lang = look.lang
    lost = T.missing.to(lang, n=one.missing)
    told = Cell(f"✗ {lost}", "bad") if one.missing else Cell(f"● {T.holds.to(lang)}", "good")
    sums = T.sums.to(lang, taken=one.taken, delivered=one.delivered, waiting=one.waiting, refused=one.refused)
    cells = (told, plain(one.zh if lang == "zh" else one.en), dim(""), dim(clock(ledger.as_of, date=True)), plain(sums))
    notes = (joined(sums, lost if one.missing else ""), T.junk.to(lang, n=ledger.junk) if ledger.junk else "")
    return Line(f"{state.code}|{one.what}", state, cells, one, notes)


def _refused(look: Look, state: NodeState, one: RefusedReport) -> Line:
    lang = look.lang
    told = Cell(f"▲ {T.can_retry.to(lang)}", "warn") if one.retry else Cell(f"○ {T.stays_refused.to(lang)}", "dim")
    why = (one.zh if lang == "zh" else one.en) or one.reason
    advice = one.advice_zh if lang == "zh" else one.advice_en
    cells = (told, plain(word(one.what, lang)), plain(one.terminal or "–"), dim(clock(one.at, date=True)), plain(why))
    notes = (
        joined(why, one.detail), f"{T.advice.to(lang)}: {advice}" if advice else "",
        joined(one.id, one.report_id or "", size(one.size), one.topic, one.why_not),
    )  # fmt: skip
    return Line(f"{state.code}|{one.id}", state, cells, one, notes)
