"""Running a day of ``--once``: turn after turn, with faults, until every scripted case is at its end."""

from __future__ import annotations

import time
from collections.abc import Sequence

from wanmi.plugins import installed_plugins
from wanmi_demo.city import DISTRICTS, DemoCity
from wanmi_demo.counts import Counts
from wanmi_demo.day import Day
from wanmi_demo.faults import Faults
from wanmi_demo.screen import Screen
from wanmi_demo.walkers import Walker

CASES = 40
"""Scripted cases of a district with ``--once``."""
STAGES = {
    "collect": "收集", "file": "立案", "dispatch": "派遣", "handle": "处置", "feedback": "反馈", "close": "结案",
    "evaluate": "评价",
}  # fmt: skip
LONGEST = 420.0
"""Seconds that a day may take once the last report was made."""


def day_plugins() -> tuple[str, ...]:
    """Plugins that a day needs besides those of the roles, as far as they are installed."""
    return tuple(name for name in ("supervision",) if name in installed_plugins())


def play(city: DemoCity, walkers: Sequence[Walker], day: Day, counts: Counts, screen: Screen) -> None:
    """Play until the scripted cases are done, or the time is up; the proof tells which are not."""
    faults = Faults(city, screen) if day.short else Faults.plan_day(city, screen)
    made, until = sum(len(walker.made) for walker in walkers), time.monotonic() + LONGEST
    while time.monotonic() < until:
        moved = day.turn()
        held = [counts.cases(code) for code in DISTRICTS]
        wanted = sum(min(day.limit, cases) for cases in held)
        faults.due(day.done / max(1, wanted))
        if sum(held) >= made and day.done >= wanted:
            break
        screen.live(f"{tell_day(day, counts)} · of 共 {wanted}")
        time.sleep(0.05 if moved else 0.3)
    faults.due(1.0)
    moves = ", ".join(f"{move} {count}" for move, count in sorted(day.moves.items()))
    screen.say(f"moves 办理 {sum(day.moves.values())}: {moves}")


def tell_day(day: Day, counts: Counts) -> str:
    """One line: cases by stage, and how far the script is."""
    stages = counts.stages()
    line = " · ".join(f"{name} {zh} {stages[name]}" for name, zh in STAGES.items())
    return f"{line} · done 办结 {len(day.ended)}"
