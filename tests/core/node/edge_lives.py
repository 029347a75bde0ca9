"""An edge in many lives: each ends by a restart that it asks for, or by a power cut right after a durable step.

What is durable right before the next step is the same, so nothing is cut there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from wanmi.clock import SECOND, ManualClock
from wanmi.journal import Journal
from wanmi.node import Node, begin_start, run_action
from wanmi.node import probation as probation_module
from wanmi.node import trial as trial_module
from wanmi.node.probation import Changes
from wanmi.node.tasks import TaskState
from wanmi.registry import Draft, Stored
from wanmi.settings import FILE
from wanmi.testing import carry, small_city

PROBATION = 5
ANSWERS = ("settings.staged", "settings.tried", "settings.refused", "settings.confirmed", "settings.rolled_back")


class Cut(BaseException):
    """The power is gone."""


class Power:
    """Counts durable steps, and cuts after those that were chosen."""

    def __init__(self, *cuts: int) -> None:
        self.moments = 0
        self.cuts = set(cuts)

    def step(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **named: Any) -> Any:
            result = work(*args, **named)
            if isinstance(result, Future):
                result.result()
            self._pass()
            return result

        return done

    def _pass(self) -> None:
        self.moments += 1
        if self.moments in self.cuts:
            raise Cut


@contextmanager
def powered(power: Power) -> Iterator[None]:
    """While every durable step of a settings change counts: files, entries."""
    append = Journal.append

    def append_said(journal: Journal, *drafts: Draft, **named: Any) -> Future[list[Stored]]:
        said = any(draft.kind in ANSWERS for draft in drafts)
        result: Future[list[Stored]] = (power.step(append) if said else append)(journal, *drafts, **named)
        return result

    with ExitStack() as stack:
        stack.enter_context(patch.object(trial_module, "replace_file", power.step(trial_module.replace_file)))
        for module in (trial_module, probation_module):
            stack.enter_context(patch.object(module, "remove_trial", power.step(trial_module.remove_trial)))
        stack.enter_context(patch.object(Journal, "append", append_said))
        yield


class EdgeLives:
    """A district and its edge; the edge's process begins and ends as a test wants."""

    def __init__(self, dir: Path) -> None:
        self.clock = ManualClock()
        nodes = small_city(dir, clock=self.clock)
        nodes.city.close()
        nodes.edge.close()
        self.district, self.dir = nodes.district, nodes.edge.dir
        self.works: Callable[[dict[str, Any]], bool] = lambda _: True
        self.tasks: Callable[[dict[str, Any], int], list[TaskState]] = lambda _file, _second: []
        self._exchanged: object = None

    def close(self) -> None:
        self.district.close()

    @property
    def text(self) -> str:
        return (self.dir / FILE).read_text(encoding="utf-8")

    def order(self, key: str, old: object, new: object, **more: int) -> str:
        args = {"edge": "21010201", "changes": [{"key": key, "old": old, "new": new}], "probation": PROBATION, **more}
        *_, told = run_action(self.district, "settings.order", args)
        assert isinstance(told, dict)
        return str(told["orders"][0]["change"])

    def state(self, change: str) -> dict[str, Any]:
        *_, told = run_action(self.district, "settings.orders", {"change": change})
        assert isinstance(told, dict)
        return dict(told["orders"][0])

    def bring_orders(self) -> None:
        """What was ordered comes down before anything happens to the link."""
        with Node.open(self.dir, clock=self.clock) as edge:
            carry(self.district, edge)

    def live_on(self, power: Power, lives: int = 12) -> None:
        """Lives until nothing is under way any more; what the edge says goes up where its uplink works."""
        with powered(power):
            for _ in range(lives):
                try:
                    begin_start(self.dir)
                    if self._one_life():
                        return
                except Cut:
                    continue
        raise AssertionError("it never ends")

    def _one_life(self) -> bool:
        """True when the edge has nothing left to do."""
        with Node.open(self.dir, clock=self.clock) as edge:
            asked: list[str] = []
            with patch.object(edge, "restart", asked.append):
                changes = Changes(edge)
                for second in range(PROBATION + 5):
                    self._exchange(edge)
                    with patch.object(edge, "task_states", partial(self.tasks, tomllib.loads(self.text), second)):
                        changes.turn()
                    if asked:
                        return False
                    if changes.idle:
                        self._exchange(edge)
                        return True
                    self.clock.advance(SECOND)
        return False

    def _exchange(self, edge: Node) -> None:
        if not self.works(tomllib.loads(self.text)):
            return
        heads = (edge.journal.cursor(edge.code), self.district.journal.cursor(self.district.code))
        if heads == self._exchanged:
            return
        self._exchanged = heads
        carry(self.district, edge)
        carry(edge, self.district)
        cosign = self.district.journal.cosign(edge.code)
        assert cosign is not None
        edge.journal.note_cosign(cosign).result()

    def said(self, change: str) -> list[str]:
        """What the edge journaled of a change."""
        with Node.open(self.dir, clock=self.clock) as edge:
            entries = [one.entry for one in edge.journal.read(edge.code, 0, limit=10_000) if one.entry is not None]
        mine = [one for one in entries if one.kind in ANSWERS and one.body["change_id"] == change]
        return [one.kind.removeprefix("settings.") for one in mine]
