"""A change ordered by the district, with the power cut at every durable step: it ends as it must, and says so once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.node.edge_lives import EdgeLives, Power
from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotFound
from wanmi.node import Node, give_up, run_action
from wanmi.node.tasks import TaskState
from wanmi.node.trial import KEPT, MOST_STARTS, Trial, at_start, begin_start, read_trial, write_trial
from wanmi.settings import FILE
from wanmi.testing import replay_differences

STEPS = 11
"""Durable steps of a change that is taken back, from the file that stages it to that file's end; one that holds has one less."""
TEXTS = st.sampled_from(("old = 1\n", "new = 1\n", "hand = 1\n"))


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeLives]:
    made = EdgeLives(tmp_path_factory.mktemp("street"))
    yield made
    made.close()


def level(lives: EdgeLives) -> str:
    return str(tomllib.loads(lives.text).get("log", {}).get("level", "info"))


def other(value: str) -> str:
    return "debug" if value != "debug" else "warning"


def ordered(lives: EdgeLives, *, deaf: bool) -> tuple[str, str, str]:
    """A change that leaves the uplink alone, or cuts it: its id, the file before, the value that it brings."""
    old = level(lives)
    new = other(old)
    lives.works = lambda file: not deaf or file.get("log", {}).get("level", "info") != new
    change = lives.order("log.level", old, new)
    lives.bring_orders()
    return change, lives.text, new


def test_a_change_says_each_step_once(lives: EdgeLives) -> None:
    for deaf, end in ((False, "confirmed"), (True, "rolled_back")):
        change, before, new = ordered(lives, deaf=deaf)
        power = Power()
        lives.live_on(power)
        assert lives.said(change) == ["staged", "tried", end]
        assert lives.state(change)["state"] == end
        assert (level(lives) == new, lives.text == before) == (not deaf, deaf)
        assert power.moments == STEPS - (not deaf)


@pytest.mark.parametrize("deaf", [False, True])
def test_a_cut_at_any_moment_changes_nothing_of_the_end(lives: EdgeLives, deaf: bool) -> None:
    for moment in range(1, STEPS + 1):
        change, before, new = ordered(lives, deaf=deaf)
        lives.live_on(Power(moment))
        end = "rolled_back" if deaf else "confirmed"
        assert (moment, lives.said(change)) == (moment, ["staged", "tried", end])
        assert lives.state(change)["state"] == end
        assert (level(lives) == new, lives.text == before) == (not deaf, deaf)
    with Node.open(lives.dir, clock=lives.clock) as edge:
        assert replay_differences(edge) == []
    assert replay_differences(lives.district) == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deaf=st.booleans(), cuts=st.sets(st.integers(1, 25), max_size=6), step=st.integers(-5000, 5000))
