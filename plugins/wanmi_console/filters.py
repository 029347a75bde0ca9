"""The filters of the case list as a form: what can be chosen, what was chosen (chips), what a form means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from wanmi.cases import STAGES
from wanmi.codes import CASE_KINDS
from wanmi.query import CaseFilter, kin_of
from wanmi.registry import NodeContext
from wanmi_console.names import Named, Names
from wanmi_console.words import Translate


@dataclass(frozen=True)
class Chip:
    """A filter that is set, in words, with the address of the list without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True)
class Choices:
    """What the selects offer; ``districts`` is empty where there is only one."""

    districts: list[Named]
    streets: list[tuple[str, list[Named]]]
    communities: list[Named]
    categories: list[tuple[str, list[Named]]]
    kinds: list[Named]
    stages: list[Named]


def filter_of_form(given: Mapping[str, str]) -> CaseFilter:
    """The filter that a form means: the narrowest of grid, community and street that fit one another.

    A community that does not lie in the chosen street was left from another one: it is dropped, and so is a
    street that does not lie in the chosen district, or a category of another kind than the chosen one. BadInput
    for anything else that cannot be.
    """
    wanted = CaseFilter.parse({**given, "grid": "", **_kind_and_category(given)})
    grid = ""
    for name in ("street", "community", "grid"):
        value = given.get(name, "").strip()
        narrower = bool(value) and value.startswith(grid or wanted.district)
        if narrower or (name == "grid" and value):
            grid = value
    return replace(wanted, grid=CaseFilter.parse({"grid": grid}).grid)


def _kind_and_category(given: Mapping[str, str]) -> dict[str, str]:
    """The select's ``event-0102`` as two fields."""
    kind, category = given.get("kind", "").strip(), given.get("category", "").strip()
    of_kind, dash, code = category.partition("-")
    if not dash:
        return {}
    return {"kind": kind or of_kind, "category": code if kind in ("", of_kind) else ""}


def chips(wanted: CaseFilter, names: Names, t: Translate) -> list[Chip]:
    """One chip for each filter that is set."""
    told = {
        "district": (t("District"), names.division(wanted.district)),
        "grid": (t("Place"), " ".join(step.name for step in names.place(wanted.grid)[1:])),
        "category": (t("Category"), _category(wanted, names, t)),
        "kind": (t("Kind"), names.kind(wanted.kind)),
        "stage": (t("Stage"), names.stage(wanted.stage)),
        "number": (t("Number"), wanted.number),
        "since": (t("From"), wanted.since),
        "until": (t("To"), wanted.until),
    }
    return [Chip(*told[name], without=_without(wanted, name)) for name in wanted.set_fields()]


def choices(node: NodeContext, wanted: CaseFilter, names: Names) -> Choices:
    """What can be chosen, given what was chosen."""
    own = [] if node.role == "city" else [node.code[:6]]
    districts = names.under(node.code) if node.role == "city" else []
    shown = [wanted.district] if wanted.district else own or [one.code for one in districts]
    kinds = [wanted.kind] if wanted.kind else list(CASE_KINDS)
    return Choices(
        districts=districts,
        streets=[(names.division(code), names.under(code)) for code in shown],
        communities=names.under(wanted.grid[:9]) if len(wanted.grid) >= 9 else [],
        categories=[group for kind in kinds for group in names.categories(kind)],
        kinds=[Named(kind, names.kind(kind)) for kind in CASE_KINDS],
        stages=[Named(stage.id, names.stage(stage.id)) for stage in STAGES],
    )


def _category(wanted: CaseFilter, names: Names, t: Translate) -> str:
    """The category's name, among components and events, with what it is in the other catalogues, or that it is none there."""
    found: dict[str, None] = {}
    for kin in kin_of(wanted, names.profiles):
        found.update(
            {f"{code} {name}": None for kind, code in kin.places if (name := names.category(kind, code)) != code}
        )
        found.update({t("no such category in %(catalogue)s") % {"catalogue": one}: None for one in kin.without})
    return " / ".join(found) or wanted.category


def _without(wanted: CaseFilter, name: str) -> str:
    gone = (name, "grid") if name == "district" else (name,)
    fields = {key: value for key, value in wanted.set_fields().items() if key not in gone}
    return "/cases" + (f"?{urlencode(fields)}" if fields else "")
