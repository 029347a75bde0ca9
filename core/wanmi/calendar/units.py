"""Units of time limits: how many seconds of which clock.

紧急工作时 urgent hour and 自然日 natural day run on through nights, weekends and holidays; 工作时 work hour and 工作日 work day (eight
work hours, however long a city's day is) count working time only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final, Literal

from wanmi.codes import Lang
from wanmi.errors import BadInput

__all__ = ["UNITS", "ClockKind", "TimeUnit", "limit_seconds", "unit_named"]

ClockKind = Literal["running", "working"]


@dataclass(frozen=True)
class TimeUnit:
    """A unit: `seconds` of one, on which clock."""

    id: str
    seconds: int
    clock: ClockKind
    zh: str
    en: str

    def words(self, value: str, lang: Lang) -> str:
        """`3 个工作日`, `3 work days`."""
        if lang == "zh":
            return f"{value} {self.zh}" if self.zh.startswith("分") else f"{value} 个{self.zh}"
        return f"{value} {self.en}" + ("" if value == "1" else "s")


UNITS: Final[Mapping[str, TimeUnit]] = MappingProxyType(
    {
        unit.id: unit
        for unit in (
            TimeUnit("natural_minute", 60, "running", "分钟", "minute"),
            TimeUnit("natural_hour", 3600, "running", "自然时", "hour"),
            TimeUnit("natural_day", 86_400, "running", "自然日", "natural day"),
            TimeUnit("urgent_hour", 3600, "running", "紧急工作时", "urgent hour"),
            TimeUnit("work_hour", 3600, "working", "工作时", "work hour"),
            TimeUnit("work_day", 28_800, "working", "工作日", "work day"),
        )
    }
)


def unit_named(name: str) -> TimeUnit:
    """The unit of that name; BadInput names the ones there are."""
    unit = UNITS.get(name)
    if unit is None:
        raise BadInput(f"time unit {name!r}: there are {', '.join(UNITS)}")
    return unit


def limit_seconds(value: str, unit: str) -> int:
    """Whole seconds of a limit as a table writes it (`0.5`, `work_hour`); BadInput if it is not a positive number of them."""
    try:
        seconds = Decimal(value) * unit_named(unit).seconds
    except InvalidOperation as error:
        raise BadInput(f"limit {value!r} {unit}: not a number") from error
    if not seconds.is_finite() or seconds <= 0 or seconds != int(seconds):
        raise BadInput(f"limit {value!r} {unit}: must come to a positive number of whole seconds")
    return int(seconds)
