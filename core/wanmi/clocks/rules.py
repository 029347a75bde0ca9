"""Limits and the named clocks of a case: data, from the package or from a profile's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import msgspec

from wanmi.calendar import ClockKind, limit_seconds, unit_named
from wanmi.codes import Lang
from wanmi.codes.resources import Toml, folder_named, read_toml
from wanmi.errors import BadInput, NotFound

__all__ = ["ClockRule", "Limit", "clock_rule", "read_rules", "shipped_rules"]

FOLDER = "calendar"


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


class _RuleData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str
    rule_zh: str
    rule_en: str
    source: str
    limit: str = ""


def read_rules(toml: Toml) -> Mapping[str, ClockRule]:
    """The clocks of a parsed file (`yellow_after`, `[clocks.ID]`), by id; BadInput names what does not fit."""
    try:
        yellow = msgspec.convert(toml.get("yellow_after", 80), int)
        found = msgspec.convert(toml.get("clocks", {}), dict[str, _RuleData])
    except msgspec.ValidationError as error:
        raise BadInput(f"clocks: {error}") from error
    if not 0 < yellow <= 100:
        raise BadInput(f"clocks: yellow_after {yellow} must be 1 to 100 percent")
    return MappingProxyType({id_: _rule(id_, data, yellow) for id_, data in found.items()})


@cache
def shipped_rules() -> Mapping[str, ClockRule]:
    """The clocks in the package: accept, dispatch, verify, check, department."""
    return read_rules(read_toml(folder_named(FOLDER), "clocks.toml"))


def clock_rule(id_: str) -> ClockRule:
    """A clock of the package; NotFound names the ones there are."""
    rules = shipped_rules()
    if id_ not in rules:
        raise NotFound(f"clock {id_!r}: there are {', '.join(rules)}")
    return rules[id_]


def _rule(id_: str, data: _RuleData, yellow: int) -> ClockRule:
    limit = None
    if data.limit:
        value, _, unit = data.limit.partition(" ")
        limit = Limit.of(value, unit)
    return ClockRule(id_, data.zh, data.en, data.rule_zh, data.rule_en, limit, data.source, yellow)
