"""The links' health: who is heard, what waits, since when, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from wanmi.clock import SECOND, iso
from wanmi.links import Hub, LinkStatus
from wanmi.registry import Health, NodeContext
from wanmi_federation.loop import LinkLoop
from wanmi_federation.running import Federation

LATE = 60 * SECOND
"""An entry that waits longer than this (µs) is worth a warning."""
GRAVE = {"fork", "broken", "not-yours"}
"""Alarms after which a chain stands still or somebody lied; the others were kept out."""
SAMPLE = 100
"""Waiting entries that are read to say about how many bytes wait."""


@dataclass(frozen=True)
class Waiting:
    """What a peer has not confirmed: entries, about how many bytes, age of the oldest in seconds."""

    entries: int
    bytes: int
    oldest_s: int


def link_health(federation: Federation, node: NodeContext) -> Sequence[Health]:
    """A line for each link, and one for the loop."""
    loop = federation.loop
    if loop is None:
        return [Health("links", "unknown", "not started")]
    lines = [_link(loop, node, status) for status in loop.hub.status()]
    known = {status.peer for status in loop.hub.status()}
    unheard = [child.code for child in loop.hub.directory.children() if child.code not in known]
    facts = {"side": "parent"}
    lines += [Health(f"link {code}", "warn", "not heard since this node started", facts) for code in unheard]
    return [_loop(loop), *lines]


def waiting_for(node: NodeContext, hub: Hub, status: LinkStatus) -> Waiting:
    """What waits for a peer, over all chains that go to it."""
    confirmed = {stream.origin: stream.confirmed for stream in status.streams}
    offered = [node.code]
    if status.side == "child":
        offered = [o for o in node.journal.cursors() if o != status.peer and hub.directory.through(node.code, o)]
    entries = size = oldest = 0
    for origin in offered:
        after = confirmed.get(origin)
        if after is None:
            cosign = node.journal.best_cosign(origin, by=status.peer)
            after = cosign.seq if cosign is not None else 0
        count = node.journal.cursor(origin).seq - after
        if count > 0:
            sample = node.journal.read(origin, after, limit=SAMPLE)
            entries += count
            size += sum(len(s.raw or s.digest) for s in sample) * count // max(len(sample), 1)
            oldest = max(oldest, node.clock.now() - min(s.received_at for s in sample)) if sample else oldest
    return Waiting(entries, size, max(oldest, 0) // SECOND)


def _loop(loop: LinkLoop) -> Health:
    facts: dict[str, str | int] = {"listens": loop.endpoint, "frames_dropped": loop.dropped}
    held = loop.hub.held
    if held:
        return Health("links", "bad", f"nothing is written until lost entries are back: {held}", facts)
    alarms = list(loop.hub.alarms)
    grave = [alarm for alarm in alarms if alarm.kind in GRAVE]
    if alarms:
        newest = (grave or alarms)[-1]
        return Health("links", "bad" if grave else "warn", f"{newest.kind}: {newest.text}", facts)
    return Health("links", "fine", "running", facts)


def _link(loop: LinkLoop, node: NodeContext, status: LinkStatus) -> Health:
    waiting = waiting_for(node, loop.hub, status)
    facts: dict[str, str | int] = {
        "side": status.side,
        "heard": iso(status.heard_at) if status.heard_at else "never",
        "waiting_entries": waiting.entries,
        "waiting_bytes": waiting.bytes,
        "oldest_s": waiting.oldest_s,
        "clock_offset_ms": status.clock_offset // 1000,
        "blobs_under_way": status.fetching,
    }
    for stream in status.streams:
        facts[f"confirmed {stream.origin}"] = f"{stream.confirmed}/{stream.held}"
    state, reason = _judged(loop, node, status, waiting)
    return Health(f"link {status.peer}", state, reason, facts)


def _judged(
    loop: LinkLoop, node: NodeContext, status: LinkStatus, waiting: Waiting
) -> tuple[Literal["fine", "warn", "bad"], str]:
    if not status.up:
        trouble = loop.wire.trouble if status.peer == node.parent else ""
        paused = "paused by a person" if status.peer in loop.paused else ""
        bad = status.side == "child" and not paused
        return ("bad" if bad else "warn"), paused or trouble or status.reason
    stopped = [stream for stream in status.streams if stream.stopped not in {"", "redacted"}]
    if stopped:
        return "bad", f"chain {stopped[0].origin} stands still: {stopped[0].stopped}"
    if waiting.oldest_s * SECOND > LATE:
        return "warn", f"the oldest of {waiting.entries} waiting entries waits for {waiting.oldest_s} s"
    if abs(status.clock_offset) > 5 * SECOND:
        return "warn", f"its clock differs by {status.clock_offset // SECOND} s"
    return "fine", "up"
