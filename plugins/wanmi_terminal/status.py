"""What ``wanmi terminal status`` shows: counts and open reports, in Chinese or English, or as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING

from wanmi.clock import iso
from wanmi.reports.reasons import Language, reason_text
from wanmi_terminal.home import Home
from wanmi_terminal.spool import Counts, Held, Spool

if TYPE_CHECKING:
    from rich.console import RenderableType

LISTED = 20
"""Open reports shown in the table."""


def texts(language: Language) -> Mapping[str, str]:
    """The words of one language."""
    file = resources.files("wanmi_terminal") / "locales" / f"{language}.json"
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found


def status_values(home: Home) -> dict[str, object]:
    """The terminal's state as JSON values."""
    spool = Spool(home.spool_path)
    try:
        counts, refused = spool.counts(), spool.held("refused")
    finally:
        spool.close()
    return {
        "terminal": home.terminal,
        "new": counts.new,
        "kept": counts.kept,
        "safe": counts.safe,
        "refused": counts.refused,
        "refusals": [{"report_id": held.report_id, "reason": held.reason, "edge": held.edge} for held in refused],
        "checks_district": bool(home.district_keys),
    }


def status_table(home: Home, language: Language) -> RenderableType:
    """The terminal's state for people."""
    from rich.console import Group
    from rich.text import Text

    words = texts(language)
    spool = Spool(home.spool_path)
    try:
        counts, held = spool.counts(), spool.held()
    finally:
        spool.close()
    lines: list[RenderableType] = [
        Text(f"{words['terminal']} {home.terminal}", style="bold"),
        Text(f"{words['brokers']}: {', '.join(home.config.brokers) or '-'}"),
    ]
    if not home.district_keys:
        lines.append(Text(f"! {words['unchecked']}", style="yellow"))
    return Group(*lines, _counts_table(counts, words), _open_table(held, words, language))


def _counts_table(counts: Counts, words: Mapping[str, str]) -> RenderableType:
    from rich.table import Table

    table = Table(words["state"], words["count"])
    for state in ("new", "kept", "safe", "refused"):
        table.add_row(words[state], str(getattr(counts, state)))
    return table


def _open_table(held: list[Held], words: Mapping[str, str], language: Language) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    if not held:
        return Text(words["nothing_open"])
    table = Table(title=words["open_reports"])
    for name in ("report", "made_at", "category", "state", "edge", "reason"):
        table.add_column(words[name], overflow="fold")
    shown = sorted(held, key=lambda report: (report.state != "refused", report.n))[:LISTED]
    for report in shown:
        reason = reason_text(report.reason, language) if report.reason else ""
        made = iso(report.made_at)[:19] + "Z"
        state, kind = words[report.state], words[report.kind]
        table.add_row(report.report_id, made, f"{kind} {report.category}", state, report.edge or "", reason)
    if len(held) > LISTED:
        table.caption = words["more"].format(count=len(held) - LISTED)
    return table
