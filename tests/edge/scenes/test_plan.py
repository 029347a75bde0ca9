"""What scenes want, as rules: who has a display, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.device_kinds import PowerChanged
from wanmi.errors import BadInput
from wanmi_edge.scenes.plan import (
    Alarmed,
    Call,
    Goal,
    Seen,
    calls_on_alarm,
    calls_on_event,
    calls_on_power,
    fill_page,
    goals,
    need_scene,
    next_step,
)
from wanmi_edge.scenes.rows import SceneSet, Trigger

HAND = Trigger("hand")
SCENE = SceneSet("map", "地图", "map", True, 50, HAND, ["D0001"], True, "", "https://n/map?lon={lon}", 0)
ALL = ("on", "off", "input", "show")
GOAL = Goal("map", "hand", "by hand", "on", "DIGITAL-1", "https://n/map", 1)


def scene(**changes: Any) -> SceneSet:
    return msgspec.structs.replace(SCENE, **changes)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"scene": "A b"}, "small letters"), ({"displays": []}, "name the displays"), ({"displays": ["D1", "D1"]}, "each once"),
        ({"priority": 101}, "priority"), ({"minutes": -1}, "minutes"), ({"page": "file:///x"}, "no http"),
        ({"page": "https://n/{who}"}, "who"), ({"page": "https://n/{lon"}, "brace"),
        ({"trigger": Trigger("event", events=["case.pressed"])}, "say minutes"),
        ({"trigger": Trigger("alarm", states=["cleared"])}, "say minutes"),
        ({"trigger": Trigger("alarm", states=["battery"])}, "raised and cleared"),
    ],
)  # fmt: skip
def test_scenes_that_could_never_work(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        need_scene(scene(**changes))
    assert need_scene(SCENE) == SCENE


def test_pages_are_filled_and_quoted() -> None:
    assert fill_page("https://n/{rule}?a={name}&b={lon}", {"rule": "a/b", "name": "沈&x"}) == (
        "https://n/a%2Fb?a=%E6%B2%88%26x&b="
    )


def test_triggers() -> None:
    alarm = Alarmed("D0001", "ups", "load.high", "critical", "raised")
    assert calls_on_alarm(Trigger("alarm"), alarm)
    assert calls_on_alarm(Trigger("alarm", rules=["load.*"], kinds=["ups"], severities=["critical"]), alarm)
    for no in (Trigger("alarm", rules=["lamp.*"]), Trigger("alarm", kinds=["gnss"]), Trigger("alarm", devices=["D0002"]),
               Trigger("alarm", severities=["notice"]), Trigger("alarm", states=["cleared"]), HAND):  # fmt: skip
        assert not calls_on_alarm(no, alarm)
    both = Trigger("alarm", states=["raised", "cleared"])
    assert all(calls_on_alarm(both, replace(alarm, state=state)) for state in ("raised", "cleared"))
    power = PowerChanged("D0001", "battery", "mains", 90, 20, "3")
    assert calls_on_power(Trigger("power"), power)
    assert not calls_on_power(Trigger("power", states=["low"]), power)
    assert not calls_on_power(Trigger("power"), msgspec.structs.replace(power, state="mains"))
    assert calls_on_event(Trigger("event", events=["case.*"]), "case.pressed", "notice")
    assert not calls_on_event(
        Trigger("event", events=["case.pressed"], severities=["critical"]), "case.pressed", "warning"
    )
    assert not calls_on_event(HAND, "case.pressed", "notice")


def test_the_higher_priority_has_a_display_then_the_newer_call() -> None:
    scenes = {"low": scene(scene="low", priority=10), "high": scene(scene="high", priority=90, displays=["D0001", "D0002"]),
              "off": scene(scene="off", priority=99, enabled=False)}  # fmt: skip
    old, new = Call("high", "a", "", "", 1, 0), Call("high", "b", "", "", 2, 0)
    low, off = Call("low", "c", "", "", 9, 0), Call("off", "d", "", "", 9, 0)
    assert {d: g.key for d, g in goals(scenes, [old, low, off, new]).items()} == {"D0001": "b", "D0002": "b"}
    assert {d: g.key for d, g in goals(scenes, [low, off]).items()} == {"D0001": "c"}
    assert goals(scenes, [Call("gone", "e", "", "", 1, 0)]) == {}


@given(
    st.lists(
        st.builds(
            Call, st.sampled_from("ab"), st.sampled_from("kl"), st.just(""), st.just(""), st.integers(0, 3), st.just(0)
        ),
        unique=True,
        max_size=6,
    ),
    st.randoms(),
)
def test_the_order_of_calls_does_not_matter(calls: list[Call], random: Any) -> None:
    scenes = {name: scene(scene=name) for name in "ab"}
    other = list(calls)
    random.shuffle(other)
    assert goals(scenes, calls) == goals(scenes, other)


def test_a_display_is_switched_on_waited_for_and_then_shown() -> None:
    told: set[str] = set()
    power, steps = "standby", []
    for _ in range(10):
        step = next_step(GOAL, Seen(power, ALL), told)
        steps.append(step.command or ("done" if step.done else step.reason))
        if step.done:
            break
        if step.command:
            told.add(step.command)
        power = {"standby": "warming", "warming": "on", "on": "on"}[power]
    assert steps == ["on", "it is warming up", "input", "show", "done"]


def test_what_stands_in_the_way_is_said() -> None:
    assert next_step(GOAL, Seen("on", ALL, "no route"), ()).reason == "no route"
    assert (
        next_step(replace(GOAL, power=""), Seen("standby", ALL), ()).reason
        == "it is standby, and the scene does not switch it on"
    )
    assert next_step(GOAL, Seen("standby", ALL), {"on"}).reason == "it was told to switch on"
    assert next_step(GOAL, Seen("on", ("on", "off", "input")), {"input"}).reason == "this display knows no show"
    assert next_step(GOAL, Seen(None, ("show",)), ()).command == "show", "a wall that does not say whether it is on"
    back = Goal("", "", "what was before", "off", "", "")
    assert next_step(back, Seen("on", ALL), ()).command == "off"
    assert next_step(back, Seen("standby", ALL), ()).done
    assert next_step(back, Seen("cooling", ALL), ()).reason == "it is cooling down"


@given(st.builds(Goal, st.sampled_from(["", "s"]), st.just("k"), st.just("w"), st.sampled_from(["", "on", "off"]), st.sampled_from(["", "A-1"]), st.sampled_from(["", "http://x"])),
       st.builds(Seen, st.sampled_from([None, "on", "off", "standby", "warming", "cooling", "unknown"]), st.sets(st.sampled_from(ALL)), st.sampled_from(["", "x"])),
       st.sets(st.sampled_from(ALL)))  # fmt: skip
def test_a_step_is_a_command_that_it_has_a_reason_or_the_end(goal: Goal, seen: Seen, told: set[str]) -> None:
    step = next_step(goal, seen, told)
    if step.command:
        assert step.command in seen.commands
        assert step.command not in told
        assert not seen.trouble
        assert seen.power not in ("warming", "cooling")
    else:
        assert step.done or step.reason
