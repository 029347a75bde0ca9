"""A limit, and what a named clock of a case counts. The clocks themselves are data of a profile's step table."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wanmi.calendar import ClockKind, limit_seconds, unit_named
from wanmi.codes import Lang

__all__ = ["ClockRule", "Limit"]


@dataclass(frozen=True)
class Limit:
    """A time limit as its table writes it (`value` may be `0.5`), and the whole seconds it comes to."""

    value: str
    unit: str
    seconds: int

    @classmethod
    def of(cls, value: int | str, unit: str) -> Limit:
        """A limit; BadInput for an unknown unit or what is no positive number of whole seconds."""
        return cls(str(value), unit, limit_seconds(str(value), unit))

    @property
    def clock(self) -> ClockKind:
        """Whether nights and holidays count (running) or not (working)."""
        return unit_named(self.unit).clock

    def text(self, lang: Lang) -> str:
        """`2 个工作日`, `2 work days`."""
        return unit_named(self.unit).words(self.value, lang)


@dataclass(frozen=True)
class ClockRule:
    """A named clock: what it counts (told in both languages), its limit if that is not the case's own, where it is from.

    The light is green up to `yellow_after` percent of the limit, yellow up to the deadline, red past it.
    """

    id: str
    zh: str
    en: str
    rule_zh: str
    rule_en: str
    limit: Limit | None
    source: str
    yellow_after: int = 80

    def with_limit(self, limit: Limit | None) -> ClockRule:
        """The same clock with a case's own limit."""
        return replace(self, limit=limit)

    def name(self, lang: Lang) -> str:
        """Its name for the screen."""
        return self.zh if lang == "zh" else self.en

    def rule(self, lang: Lang) -> str:
        """From when to when it runs, and what stops it."""
        return self.rule_zh if lang == "zh" else self.rule_en
