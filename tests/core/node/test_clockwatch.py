"""Clock steps become entries; time that only passes does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.clock import SECOND, ManualClock
from wanmi.errors import Conflict
from wanmi.node.clockwatch import ClockWatch, note_step
from wanmi.testing import small_node


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(-(10**12), 10**12)), max_size=20))
def test_exactly_the_steps_are_seen(moves: list[tuple[int, int]]) -> None:
    clock = ManualClock()
    watch = ClockWatch(clock)
    for passed, step in moves:
        clock.advance(passed)
        clock.step(step)
        seen = watch.look()
        assert watch.look() == seen, "told again until it is journaled"
        watch.follow(seen)
        assert abs(seen - (step if abs(step) > SECOND else 0)) <= 1000, "µs; floats of a monotonic clock round"


def test_a_step_is_journaled(tmp_path: Path) -> None:
    clock = ManualClock()
    with small_node(tmp_path / "n", clock=clock) as node:
        watch = ClockWatch(clock)
        clock.advance(100 * SECOND)
        assert asyncio.run(note_step(node, watch)) == 0
        clock.step(-90 * SECOND)
        assert asyncio.run(note_step(node, watch)) == -90 * SECOND
        (stored,) = node.journal.subject("clock:210102")
        assert stored.entry is not None
        assert stored.entry.body["step"] == -90 * SECOND
        assert stored.entry.body["source"] in ("none", "ntp"), "as this machine is kept"
        before = node.journal.entry("210102", 1)
        assert before is not None
        assert before.entry is not None
        assert stored.entry.at > before.entry.at, "a chain's time never goes back"


def test_a_step_that_cannot_be_journaled_now_is_journaled_later(tmp_path: Path) -> None:
    clock = ManualClock()
    with small_node(tmp_path / "n", clock=clock) as node:
        watch = ClockWatch(clock)
        clock.step(86_400 * SECOND)
        node.journal.hold("it lost its tail")
        with pytest.raises(Conflict):
            asyncio.run(note_step(node, watch))
        node.journal.release()
        assert asyncio.run(note_step(node, watch)) == 86_400 * SECOND
        assert asyncio.run(note_step(node, watch)) == 0
        assert len(node.journal.subject("clock:210102")) == 1
