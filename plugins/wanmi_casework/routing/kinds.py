"""Bodies of routing's entries: departments, responsibility grids, rules, and contested routes. Data only.

Dates are local, ``YYYY-MM-DD``: ``begins`` is the first day, ``ends`` the first day no more (null: until further notice).
A later entry of the same code governs from its ``begins`` on; whatever was asked about earlier days keeps its answer.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Tier = Literal["city", "district", "street"]
DepartmentKind = Literal["bureau", "street", "enterprise", "centre", "other"]
AreaClass = Literal["A", "B", "C"]
LimitUnit = Literal["urgent_hour", "work_hour", "work_day", "natural_day"]

ITS_RESPONSIBILITY = "@"
"""As a rule's department: the departments of the responsibility grid in which the place lies."""


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class DepartmentSet(_Body, frozen=True):
    """``department.set``, subject ``department:<origin>:<code>``: a department (专业部门) that cases are sent to."""

    code: str
    name: str
    name_en: str
    kind: DepartmentKind
    tier: Tier
    begins: str
    ends: str | None
    note: str
    schematic: bool


class ResponsibilitySet(_Body, frozen=True):
    """``responsibility.set``, subject ``responsibility:<origin>:<code>``: a responsibility grid (责任网格).

    ``grids`` are unit grids, or 12-digit communities for all of theirs. The first of ``departments`` is the main one.
    """

    code: str
    name: str
    grids: list[str]
    collectors: list[str]
    departments: list[str]
    area_class: AreaClass | None
    begins: str
    ends: str | None
    note: str
    schematic: bool


class LimitSet(_Body, frozen=True):
    """A time limit for handling: whole units."""

    value: int
    unit: LimitUnit


class RuleSet(_Body, frozen=True):
    """``rule.set``, subject ``rule:<origin>:<id>``: one routing rule. An empty list of conditions holds everywhere.

    ``categories``: ``event:0102``, ``event:01*``, ``event:*``, ``*``. ``places``: district, street, community, unit grid,
    or ``R:<responsibility grid>``. ``hours``: ``18:00-06:00``; ``seasons``: ``11-01..03-31``, both may pass over midnight
    or the year's end. A rule may give only some of department, collector and limit: each is taken from the most
    specific rule that gives it.
    """

    id: str
    order: int
    categories: list[str]
    places: list[str]
    area_class: AreaClass | None
    sources: list[str]
    hours: list[str]
    seasons: list[str]
    department: str | None
    helpers: list[str]
    collector: str | None
    limit: LimitSet | None
    begins: str
    ends: str | None
    note: str
    provenance: str
    schematic: bool


class ClaimSet(_Body, frozen=True):
    """Who would have to handle a contested case, by which rule (and, with ``@``, which responsibility grid)."""

    rule: str
    responsibility: str | None
    department: str


class RouteContested(_Body, frozen=True):
    """``route.contested``, subject ``arbitration:<case>``: rules of equal rank name different departments.

    ``version`` is the routing data that said so (``origin:seq``), ``at`` the time asked about (µs UTC).
    """

    case: str
    claims: list[ClaimSet]
    version: str
    at: int


class RouteArbitrated(_Body, frozen=True):
    """``route.arbitrated``, subject ``arbitration:<case>``: who handles it, and why (the arbiter's words)."""

    case: str
    department: str
    opinion: str


Item = DepartmentSet | ResponsibilitySet | RuleSet
"""What a file of routing data brings."""


def code_of(item: Item) -> str:
    """The code under which later versions replace it."""
    return item.id if isinstance(item, RuleSet) else item.code
