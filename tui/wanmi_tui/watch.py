"""Watches a node: reads the topics that a screen shows, listens for hints, backs off when nobody answers.

One request at a time for each node: a slow link is not filled with questions. What was read stays while the node is
away, and is told as old.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec

from wanmi.clock import Clock
from wanmi.devices import Pace
from wanmi.errors import BadEntry
from wanmi_tui.client import NodeClient, Refused, Unreached
from wanmi_tui.state import SEEN, Answered, NodeState, TailLine
from wanmi_tui.topics import ALWAYS, HEADS, Topic
from wanmi_tui.wire import Device, Devices, RawEntry
from wanmi_tui.words import T, Text

PACE = Pace(first=1.0, longest=30.0, breaker=99)
ABSENT_AGAIN = 60.0
"""Seconds after which a route that was not there is asked for again: the node may have been updated."""
TAIL_FIRST = 100
"""Entries of the tail that are read at first."""
TAIL_STEP = 200


class Watch:
    """Watches one node until cancelled. ``changed`` is called, in the loop, when something to show has changed."""

    def __init__(self, client: NodeClient, clock: Clock, changed: Callable[[], None]) -> None:
        self.client = client
        self.state = NodeState(client.url)
        self.paused = False
        self.tails = False
        self._clock = clock
        self._changed = changed
        self._wanted: tuple[Topic[Any], ...] = ()
        self._woken = asyncio.Event()
        self._position: int | None = None

    def want(self, topics: Iterable[Topic[Any]], tail: bool = False) -> None:
        """Read these from now on, and the journal's tail or not."""
        self._wanted = tuple(dict.fromkeys((*ALWAYS, *topics)))
        self.tails = tail
        self._woken.set()

    def refresh(self) -> None:
        """Read everything that is wanted once more, now."""
        for name, answer in self.state.answers.items():
            self.state.answers[name] = _due_now(answer)
        self.state.retry = 0.0
        self._woken.set()

    def pause(self, paused: bool) -> None:
        """Read nothing for a while."""
        self.paused = paused
        self._woken.set()

    async def run(self) -> None:
        """Watch."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                wait = await self._look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), wait)
                self._woken.clear()
        finally:
            listening.cancel()
            await self.client.close()

    async def _look(self) -> float:
        """Read what is due; seconds until something is due again."""
        if self.paused:
            return 3600.0
        now = time.monotonic()
        try:
            for topic in self._wanted:
                if self.state.answered(topic).due <= now:
                    await self._read(topic, now)
            if self.tails:
                await self._read_tail()
        except Unreached as error:
            return self._lost("lost", error.why, error.facts)
        except Refused as error:
            return self._lost(
                "refused", T.token_refused if error.status == 401 else Text("{w}", "{w}"), {"w": error.detail}
            )
        next_due = min((self.state.answered(topic).due for topic in self._wanted), default=now + 5)
        return max(next_due - time.monotonic(), 0.05)

    async def _read(self, topic: Topic[Any], now: float) -> None:
        before = self.state.answered(topic)
        try:
            value = await self.client.get(topic.path, topic.kind)
        except Refused as error:
            if error.status in {401, 502, 503, 504}:
                raise
            absent = error.status == 404
            answer = Answered(
                None if absent else before.value, absent, "" if absent else error.detail, now + ABSENT_AGAIN
            )
        else:
            answer = Answered(value, due=now + topic.every)
            self._note_trends(value)
        self._reached()
        self.state.answers[topic.name] = answer
        if answer.value != before.value or (answer.absent, answer.problem) != (before.absent, before.problem):
            self._changed()

    def _note_trends(self, value: object) -> None:
        devices = value.devices if isinstance(value, Devices) else [value] if isinstance(value, Device) else []
        for device in devices:
            for part in device.parts:
                for reading in part.readings:
                    if isinstance(reading.value, float | int):
                        self.trend(device.id, part.part, reading.name).append(float(reading.value))

    def trend(self, device: str, part: str, reading: str) -> deque[float | None]:
        """The last values of a reading that were seen."""
        return self.state.trends.setdefault((device, part, reading), deque(maxlen=SEEN))

    def _reached(self) -> None:
        state = self.state
        state.heard_at, state.failures, state.retry, state.why = self._clock.now(), 0, 0.0, None
        if state.reach != "up":
            state.reach = "up"
            self._changed()

    def _lost(self, reach: Any, why: Text, facts: dict[str, object]) -> float:
        state = self.state
        state.failures += 1
        state.reach, state.why, state.facts = reach, why, facts
        state.retry = PACE.delay(state.failures, 0.5)
        for name, answer in state.answers.items():
            state.answers[name] = _due_now(answer)
        self._changed()
        return state.retry

    async def _read_tail(self) -> None:
        """The own chain's newest entries: from where it was read to, or the last hundred."""
        heads = self.state.get(HEADS)
        code = self.state.code
        held = next((chain.seq for chain in heads.chains if chain.origin == code), 0) if heads is not None else 0
        tail = self.state.tail
        if tail and tail[-1].seq > held:
            tail.clear()
        after = tail[-1].seq if tail else max(held - TAIL_FIRST, 0)
        if after >= held:
            return
        piece = await self.client.entries(code, max(after, held - TAIL_STEP), TAIL_STEP)
        tail.extend(tail_line(one) for one in piece.entries)
        self._changed()

    async def _listen(self) -> None:
        """Hints of the node's stream; without them the topics' own pace has to do."""
        failures = 0
        while True:
            try:
                async for hint in self.client.hints(self._position):
                    failures, self._position, self.state.hints = 0, hint.pos, True
                    self._hinted(hint.kind)
            except Refused as error:
                self._position = None if error.status == 422 else self._position
            except Unreached:
                pass
            self.state.hints = False
            failures += 1
            await asyncio.sleep(PACE.delay(failures, 0.5))

    def _hinted(self, kind: str) -> None:
        due = [topic for topic in self._wanted if topic.hinted and kind.startswith(topic.hinted)]
        for topic in due:
            self.state.answers[topic.name] = _due_now(self.state.answered(topic))
        if due:
            self._woken.set()


def _due_now(answer: Answered[Any]) -> Answered[Any]:
    return Answered(answer.value, answer.absent, answer.problem, 0.0)


def tail_line(entry: RawEntry) -> TailLine:
    """An entry of the tail; what the node is not addressed by has its digest only."""
    from wanmi.entries import decode_trusted

    if entry.raw is None:
        return TailLine(entry.seq, 0, "", "", "", "", entry.hash)
    try:
        told = decode_trusted(base64.b64decode(entry.raw))
    except (BadEntry, ValueError) as error:
        return TailLine(entry.seq, 0, "?", "", "", str(error), entry.hash)
    body = msgspec.json.encode(told.body).decode()
    return TailLine(entry.seq, told.at, told.kind, told.subject, told.actor or told.by, body, entry.hash)
