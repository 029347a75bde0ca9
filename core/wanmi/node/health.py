"""The core's health lines; plugins add theirs with ``registry.probe``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import structlog

from wanmi import __version__
from wanmi.registry import Health, Probe

if TYPE_CHECKING:
    from wanmi.node.node import Node

LOW_DISK = 2 * 1024**3
EMPTY_DISK = 256 * 1024**2
"""Free bytes below which the disk is a warning, and bad."""
LONG_QUEUE = 5000
"""Parts that wait for the writer, beyond which it is a warning."""


def node_health(node: Node) -> list[Health]:
    """The core's lines, then every probe's; a probe that raises is a bad line of its own."""
    lines = [_node_line(node), _journal_line(node), _writer_line(node), _disk_line(node)]
    lines += [*_plugin_lines(node), *_task_lines(node), *_reactor_lines(node)]
    for probe in node.registry.probes.values():
        lines += _read_probe(node, probe)
    return lines


def _read_probe(node: Node, probe: Probe) -> Sequence[Health]:
    try:
        with node.watch.calling(probe.plugin, f"probe {probe.name}", node.settings.watch.hook):
            return list(probe.read(node))
    except Exception as error:  # noqa: BLE001 - the border to a plugin
        structlog.get_logger("wanmi.health").error(
            "probe_fenced", probe=probe.name, plugin=probe.plugin, exc_info=error
        )
        return [
            Health(probe.name, "bad", f"its probe failed: {type(error).__name__}: {error}", {"plugin": probe.plugin})
        ]


def _node_line(node: Node) -> Health:
    facts = {"code": node.code, "role": node.role, "version": __version__, "plugins": ", ".join(node.registry.plugins)}
    return Health("node", "fine", "", facts)


def _journal_line(node: Node) -> Health:
    own = node.journal.cursor(node.code)
    facts: dict[str, str | int] = {
        "head": own.seq,
        "hash": own.hash.hex(),
        "applied": node.journal.pos,
        "chains": len(node.journal.cursors()),
    }
    if node.journal.held is not None:
        return Health("journal", "bad", f"writes nothing now: {node.journal.held}", facts)
    return Health("journal", "fine", "", facts)


def _writer_line(node: Node) -> Health:
    stats = node.store.writer.stats
    waiting = stats.waiting()
    facts: dict[str, str | int] = {"waiting": waiting, "commits": stats.commits, "parts": stats.parts}
    if waiting > LONG_QUEUE:
        return Health("writer", "warn", f"{waiting} writes wait; the disk or a projection is slow", facts)
    return Health("writer", "fine", "", facts)


def _disk_line(node: Node) -> Health:
    free = shutil.disk_usage(node.dir).free
    facts = {"free_bytes": free}
    if free < EMPTY_DISK:
        return Health(
            "disk", "bad", f"{free // 1024**2} MB free; make room now, the node stops writing when full", facts
        )
    if free < LOW_DISK:
        return Health("disk", "warn", f"{free // 1024**2} MB free", facts)
    return Health("disk", "fine", "", facts)


def _plugin_lines(node: Node) -> Iterator[Health]:
    for off in node.off.values():
        reason = f"off since {off.since}: {off.reason}; mend it, then `wanmi node plugin-on`"
        yield Health(f"plugin {off.plugin}", "bad", reason, {"plugin": off.plugin})
    for fault in node.hook_faults():
        reason = f"{fault.hook} failed {fault.count} times, last: {fault.last}"
        yield Health(f"plugin {fault.plugin}", "warn", reason, {"plugin": fault.plugin, "count": fault.count})


def _task_lines(node: Node) -> Iterator[Health]:
    states = node.task_states()
    if states:
        running = sum(state.state == "running" for state in states)
        yield Health("tasks", "fine", "", {"running": running, "all": len(states)})
    for state in states:
        if state.failures:
            facts: dict[str, str | int] = {"plugin": state.plugin, "failures": state.failures}
            bad = state.state == "waiting"
            yield Health(f"task {state.name}", "bad" if bad else "warn", f"failed, last: {state.trouble}", facts)


def _reactor_lines(node: Node) -> Iterator[Health]:
    for name, behind, trouble in node.reactor_states():
        facts = {"behind": behind}
        if trouble:
            yield Health(f"reactor {name}", "bad", f"failed and is tried again: {trouble}", facts)
        else:
            yield Health(f"reactor {name}", "fine", "", facts)
