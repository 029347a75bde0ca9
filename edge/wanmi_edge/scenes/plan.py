"""What scenes want, pure: which call has which display, and the next thing to tell a display. No I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import quote

from wanmi.device_kinds import PowerChanged
from wanmi.errors import BadInput
from wanmi_edge.scenes.rows import SceneSet, Trigger

WORDS = ("lon", "lat", "edge", "device", "name", "rule", "severity", "state", "ref")
"""What may stand in braces in a scene's page."""
_WORD = re.compile(r"\{([a-z]*)\}")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
BEFORE_AGAIN = 60.0
"""Seconds after which a display that was told to switch on and did not is told again."""


@dataclass(frozen=True)
class Call:
    """A call that stands: ``called_at`` and ``until`` µs UTC (0: until it is over)."""

    scene: str
    key: str
    why: str
    page: str
    called_at: int
    until: int


@dataclass(frozen=True)
class Alarmed:
    """An alarm that was raised or cleared (``state``), of a ``kind`` of device."""

    device: str
    kind: str
    rule: str
    severity: str
    state: str


@dataclass(frozen=True)
class Goal:
    """What a display shall do; ``scene`` empty: go back to what was. Empty input and page: leave them as they are."""

    scene: str
    key: str
    why: str
    power: str
    input: str
    page: str
    called_at: int = 0


@dataclass(frozen=True)
class Seen:
    """How a display is: its power's word (None: it does not say), what it can be told, whether it answers."""

    power: str | None
    commands: Collection[str]
    trouble: str = ""


@dataclass(frozen=True)
class Step:
    """The next thing: a command to give, or (``command`` empty) ``done``, or else something to wait for."""

    command: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    done: bool = False
    reason: str = ""


def need_scene(body: SceneSet) -> SceneSet:
    """The scene, or BadInput for one that could never work."""
    if not _NAME.fullmatch(body.scene):
        raise BadInput(f"scene {body.scene!r}: small letters, digits and hyphens, at most 40")
    if not body.displays or len(set(body.displays)) != len(body.displays):
        raise BadInput(f"scene {body.scene}: name the displays that it takes, each once")
    if not 0 <= body.priority <= 100 or not 0 <= body.minutes <= 7 * 24 * 60:
        raise BadInput(f"scene {body.scene}: priority is 0 to 100, minutes 0 to 10080")
    if body.page and not body.page.startswith(("http://", "https://")):
        raise BadInput(f"scene {body.scene}: page {body.page[:60]!r} is no http or https address")
    wrong = [word for word in _WORD.findall(body.page) if word not in WORDS]
    if wrong or "{" in _WORD.sub("", body.page):
        raise BadInput(f"scene {body.scene}: page has {wrong or 'a brace'}; it may hold {{{'} {'.join(WORDS)}}}")
    trigger = body.trigger
    if trigger.on == "alarm" and not set(trigger.states) <= {"raised", "cleared"}:
        raise BadInput(f"scene {body.scene}: states of an alarm are raised and cleared, not {' '.join(trigger.states)}")
    if not body.minutes and (trigger.on == "event" or (trigger.on == "alarm" and "cleared" in trigger.states)):
        raise BadInput(f"scene {body.scene}: what calls it has no end of its own; say minutes")
    return body


def fill_page(page: str, words: Mapping[str, str]) -> str:
    """The page with its words filled in, quoted for an address; a word that is not known is empty."""
    return _WORD.sub(lambda found: quote(words.get(found.group(1), ""), safe=""), page)


def calls_on_alarm(trigger: Trigger, alarm: Alarmed) -> bool:
    """Whether an alarm calls the scene."""
    return (
        trigger.on == "alarm"
        and alarm.state in (trigger.states or ["raised"])
        and _any(trigger.devices, alarm.device)
        and _any(trigger.kinds, alarm.kind)
        and (not trigger.rules or _fits(trigger.rules, alarm.rule))
        and _any(trigger.severities, alarm.severity)
    )


def watches_power(trigger: Trigger, power: PowerChanged) -> bool:
    """Whether a change of this device's power concerns the scene at all."""
    return trigger.on == "power" and _any(trigger.devices, power.device)


def calls_on_power(trigger: Trigger, power: PowerChanged) -> bool:
    """Whether it calls the scene: in one of its states; without any, not on mains."""
    wanted = trigger.states or ["battery", "low", "off"]
    return watches_power(trigger, power) and power.state in wanted


def calls_on_event(trigger: Trigger, event: str, severity: str) -> bool:
    """Whether an event that somebody told of calls the scene."""
    return trigger.on == "event" and _fits(trigger.events, event) and _any(trigger.severities, severity)


def goals(scenes: Mapping[str, SceneSet], calls: Iterable[Call]) -> dict[str, Goal]:
    """Which call has which display: the higher priority, then the newer call, then the name."""
    best: dict[str, tuple[tuple[int, int, str, str], Goal]] = {}
    for call in calls:
        scene = scenes.get(call.scene)
        if scene is None or not scene.enabled:
            continue
        rank = (scene.priority, call.called_at, call.scene, call.key)
        goal = Goal(
            call.scene, call.key, call.why, "on" if scene.power_on else "", scene.input, call.page, call.called_at
        )
        for display in scene.displays:
            if display not in best or best[display][0] < rank:
                best[display] = (rank, goal)
    return {display: goal for display, (_, goal) in best.items()}


def next_step(goal: Goal, seen: Seen, told: Collection[str]) -> Step:
    """What to tell a display next, of which ``told`` were done already for this goal. A display that changes is waited for."""
    if seen.trouble:
        return Step(reason=seen.trouble)
    if seen.power in ("warming", "cooling"):
        return Step(reason=f"it is {'warming up' if seen.power == 'warming' else 'cooling down'}")
    shows = bool(goal.input or goal.page)
    if shows or goal.power == "on":
        step = _switched_on(goal, seen, told)
        if step is not None:
            return step
        for name, args in (("input", {"input": goal.input}), ("show", {"url": goal.page})):
            if next(iter(args.values())) and name not in told and name in seen.commands:
                return Step(name, args)
    if goal.power == "off" and seen.power == "on" and "off" in seen.commands and "off" not in told:
        return Step("off")
    return Step(done=True, reason=_left_out(goal, seen))


def _switched_on(goal: Goal, seen: Seen, told: Collection[str]) -> Step | None:
    """Switch on, or wait until that has come about; None when it is on, or does not say and cannot be told."""
    if seen.power not in ("standby", "off"):
        return None
    if goal.power == "off":
        return Step(done=True, reason="it is off, as it was")
    if goal.power != "on" or "on" not in seen.commands:
        return Step(reason=f"it is {seen.power}, and the scene does not switch it on")
    return Step("on") if "on" not in told else Step(reason="it was told to switch on")


def _left_out(goal: Goal, seen: Seen) -> str:
    missing = [
        word for word, wanted in (("input", goal.input), ("show", goal.page)) if wanted and word not in seen.commands
    ]
    return f"this display knows no {' and '.join(missing)}" if missing else ""


def _fits(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _any(wanted: Collection[str], value: str) -> bool:
    return not wanted or value in wanted
