"""`wanmi route check|import`: files of routing data against what the node holds; good rows become entries.

Departments first, then responsibility grids, then rules, whatever the order of the files. A row that says what the node
holds already makes no entry, so the same files again add nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from wanmi.entries import EVERYONE, Audience
from wanmi.errors import BadInput, NotAllowed, NotFound
from wanmi.profiles import ProfileStore
from wanmi.registry import AdminResult, Draft, NodeContext, Progress
from wanmi_casework.routing.book import newest
from wanmi_casework.routing.kept import read_items
from wanmi_casework.routing.kinds import DepartmentSet, Item, ResponsibilitySet, RuleSet, code_of
from wanmi_casework.routing.overlaps import contested_pairs
from wanmi_casework.routing.reading import Region, Sheet, SheetKind, names_in, read_sheet
from wanmi_casework.routing.tables import subject_of

ORDER: tuple[SheetKind, ...] = ("departments", "responsibility", "rules")
ENTRY_KINDS: dict[SheetKind, str] = {
    "departments": "department.set", "responsibility": "responsibility.set", "rules": "rule.set",
}  # fmt: skip
GROUP = 200
"""Entries that are appended, and reported on, at a time."""


@dataclass
class Plan:
    """What the files come to."""

    drafts: list[Draft] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    unchanged: int = 0
    contested: list[tuple[str, str, str]] = field(default_factory=list)


class Known:
    """What the node holds now, and what the files add to it."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.departments = newest(one for one in items if isinstance(one, DepartmentSet))
        self.responsibility = newest(one for one in items if isinstance(one, ResponsibilitySet))
        self.rules = newest(one for one in items if isinstance(one, RuleSet))

    def take(self, item: Item) -> bool:
        """Take an item in; False when it is here already, unchanged. BadInput when it refers to what is not here."""
        departments, sets = names_in(item)
        for code in departments:
            if code not in self.departments:
                raise BadInput(f"{code_of(item)}: department {code!r} is not known; bring it in a file of departments")
        for code in sets:
            if code not in self.responsibility:
                raise BadInput(
                    f"{code_of(item)}: responsibility grid {code!r} is not known; bring it in a file of them"
                )
        of_kind: dict[str, Any] = self._of(item)
        if of_kind.get(code_of(item)) == item:
            return False
        of_kind[code_of(item)] = item
        return True

    def _of(self, item: Item) -> dict[str, Any]:
        if isinstance(item, DepartmentSet):
            return self.departments
        return self.responsibility if isinstance(item, ResponsibilitySet) else self.rules


def run_check(node: NodeContext, arguments: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """The admin action ``route.check``: {files | shipped}; as ``route.import``, but nothing is journaled."""
    yield _result(_plan(node, arguments), journaled=0)


def run_import(node: NodeContext, arguments: Mapping[str, Any]) -> Iterator[Progress | AdminResult]:
    """The admin action ``route.import``: {files | shipped, strict?}; files are paths on the node's machine.

    Answers {journaled, unchanged, refused: [{file, row, reason}], contested: [{rules, where}], taken}.
    """
    plan = _plan(node, arguments)
    if plan.refused and arguments.get("strict"):
        yield _result(plan, journaled=0) | {"taken": False}
        return
    for start in range(0, len(plan.drafts), GROUP):
        node.journal.append(*plan.drafts[start : start + GROUP]).result()
        done = min(start + GROUP, len(plan.drafts))
        yield Progress(done, len(plan.drafts), f"{done} of {len(plan.drafts)} entries journaled")
    yield _result(plan, journaled=len(plan.drafts))


def _plan(node: NodeContext, arguments: Mapping[str, Any]) -> Plan:
    if node.role == "edge":
        raise NotAllowed(f"node {node.code}: an edge routes no cases; import at its district, {node.parent}")
    sheets = sorted(_sheets(node, arguments), key=lambda sheet: ORDER.index(sheet.kind))
    known, plan = Known(read_items(node)[0]), Plan()
    for sheet in sheets:
        plan.refused += [{"file": sheet.name, "row": bad.row, "reason": bad.reason} for bad in sheet.bad]
        for number, item in sheet.rows:
            _take(node, plan, known, sheet, number, item)
    plan.contested = contested_pairs(known.rules.values())
    return plan


def _take(node: NodeContext, plan: Plan, known: Known, sheet: Sheet, number: int, item: Item) -> None:
    try:
        fresh = known.take(item)
    except BadInput as error:
        plan.refused.append({"file": sheet.name, "row": number, "reason": str(error)})
        return
    if fresh:
        subject = subject_of(node.code, item)
        plan.drafts.append(Draft(ENTRY_KINDS[sheet.kind], subject, item, audience=_audience(node)))
    else:
        plan.unchanged += 1


def _sheets(node: NodeContext, arguments: Mapping[str, Any]) -> list[Sheet]:
    profile = ProfileStore(node).active()
    region = Region(node.code[:4] if node.role == "city" else node.code, profile)
    named = arguments.get("files") or []
    if arguments.get("shipped"):
        sources: list[Traversable] = shipped_files(node.code)
    else:
        sources = [Path(str(name)) for name in named]
    if not sources:
        raise BadInput("no file is named; give CSV files, or ask for the shipped ones")
    return [read_sheet(source.name, _read(source), region) for source in sources]


def shipped_files(code: str) -> list[Traversable]:
    """The schematic (示意) routing data shipped for a node; NotFound names the nodes there are."""
    data = files("wanmi_casework.routing") / "data"
    folder = data / code
    if not folder.is_dir():
        there = ", ".join(sorted(one.name for one in data.iterdir() if one.is_dir()))
        raise NotFound(f"no routing data is shipped for node {code}; there are: {there}")
    return sorted((one for one in folder.iterdir() if one.name.endswith(".csv")), key=lambda one: one.name)


def _read(source: Traversable) -> bytes:
    try:
        return source.read_bytes()
    except OSError as error:
        raise BadInput(f"file {source}: cannot be read: {error.strerror}; check the path") from error


def _audience(node: NodeContext) -> Audience:
    """A district's data go to the city; edges see only their digests."""
    return (node.parent,) if node.parent is not None else EVERYONE


def _result(plan: Plan, journaled: int) -> AdminResult:
    return {
        "journaled": journaled,
        "changed": len(plan.drafts),
        "unchanged": plan.unchanged,
        "refused": plan.refused,
        "contested": [{"rules": [one, other], "where": where} for one, other, where in plan.contested],
        "taken": True,
    }
