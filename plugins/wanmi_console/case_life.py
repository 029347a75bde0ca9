"""The life of a case for its page: who did what when, its clocks with their explanations, its requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from wanmi.cases import CASE_ENTRIES, Case, Request, fold_all
from wanmi.clocks import ClockState
from wanmi.entries import Entry
from wanmi.errors import WanmiError
from wanmi.identity.people import names_of
from wanmi.query.case_clocks import lines_of, states_of
from wanmi.registry import NodeContext, Stored
from wanmi.workdays import CalendarKeeper
from wanmi_console.names import Names
from wanmi_console.words import Translate, n_

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "case.opened": n_("opened"),
        "case.request_made": n_("asks: %(what)s"),
        "case.request_decided": n_("decides: %(what)s"),
        "case.request_expired": n_("nobody decided in time"),
        "case.resumed": n_("resumed"),
        "case.became_overdue": n_("became overdue"),
        "case.linked": n_("linked with %(other)s"),
        "case.unlinked": n_("no longer linked with %(other)s"),
        "case.merged": n_("merged into %(other)s"),
        "case.unmerged": n_("merge into %(other)s undone"),
    }
)
REQUEST_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {"open": n_("waits"), "granted": n_("granted"), "refused": n_("refused"), "expired": n_("expired")}
)
PHASES: Final[Mapping[str, str]] = MappingProxyType(
    {"idle": n_("not started"), "running": n_("running"), "paused": n_("paused"), "stopped": n_("stopped")}
)
LIGHTS: Final[Mapping[str, str]] = MappingProxyType(
    {"green": n_("in time"), "yellow": n_("soon due"), "red": n_("overdue")}
)
MARKS: Final[Mapping[str, str]] = MappingProxyType({"green": "fine", "yellow": "warn", "red": "bad"})
"""The page's colours of lights."""


@dataclass(frozen=True)
class Act:
    """Something that was done: when (µs UTC), what, by whom (empty: by the node), said how, and where it led."""

    at: int
    what: str
    who: str
    post: str
    unit: str
    opinion: str
    state: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Clock:
    """A clock of the case, and its explanation line by line."""

    state: ClockState
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Life:
    """What the page shows beside the facts; ``case`` is None where the entries held here do not add up to one."""

    case: Case | None
    acts: tuple[Act, ...]
    clocks: tuple[Clock, ...]
    requests: tuple[Request, ...]
    people: Mapping[str, str]


def life_of(node: NodeContext, number: str, entries: Sequence[Stored], names: Names, t: Translate) -> Life:
    """The life of a case by its owner's entries, in the words of its own profile."""
    owner = number.partition("-")[0]
    own = [one.entry for one in entries if one.entry is not None and one.entry.origin == owner]
    told = [entry for entry in own if entry.kind in CASE_ENTRIES]
    people = names_of(node, {entry.actor for entry in told if entry.actor})
    try:
        case = fold_all(told)
        clocks = () if case is None else _clocks(node, case, names, t)
    except (WanmiError, KeyError):  # another node's entries, or a table that does not know the case's clocks
        return Life(None, (), (), (), people)
    acts = tuple(_act(entry, names, t, people) for entry in told)
    return Life(case, acts, clocks, () if case is None else tuple(reversed(case.requests)), people)


def _clocks(node: NodeContext, case: Case, names: Names, t: Translate) -> tuple[Clock, ...]:
    def word(source: str) -> str:
        return t(WORDS[source]) if source in ("case.opened", "case.resumed") else names.request(names.step(source))

    as_of = max(node.clock.now(), case.changed_at)
    states = states_of(names.table, case, CalendarKeeper(node).calendar(), as_of, word)
    zh = names.lang == "zh"
    return tuple(
        Clock(state, state.rule.zh if zh else state.rule.en, lines_of(state)[0 if zh else 1]) for state in states
    )


def _act(entry: Entry, names: Names, t: Translate, people: Mapping[str, str]) -> Act:
    body = entry.body
    settled: Mapping[str, Any] = body if entry.kind == "case.stepped" else body.get("effect") or {}
    state = str(settled.get("state", body.get("state", "")))
    if settled and settled.get("from_state") == state:
        state = ""
    return Act(
        entry.at,
        _what(entry, names, t),
        people.get(entry.actor, entry.actor) if entry.actor else "",
        names.post(str(body.get("post") or "")),
        str(body.get("unit") or ""),
        str(body.get("opinion") or ""),
        names.state(state) if state else "",
        tuple(_facts(entry, names, t)),
    )


def _what(entry: Entry, names: Names, t: Translate) -> str:
    body = entry.body
    if entry.kind == "case.stepped":
        return names.step(str(body["step"]))
    other = body.get("other") or body.get("into") or body.get("from") or ""
    said = {"what": names.request(str(body.get("what", ""))), "other": other}
    return t(WORDS.get(entry.kind, entry.kind)) % said


def _facts(entry: Entry, names: Names, t: Translate) -> list[str]:
    """What the entry sets, in words."""
    body, found = entry.body, []
    if entry.kind == "case.request_decided":
        found.append(t("granted") if body["granted"] else t("refused"))
    if entry.kind != "case.stepped":
        return found
    turned = any(one["what"] in ("start", "resume") for one in body["clocks"])
    if turned and body["department"]:
        found.append(t("Department: %(name)s") % {"name": body["department"]})
    if turned and body["limit"]:
        limit = names.limit(body["limit"]["value"], body["limit"]["unit"])
        found.append(t("Limit: %(limit)s") % {"limit": limit})
    for name, label in (("rule", t("Rule: %(name)s")), ("arbitrated", t("Arbitrated: %(name)s"))):
        if body["fields"].get(name):
            found.append(label % {"name": body["fields"][name]})
    return found