def test_many_cuts_and_a_clock_that_steps(lives: EdgeLives, deaf: bool, cuts: set[int], step: int) -> None:
    change, before, new = ordered(lives, deaf=deaf)
    lives.clock.step(step * SECOND // 10)
    lives.live_on(Power(*cuts))
    said = lives.said(change)
    assert said[-1] in {"rolled_back", "confirmed"}
    assert len(said) == len(set(said))
    assert said[-1] == "rolled_back" or not deaf
    assert lives.text == before if said[-1] == "rolled_back" else level(lives) == new
    assert lives.state(change)["state"] == said[-1]
    assert read_trial(lives.dir) is None


@given(phases=st.lists(st.sampled_from(("start", "give_up", "confirm")), max_size=12), text=TEXTS)
def test_a_start_has_the_new_settings_only_while_they_are_tried(phases: list[str], text: str) -> None:
    trial: Trial | None = Trial("210102", "1", "p", "trying", "old = 1\n", "new = 1\n", 10)
    tries = 0
    for phase in phases:
        assert trial is not None
        if phase == "start":
            trial, text = at_start(trial, text)
            assert trial is not None
            tries += trial.phase == "trying"
            assert trial.phase == "confirmed" or text == (trial.after if trial.phase == "trying" else trial.before)
        elif trial.phase == "trying" and tries:
            trial = trial.to("giving_up" if phase == "give_up" else "confirmed", "because")
    assert tries <= MOST_STARTS


@given(text=TEXTS)
def test_what_is_only_staged_is_dropped_where_the_file_is_another(text: str) -> None:
    trial = Trial("210102", "1", "p", "staged", "old = 1\n", "new = 1\n", 10)
    assert at_start(trial, text) == ((trial if text == trial.before else None), text)


def test_two_changes_wait_for_one_another(lives: EdgeLives) -> None:
    lives.works = lambda _: True
    old = level(lives)
    first = lives.order("log.level", old, other(old))
    second = lives.order("watch.hook", 10.0, 11.5)
    third = lives.order("log.level", old, "error")
    lives.bring_orders()
    lives.live_on(Power())
    assert [lives.state(one)["state"] for one in (first, second, third)] == ["confirmed", "confirmed", "refused"]
    assert f'is "{other(old)}" here' in lives.state(third)["reason"]
    assert tomllib.loads(lives.text)["watch"]["hook"] == 11.5


def test_what_comes_too_late_is_refused(lives: EdgeLives) -> None:
    lives.works = lambda _: True
    change = lives.order("log.level", level(lives), other(level(lives)), expires_in=60)
    lives.clock.advance(61 * SECOND)
    assert lives.state(change)["state"] == "lapsed"
    lives.live_on(Power())
    assert (lives.state(change)["state"], lives.said(change)) == ("refused", ["refused"])


def test_no_node_opens_with_it(lives: EdgeLives) -> None:
    change, before, _ = ordered(lives, deaf=False)
    with pytest.raises(AssertionError):
        lives.live_on(Power(), lives=1)
    begin_start(lives.dir)
    assert lives.text != before
    assert give_up(lives.dir, "the port is taken")
    lives.live_on(Power())
    assert (lives.text, lives.said(change)) == (before, ["staged", "rolled_back"])
    assert lives.state(change)["reason"] == "the port is taken"


def test_what_was_written_by_hand_meanwhile_is_kept_beside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("hand = 1\n")
    write_trial(tmp_path, Trial("210102", "1", "p", "giving_up", "old = 1\n", "new = 1\n", 10))
    begin_start(tmp_path)
    assert ((tmp_path / FILE).read_text(), (tmp_path / KEPT).read_text()) == ("old = 1\n", "hand = 1\n")


@pytest.mark.parametrize(
    ("key", "old", "new", "why"),
    [
        ("log.level", "info", "loud", "log.level: Input should be"),
        ("log.nothing", 1, 2, "no such setting"),
        ("log", "a", "b", "name a setting as section.key"),
        ("nobody.at", 1, 2, "no plugin of an edge"),
        ("edge.mqtt.port", 0, 99_999, "edge.mqtt.port: Input should be"),
        ("edge.mqtt", "a", "b", "no such setting"),
        ("node.code", "21010201", "21010202", "says who this node is"),
        ("database.url", "", "sqlite://", "may be a secret"),
        ("edge.mqtt.listen", "a", "mqtt://me:word@host", "may be a secret"),
        ("log.level", "debug", "debug", "is the old one"),
        ("log.level", "debug", None, "cannot be unset"),
        ("link.parent", "", "tcp://127.0.0.1:1/210103?sign=" + "00" * 32 + "&curve=" + "00" * 32, "parent is 210102"),
        ("link.parent", "", "somewhere", "not of the form"),
        ("web.names", [], [{"a": 1}], "only texts, numbers"),
    ],
)
def test_what_cannot_be_is_refused_at_the_district(
    lives: EdgeLives, key: str, old: object, new: object, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        lives.order(key, old, new)


def test_orders_are_for_edges_of_ones_own(lives: EdgeLives) -> None:
    with pytest.raises(NotFound, match="no node that is admitted here"):
        list(run_action(lives.district, "settings.order", {"edge": "21010299"}))


def test_a_task_that_fails_with_the_new_settings_is_no_proof(lives: EdgeLives) -> None:
    """It fails, waits, runs for a moment, fails again: the moment between tells nothing, the uplink alone neither."""
    change, before, _ = ordered(lives, deaf=False)
    lives.tasks = lambda file, second: (
        [TaskState("broker", "edge", "running" if second % 2 else "waiting", 3)]
        if file.get("log", {}).get("level", "info") != tomllib.loads(before).get("log", {}).get("level", "info")
        else []
    )
    lives.live_on(Power())
    lives.tasks = lambda _file, _second: []
    assert lives.text == before
    assert lives.state(change)["reason"] == "failed with the new settings for 5 s: broker"
