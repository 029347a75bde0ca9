"""The messenger's health: what waits, since when, what failed and why; by lane. No address is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from wanmi.clock import SECOND, iso
from wanmi.registry import Health, NodeContext
from wanmi_messenger import outbox
from wanmi_messenger.deciding import Decider
from wanmi_messenger.settings import MessengerSettings

LATE = 3600
"""Seconds that a message may wait before it is worth a warning."""
Counts = Mapping[tuple[str, str], tuple[int, int]]
Failures = Sequence[tuple[str, str, int]]
State = Literal["fine", "warn", "bad"]


def messenger_health(node: NodeContext, decider: Decider, held: Mapping[str, int]) -> Sequence[Health]:
    """A line for the deciding, and one for each lane that is in the settings or has messages."""
    settings = node.settings.section("messenger", MessengerSettings)
    with node.store.reader() as tx:
        counts, failures = outbox.counts(tx), outbox.failures(tx)
    known = [name for name in ("smtp", "sms") if getattr(settings, name) is not None]
    known += [f"webhook:{name}" for name in settings.webhooks]
    lanes = [*known, *sorted({lane for lane, state in counts if state in outbox.WAITING} - set(known))]
    now = node.clock.now()
    return [
        _deciding(decider, known),
        *(_lane(lane, lane in known, counts, failures, now, held.get(lane, 0)) for lane in lanes),
    ]


def _deciding(decider: Decider, known: Sequence[str]) -> Health:
    facts = {name: decider.counts[name] for name in ("decided", "unheard", "stale")}
    if decider.trouble:
        return Health("messenger", "bad", decider.trouble, facts)
    if decider.unheard:
        reason = f"rule {decider.unheard} reached nobody: no one is on duty there, or has an address for its channels"
        return Health("messenger", "warn", reason, facts)
    return Health(
        "messenger", "fine" if known else "warn", "ready" if known else "no channel is in the settings", facts
    )


def _lane(lane: str, known: bool, counts: Counts, failures: Failures, now: int, held: int) -> Health:
    by_state = {state: counts.get((lane, state), (0, now)) for state in ("queued", "failed", "sending", "dead")}
    waiting = sum(by_state[state][0] for state in ("queued", "failed", "sending"))
    oldest = max(0, now - min(by_state[state][1] for state in ("queued", "failed", "sending"))) // SECOND
    facts: dict[str, str | int] = {
        "waiting": waiting,
        "oldest_s": oldest if waiting else 0,
        "dead": by_state["dead"][0],
    }
    facts |= {f"failed {code}": n for name, code, n in failures if name == lane}
    if held > now:
        facts["held_until"] = iso(held)
    state, reason = _judged(known, waiting, oldest, by_state["failed"][0], by_state["dead"][0], failures, lane)
    return Health(f"messages {lane}", state, reason, facts)


def _judged(
    known: bool, waiting: int, oldest: int, failed: int, dead: int, failures: Failures, lane: str
) -> tuple[State, str]:
    why = next((code for name, code, _ in failures if name == lane), "")
    if not known:
        return "bad", f"{waiting} messages wait for a channel that is not in the settings"
    if waiting and oldest > LATE:
        return "bad", f"the oldest of {waiting} messages waits for {oldest} s" + (f": {why}" if why else "")
    if dead:
        return "warn", f"{dead} messages are dead, most of them: {why}; `wanmi messages list --state dead` shows them"
    if failed:
        return "warn", f"{failed} messages failed and are tried again, most of them: {why}"
    return "fine", f"{waiting} waiting" if waiting else "nothing waits"
