"""`suggest`: the route of a case as the node's own data have it, an arbiter's decision before all rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from wanmi.registry import NodeContext
from wanmi_casework.routing.answer import Route
from wanmi_casework.routing.arbitration import find_arbitration
from wanmi_casework.routing.conditions import Facts
from wanmi_casework.routing.kept import current_book
from wanmi_casework.routing.matching import route


class CaseLike(Protocol):
    """What routing reads of a case: a ``CaseRow``, a ``CaseLine`` or the body of ``case.opened``."""

    @property
    def number(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def district(self) -> str: ...
    @property
    def grid(self) -> str | None: ...
    @property
    def source(self) -> str: ...


def facts_of(case: CaseLike) -> Facts:
    """What a case is asked by: its grid, or its district where no grid covers the point."""
    return Facts(case.kind, case.category, case.grid or case.district, case.source)


def suggest(node: NodeContext, case: CaseLike | Facts, at: int) -> Route:
    """The route that the desk offers at ``at`` (µs UTC). Reads only; a contested one: see ``contest_draft``.

    Keep ``rule``, ``limit_rule`` and ``version`` in the step's entry: with them the answer can be asked for again.
    """
    if isinstance(case, Facts):
        return route(case, current_book(node), at)
    found = route(facts_of(case), current_book(node), at)
    decided = find_arbitration(node, case.number)
    if decided is None or decided.state != "decided":
        return found
    helpers = next((one.helpers for one in found.contested if one.department == decided.department), found.helpers)
    kept = tuple(one for one in helpers if one != decided.department)
    return replace(found, department=decided.department, helpers=kept, contested=(), arbitrated=decided.entry)
