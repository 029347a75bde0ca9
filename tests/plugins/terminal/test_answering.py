"""A collector who answers by himself: never faster from place to place than he was told, so that nobody doubts his presence."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from support.live import ROOT, environment, until
from wanmi.coords import Point, distance_m
from wanmi.reports import Fix, Task, judge_presence
from wanmi_terminal.answering import AutoAnswer, Going, reached
from wanmi_terminal.maker import Draft, Place

HERE = Point(1_234_300_000, 417_900_000)
places = st.builds(Point, st.integers(1_234_250_000, 1_234_350_000), st.integers(417_850_000, 417_950_000))


class Walk(Going):
    """Time passes when he waits, at once."""

    def __init__(self, mps: float) -> None:
        super().__init__(mps, lambda: self.at)
        self.at = 0.0
        self.arrived: list[tuple[Point, float]] = []
        self._called_off = cast(Any, SimpleNamespace(wait=self._wait))

    def _wait(self, seconds: float) -> bool:
        self.at += seconds
        return False

    def go(self, to: Point) -> bool:
        there = super().go(to)
        self.arrived.append((to, self.at))
        return there


def fixes(arrived: Sequence[tuple[Point, float]]) -> list[Fix]:
    return [Fix(at, round(s * 1e6), round(s * 1e6), 4.0, satellites=9) for at, s in arrived]


@given(st.lists(places, min_size=2, max_size=8))
def test_nobody_doubts_that_he_was_there(stops: list[Point]) -> None:
    walk = Walk(20.0)
    assert [
        draft.place.point for draft in reached(iter([Draft("event", "0102", Place(at)) for at in stops]), walk)
    ] == stops
    for before, fix in itertools.pairwise(fixes(walk.arrived)):
        assert judge_presence(fix, fix.point, (before,)).grade == "fine"


def test_who_is_told_no_speed_is_there_at_once() -> None:
    walk = Walk(0.0)
    for lon in (1_234_300_000, 1_235_300_000):
        walk.go(Point(lon, 417_900_000))
    assert [seconds for _, seconds in walk.arrived] == [0.0, 0.0]
    assert judge_presence(fixes(walk.arrived)[1], walk.arrived[1][0], (fixes(walk.arrived)[0],)).grade == "absent"


def test_the_way_begins_where_he_was_last_however_long_ago() -> None:
    walk, to = Walk(10.0), Point(HERE.lon_e7 + 20_000, HERE.lat_e7)
    walk.go(HERE)
    walk.at += 5.0
    assert abs(walk.seconds_to(to) - (distance_m(HERE, to) / 10.0 - 5.0)) < 0.001
    walk.at += 500.0
    assert walk.seconds_to(to) == 0.0


def task(n: int, at: Point) -> Task:
    return Task(
        1, "T210102-0001", f"task-{n}", "open", "check", "0102", at.lon_e7, at.lat_e7, None, 9, 8, None, "21010201", 8
    )


class Kept:
    """Stands for the terminal: what was answered, and an inbox."""

    def __init__(self, *held: Task) -> None:
        self.said: list[str] = []
        self.inbox = SimpleNamespace(held=lambda _state: [SimpleNamespace(task=one) for one in held])

    def answer(self, task_id: str, _draft: object) -> None:
        self.said.append(task_id)


def test_what_he_is_on_his_way_to_at_the_end_stays_open() -> None:
    far = Point(HERE.lon_e7 + 2_000_000, HERE.lat_e7)
    kept = Kept(task(1, HERE))
    auto = AutoAnswer("yes", going=Going(1.0), terminal=cast(Any, kept))
    auto.begin()
    auto(task(2, far))
    auto(task(3, HERE))
    until(lambda: kept.said == ["task-1"])
    auto.end()
    assert kept.said == ["task-1"]
    assert "answers" not in {thread.name for thread in threading.enumerate()}


def test_a_terminal_on_duty_ends_in_order_where_ctrl_c_is_ignored(tmp_path: Path) -> None:
    """A shell ignores SIGINT for what it starts in the background: SIGTERM ends it just so."""
    home, gpx = tmp_path / "t", ROOT / "plugins" / "wanmi_demo" / "samples" / "walk.gpx"
    wanmi = [sys.executable, "-m", "wanmi.cli", "terminal"]
    subprocess.run([*wanmi, "init", home, "--id", "T210102-0001"], env=environment(), check=True, capture_output=True)
    walk = [*wanmi, "run", home, "--gpx", gpx, "--reports", "1", "--wait", "0", "--json", "--events", "--stay"]
    script = f"trap '' INT; exec {' '.join(map(str, walk))} --broker mqtt://127.0.0.1:9"
    with subprocess.Popen(["sh", "-c", script], env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "on_disk" in process.stdout.readline()
        process.terminate()
        summary, _ = process.communicate(timeout=20)
    assert '"new": 1' in summary
    assert process.returncode == 3
