"""A case goes out with its task: the step that sends it, the task, and the end of tasks that it replaces, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec
from sqlalchemy import select

from wanmi.case_kinds import CaseStepped
from wanmi.cases import Ask, Case
from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotFound
from wanmi.hookspecs import Actor
from wanmi.journal.task_rows import TaskRow
from wanmi.models import TerminalRow, table
from wanmi.registry import Draft, NodeContext
from wanmi_casework.desk import CaseDesk
from wanmi_casework.routing import suggest
from wanmi_casework.routing.conditions import Facts
from wanmi_casework.task_weighing import holder_of
from wanmi_casework.tasks import TaskAsk, TaskDesk, withdraw_draft

USUAL = 2 * 3600 * SECOND
"""µs that a terminal has where neither the ask nor the step's clock says."""
By = Literal["asked", "rule", "reporter"]


@dataclass(frozen=True)
class CaseTaskAsk:
    """A verify or check task for a case. ``terminal`` empty: proposed; ``deadline`` (µs UTC) null: the step's clock.

    ``expect`` is the version of the case that was looked at.
    """

    kind: Literal["verify", "check"]
    case: str
    terminal: str = ""
    deadline: int | None = None
    remark: str = ""
    expect: int | None = None


@dataclass(frozen=True)
class Proposal:
    """A terminal for a task, and why this one: ``rule`` is the routing rule or responsibility grid that names its holder."""

    terminal: str
    by: By
    rule: str | None = None


def send_for_case(desk: CaseDesk, ask: CaseTaskAsk, actor: Actor) -> tuple[str, Proposal]:
    """Send the case to the terminal: its id and why this terminal.

    Raises what the step raises (state, post, axes, version), and what a task raises (terminal, deadline, remark).
    """
    node, case = desk.node, desk.own(ask.case)
    steps = desk.table(case)
    rule = steps.answers.get(ask.kind)
    if rule is None:
        raise BadInput(
            f"case {case.number}: its step table {steps.name} has no [answers.{ask.kind}]; send the task by itself"
        )
    chosen = Proposal(ask.terminal, "asked") if ask.terminal else propose(node, case)
    sets = steps.step(rule.send).sets
    collector = holder_of(node, chosen.terminal) if "collector" in sets else None
    step = desk.decision(case, Ask(actor.id, actor.post, step=rule.send, collector=collector, expect=ask.expect))
    opened, tasks = case.opened, TaskDesk(node)
    ready = tasks.prepare(
        TaskAsk(
            ask.kind, chosen.terminal, opened.category, opened.lon_e7, opened.lat_e7, _deadline(node, ask, step.body),
            case.number, opened.grid, ask.remark,
        ),
        actor.id,
    )  # fmt: skip
    replaced = _replaced(node, ask, ready.task_id, actor)
    drafts = [desk.draft(step, actor.id), ready.draft, *replaced]
    node.journal.append(*drafts, also=lambda tx, _: ready.write(node, tx)).result()
    return ready.task_id, chosen


def propose(node: NodeContext, case: Case | Facts) -> Proposal:
    """The terminal of the collector whom routing names for the place, else the one that reported the case; NotFound."""
    route = suggest(node, case if isinstance(case, Facts) else case.opened, node.clock.now())
    if route.collector is not None:
        terminal = _terminal_of(node, route.collector)
        if terminal is not None:
            return Proposal(terminal, "rule", route.collector_by)
    reporter = case.opened.terminal if isinstance(case, Case) else None
    if reporter is not None and _terminal_of(node, reporter) is not None:
        return Proposal(reporter, "reporter")
    named = (
        f"collector {route.collector} ({route.collector_by}) holds no terminal"
        if route.collector
        else "routing names no collector"
    )
    raise NotFound(f"{route.facts.place}: {named} for this place; name the terminal")


def _terminal_of(node: NodeContext, collector: str) -> str | None:
    """A terminal that this district admitted for a person (or which is meant itself)."""
    row = table(TerminalRow).c
    query = (
        select(row.terminal)
        .where(
            row.district == node.code, row.state == "admitted", (row.holder == collector) | (row.terminal == collector)
        )
        .order_by(row.at.desc(), row.terminal)
    )
    with node.store.reader() as tx:
        return tx.execute(query.limit(1)).scalar()


def _deadline(node: NodeContext, ask: CaseTaskAsk, body: msgspec.Struct) -> int:
    if ask.deadline is not None:
        return ask.deadline
    due = body.deadline if isinstance(body, CaseStepped) else None
    return due if due is not None else node.clock.now() + USUAL


def _replaced(node: NodeContext, ask: CaseTaskAsk, task_id: str, actor: Actor) -> list[Draft]:
    """The ends of the case's open tasks of the same kind: nobody need go there twice."""
    row = table(TaskRow).c
    query = select(row.task_id).where(
        row.district == node.code, row.case == ask.case, row.kind == ask.kind, row.state == "open"
    )
    with node.store.reader() as tx:
        open_tasks = list(tx.execute(query.order_by(row.sent_at)).scalars())
    return [withdraw_draft(node, one, f"replaced by task {task_id}", actor.id) for one in open_tasks]
