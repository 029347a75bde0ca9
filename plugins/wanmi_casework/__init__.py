"""协同工作: cases of a district. Here: a report becomes a case, with its grid, its number and what may be the same."""

from __future__ import annotations

from collections.abc import Sequence

from wanmi.hookspecs import ReportFacts, hookimpl
from wanmi.registry import NodeContext, Registry
from wanmi_casework import edge_events, relay, task_weighing, tasks
from wanmi_casework.desk_parts import add_desk
from wanmi_casework.health import PROBE, CaseworkHealth
from wanmi_casework.near import Place
from wanmi_casework.opener import NAME, CaseOpener
from wanmi_casework.registered import ORDERED, REGISTERED
from wanmi_casework.routing.parts import add_routing
from wanmi_casework.settings import CaseworkSettings
from wanmi_casework.tasks_admin import register_task_actions


@hookimpl
def register(to: Registry) -> None:
    """Settings, the reactors (a district opens cases, a city relays guests' reports) and their health."""
    opener = CaseOpener()
    to.section("casework", CaseworkSettings)
    to.reactor(NAME, kinds=("report.received", "report.relayed", REGISTERED, ORDERED), decide=opener.decide)
    to.reactor(relay.NAME, kinds=("report.received",), decide=relay.relay)
    to.reactor(relay.ANSWERS, kinds=("task.answered",), decide=relay.relay_answers)
    to.reactor(tasks.NAME, kinds=("task.answered", "answer.relayed"), decide=tasks.judge_answers)
    to.reactor(task_weighing.NAME, kinds=("task.judged",), decide=task_weighing.AnswerMover().decide)
    to.reactor(edge_events.NAME, kinds=edge_events.KINDS, decide=edge_events.tell_edges)
    register_task_actions(to)
    to.probe(PROBE, CaseworkHealth(opener))
    add_desk(to)
    add_routing(to)


@hookimpl
def find_duplicates(node: NodeContext, facts: ReportFacts) -> Sequence[str]:
    """Cases of this node of the same category within 50 m and 24 h (settings), newest first."""
    health = node.registry.probes[PROBE].read
    if not isinstance(health, CaseworkHealth):
        return []
    place = Place("", facts.kind, facts.category, facts.lon_e7, facts.lat_e7, facts.reported_at)
    return health.opener.near(node, place, node.settings.section("casework", CaseworkSettings))
