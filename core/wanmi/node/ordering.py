"""A district orders settings changes of its edges, and shows what became of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import RowMapping, select

from wanmi import settings_kinds as kinds
from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotFound
from wanmi.journal.settings_rows import SettingsChangeRow
from wanmi.models import NodeRow, table
from wanmi.node.changing import actor_of
from wanmi.node.judging import early_faults
from wanmi.registry import AdminResult, Draft, Health, NodeContext, Progress, Registry

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]
EXPIRES = 86_400
"""Seconds in which an edge that is not heard now may still begin, where the order says nothing else."""
SHORTEST, LONGEST = 60, 30 * 86_400
MOST_SHOWN = 200
FAILED_FOR = 86_400 * SECOND
"""How long (µs) a change that failed stays a warning."""
_ROW, _NODE = table(SettingsChangeRow), table(NodeRow)


def register_ordering(to: Registry) -> None:
    """The actions behind ``wanmi settings order`` and ``orders``, and the district's line of health."""
    to.action("settings.order", _order, help="order a settings change of an edge of this district")
    to.action("settings.orders", _orders, help="the settings changes that were ordered, and what became of them")
    to.probe("settings orders", failed_health)


def _order(node: NodeContext, args: Args) -> Items:
    """BadInput, NotFound: nothing is ordered that the district can tell to be wrong."""
    edge = str(args.get("edge") or "")
    _check_edge(node, edge)
    changes = _changes(args.get("changes"))
    faults = early_faults(node, changes)
    if faults:
        raise BadInput("; ".join(faults))
    body = kinds.SettingsOrdered(
        node.ids.token(8).hex(), edge, changes,
        _within(args, "probation", kinds.PROBATION, kinds.LEAST_PROBATION, kinds.MOST_PROBATION),
        node.clock.now() + _within(args, "expires_in", EXPIRES, SHORTEST, LONGEST) * SECOND,
    )  # fmt: skip
    subject = kinds.change_subject(node.code, body.change_id)
    node.journal.append(Draft("settings.ordered", subject, body, (edge,), actor_of(args), expect=0)).result()
    yield from _orders(node, {"change": body.change_id})


def _check_edge(node: NodeContext, edge: str) -> None:
    with node.store.reader() as tx:
        row = tx.execute(select(_NODE).where(_NODE.c.code == edge)).first()
    if row is None or row.parent != node.code or row.state != "admitted":
        raise NotFound(f"{edge[:20]!r}: no node that is admitted here; `wanmi node list` has all")
    if row.role != "edge":
        raise BadInput(f"{edge}: is a {row.role}; settings are ordered of edges only")


def _changes(given: object) -> list[kinds.SettingChange]:
    """From the key and both values, as JSON has them; each key once."""
    if not isinstance(given, Sequence) or not 1 <= len(given) <= kinds.MOST_CHANGES:
        raise BadInput(f"changes: name 1 to {kinds.MOST_CHANGES} settings, each with its old and its new value")
    changes = [kinds.SettingChange(str(one["key"]), *(_json(one, side) for side in ("old", "new"))) for one in given]
    keys = [change.key for change in changes]
    if len(set(keys)) != len(keys):
        raise BadInput("changes: a setting is named twice")
    return changes


def _json(one: Mapping[str, Any], side: str) -> str:
    key = str(one["key"])[:100]
    if side not in one:
        raise BadInput(f"{key}: say its {side} value too")
    try:
        text = json.dumps(one[side], ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{key}: its {side} value cannot be told in JSON: {error}") from error
    if len(text) > kinds.LONGEST_VALUE:
        raise BadInput(f"{key}: its {side} value has more than {kinds.LONGEST_VALUE} characters")
    return text


def _within(args: Args, name: str, default: int, least: int, most: int) -> int:
    value = args.get(name, default)
    if not isinstance(value, int) or not least <= value <= most:
        raise BadInput(f"{name}: {value} is not within {least} and {most} seconds")
    return value


def _orders(node: NodeContext, args: Args) -> Items:
    query = select(_ROW).where(_ROW.c.ordered_at.is_not(None))
    for name, column in (("edge", _ROW.c.edge), ("change", _ROW.c.change_id)):
        if args.get(name):
            query = query.where(column == str(args[name]))
    with node.store.reader() as tx:
        rows = tx.execute(query.order_by(_ROW.c.ordered_at.desc()).limit(MOST_SHOWN)).mappings().all()
    if args.get("change") and not rows:
        raise NotFound(f"change {str(args['change'])[:40]!r}: none of that id was ordered")
    yield {"orders": [_told(row, node.clock.now()) for row in rows]}


def _told(row: RowMapping, now: int) -> dict[str, Any]:
    changes = msgspec.json.decode(row["changes"], type=list[kinds.SettingChange])
    return {
        "change": row["change_id"],
        "district": row["district"],
        "edge": row["edge"],
        "changes": [{"key": one.key, "old": json.loads(one.old), "new": json.loads(one.new)} for one in changes],
        "probation": row["probation"],
        "expires_at": row["expires_at"],
        "ordered_at": row["ordered_at"],
        "ordered_by": row["ordered_by"],
        "state": kinds.shown_state(row["state"], row["expires_at"], now),
        "state_at": row["state_at"],
        "reason": row["reason"],
    }


def failed_health(node: NodeContext) -> Sequence[Health]:
    """At the district: a warning for each change of the last day that its edge refused or rolled back."""
    if node.role != "district":
        return []
    failed = _ROW.c.state.in_(("refused", "rolled_back")) & (_ROW.c.state_at > node.clock.now() - FAILED_FOR)
    query = select(_ROW).where((_ROW.c.district == node.code) & failed).order_by(_ROW.c.state_at)
    with node.store.reader() as tx:
        rows = tx.execute(query.limit(MOST_SHOWN)).mappings().all()
    return [_failed(row) for row in rows]


def _failed(row: RowMapping) -> Health:
    said = row["state"].replace("_", " ")
    facts = {"edge": row["edge"], "change": row["change_id"]}
    return Health(f"settings of {row['edge']}", "warn", f"change {row['change_id']} was {said}: {row['reason']}", facts)
