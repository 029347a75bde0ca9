"""What a message may say of an entry: text by name, empty where the entry has none. No opinion, no person is in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast, get_args

from wanmi.clock import SECOND
from wanmi.codes import CaseKind, Lang
from wanmi.entries import Entry
from wanmi.errors import NotFound
from wanmi.profiles import ProfileStore
from wanmi.query import CaseLine, find_case
from wanmi.registry import NodeContext
from wanmi_messenger.book import VALUES
from wanmi_messenger.pacing import ZONE

_SAME = ("post", "step", "state", "stage", "from_state", "what", "level", "demand")
_TIMES = ("deadline", "reply_by", "until")
EXAMPLE: Mapping[str, Any] = {
    "number": "210102-E0102-20261124-0007",
    "district": "210102",
    "kind": "event",
    "category": "0102",
    "grid": "210102001001001",
    "stage": "handle",
    "state": "dispatched",
    "step": "dispatch",
    "post": "dispatcher",
    "unit": "D01",
    "order_id": "20261124-01",
    "demand": "…",
    "deadline": 1_795_500_000_000_000,
    "reply_by": 1_795_500_000_000_000,
}
"""A body for previews."""


def facts_of(node: NodeContext, entry: Entry, lang: Lang) -> dict[str, str]:
    """The values of the entry, with what is known of its case where the body does not say it."""
    number = _number(entry)
    return facts(node, entry.kind, entry.subject, entry.at, entry.body, _case(node, number), lang) | {"case": number}


def facts(
    node: NodeContext, event: str, about: str, at: int, body: Mapping[str, Any], case: CaseLine | None, lang: Lang
) -> dict[str, str]:
    """The values of a body; ``case`` as it stands now."""
    values = dict.fromkeys(VALUES, "")
    known = {"district": case.district, "kind": case.kind, "category": case.category, "grid": case.grid,
             "stage": case.stage, "state": case.state} if case else {}  # fmt: skip
    merged = {**known, **{key: value for key, value in body.items() if value is not None}}
    values.update({name: str(merged[name]) for name in (*_SAME, "district", "category", "grid") if merged.get(name)})
    values.update({name: local_time(merged[name]) for name in _TIMES if isinstance(merged.get(name), int)})
    number = str(body.get("number") or (case.number if case else ""))
    values.update(
        event=event,
        about=about,
        at=local_time(at),
        case=number,
        node=node.settings.node.name or node.code,
        unit=next(iter(units_of(body)), ""),
        department=str(body.get("department") or ""),
        order=str(body.get("order") or body.get("order_id") or ""),
        granted={True: "yes", False: "no"}.get(cast(bool, body.get("granted")), ""),
        category_name=_category_name(node, case, merged, lang),
        link=_link(node, number),
    )
    return values


def department_in(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The department that an entry names, none or one."""
    return _named(body, "department")


def units_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The units that an entry names: its department, and the unit of whoever acted."""
    return _named(body, "department", "unit", "by_unit")


def _named(body: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
    named = (body.get(key) for key in keys)
    return tuple(dict.fromkeys(one for one in named if isinstance(one, str) and one))


def local_time(at: int) -> str:
    """``at`` (µs UTC) as local date and minute."""
    return datetime.fromtimestamp(min(max(at, 0), 2**53 - 1) // SECOND, ZONE).strftime("%Y-%m-%d %H:%M")


def _number(entry: Entry) -> str:
    if entry.subject.startswith("case:"):
        return entry.subject.removeprefix("case:")
    return str(entry.body.get("district_case") or entry.body.get("case") or "")


def _case(node: NodeContext, number: str) -> CaseLine | None:
    if not number:
        return None
    try:
        with node.store.reader() as tx:
            return find_case(tx, number)
    except NotFound:
        return None


def _category_name(node: NodeContext, case: CaseLine | None, said: Mapping[str, Any], lang: Lang) -> str:
    """By the profile version of the case, or of the entry that opens it; the code where that does not have it."""
    kind, code = said.get("kind"), said.get("category")
    if kind not in get_args(CaseKind) or not isinstance(code, str):
        return ""
    profile = ProfileStore(node).held(case.profile if case else str(said.get("profile") or ""))
    found = profile.catalogue.get(cast(CaseKind, kind), code)
    return code if found is None else profile.category_name(found, lang)


def _link(node: NodeContext, number: str) -> str:
    base = str(node.settings.section("messenger").base_url).rstrip("/")
    return f"{base}/cases/{number}" if base and number else ""
