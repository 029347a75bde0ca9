"""Very many cases with their histories, written through the journal of a real node; the same seed, the same cases.

Arrivals follow ``arrivals.json`` (hours of a day, types, times to close, duplicates) at 2,500 cases a day. A case that
is walked goes the whole way from the report to its closing, with ``case.became_overdue`` where a clock ran out; a
duplicate, and a case that is not walked, is not accepted (two entries). What would lie in the future is not written:
those cases are open. The fast path: a thousand drafts a call of ``Journal.append``, bodies filled in here from the
step table instead of decided one by one.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from wanmi.case_kinds import CaseBecameOverdue, CaseStepped, ClockEffect, Limit
from wanmi.cases import StepTable
from wanmi.clock import ManualClock
from wanmi.codes import Profile
from wanmi.kinds import Attachment, CaseOpened
from wanmi.node import Node
from wanmi.registry import Draft

A_DAY = 2_500
MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BATCH = 1_000
DISTRICT = "210102"
DEPARTMENTS = tuple(f"dep-{n}" for n in range(1, 41))
ZONE = timezone(timedelta(hours=8))
LIMITS = {
    "dispatch": (Limit(15, "natural_minute"), 15 * MINUTE),
    "department": (Limit(7, "natural_day"), 7 * DAY),
    "check": (Limit(30, "natural_minute"), 30 * MINUTE),
}
PHOTO = Attachment("photo", "ab" * 32, 180_000, "image/jpeg", "cd" * 32)
WALK = (
    ("accept", "o-1", 4 * MINUTE, 0.0),
    ("file", "l-1", 8 * MINUTE, 0.0),
    ("dispatch", "c-1", 14 * MINUTE, 0.0),
    ("take", "d-1", 14 * MINUTE, 0.1),
    ("answer", "d-1", 14 * MINUTE, 0.8),
    ("pass_on", "c-1", 14 * MINUTE, 0.9),
    ("send_check", "o-1", 14 * MINUTE, 1.0),
    ("answer_check_passed", "T210102-0001", 29 * MINUTE, 1.0),
    ("propose_close", "o-1", 34 * MINUTE, 1.0),
    ("close", "l-1", 39 * MINUTE, 1.0),
)
"""Steps of the whole way: who takes them, and when: so long after opening plus a share of the time to handle."""
POSTS = {"o": "operator", "l": "shift_leader", "c": "dispatcher", "d": "department", "T": "collector"}


@lru_cache(maxsize=1)
def arrivals() -> dict[str, Any]:
    """The profile of arrivals with its source."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("arrivals.json").read_text(encoding="utf-8"))
    return found


def _photo(number: str) -> Attachment:
    """A photo of a case: no two cases have one blob."""
    return msgspec.structs.replace(PHOTO, blob=sha256(number.encode()).hexdigest())


@dataclass
class Life:
    """A case while it is written."""

    number: str
    opened_at: int
    handling: int
    department: str
    walked: bool
    state: str = "reported"
    dispatched: bool = False
    clock: str | None = "accept"
    deadline: int | None = None
    told: int | None = None


@dataclass
class Written:
    """What was written."""

    cases: int = 0
    entries: int = 0
    whole: list[str] = field(default_factory=list)
    """Some numbers of closed cases."""
    seconds: float = 0.0
    """How long it took."""


class Town:
    """Writes the life of cases up to the time ``end`` (µs UTC)."""

    def __init__(self, cases: int, end: int, *, seed: int, walked: float) -> None:
        self._random = Random(seed)
        self._profile = arrivals()
        self._cases = cases
        self._end = end
        self._walked = walked
        self._steps = StepTable.load()
        self._ref = Profile.load().ref
        self._queue: list[tuple[int, int, Life, int]] = []
        self._last: dict[str, str] = {}
        self._communities = [f"{DISTRICT}{n // 12 + 1:03d}{n % 12 + 1:03d}" for n in range(120)]
        self.written = Written()

    def drafts(self) -> Iterator[tuple[int, Draft]]:
        """Every entry with its time, in order of time."""
        for n, (at, day, day_seq) in enumerate(self._times()):
            yield from self._due(at)
            life, body = self._open(at, day, day_seq)
            heapq.heappush(self._queue, (self._next_at(life, 0), n, life, 0))
            self.written.cases += 1
            yield at, Draft("case.opened", f"case:{life.number}", body, by="casework@0")
        yield from self._due(self._end)

    def _times(self) -> Iterator[tuple[int, str, int]]:
        """Times of arrival: (µs UTC, local day, number within the day)."""
        days = -(-self._cases // A_DAY)
        midnight = datetime.fromtimestamp(self._end / 1e6, ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        left, hours = self._cases, range(24)
        for back in range(days, 0, -1):
            day = midnight - timedelta(days=back)
            start, count = int(day.timestamp()) * 1_000_000, min(A_DAY, left)
            left -= count
            drawn = self._random.choices(hours, self._profile["hour_share"], k=count)
            times = sorted(start + hour * HOUR + self._random.randrange(HOUR) for hour in drawn)
            for seq, at in enumerate(times, 1):
                yield at, day.strftime("%Y%m%d"), seq

    def _open(self, at: int, day: str, day_seq: int) -> tuple[Life, CaseOpened]:
        random, types = self._random, self._profile["types"]
        kind = random.choices(types, [one["share"] for one in types])[0]
        duplicate = random.random() < self._profile["duplicates"]
        number = f"{DISTRICT}-{'E' if kind['kind'] == 'event' else 'C'}{kind['category']}-{day}-{day_seq:04d}"
        earlier = self._last.get(kind["category"])
        self._last[kind["category"]] = number
        similar = [earlier] if duplicate and earlier else []
        hours = _quantile(self._profile["quantiles"], kind["hours_to_close"], random.random())
        walked = not similar and random.random() < self._walked
        life = Life(number, at, max(int(hours * HOUR), HOUR) - 39 * MINUTE, random.choice(DEPARTMENTS), walked)
        body = CaseOpened(
            number, DISTRICT, day, day_seq, kind["kind"], kind["category"], self._ref, None,
            f"{random.choice(self._communities)}{random.randrange(1, 31):03d}", "g1",
            1_234_000_000 + random.randrange(900_000), 417_800_000 + random.randrange(700_000), "collector",
            f"T{DISTRICT}-{random.randrange(1, 301):04d}", f"{at:026d}", None, at - random.randrange(1, 90) * 1_000_000,
            "collect", "reported", similar, [PHOTO],
        )  # fmt: skip
        return life, body

    def _next_at(self, life: Life, index: int) -> int:
        if not life.walked:
            return life.opened_at + 4 * MINUTE
        _, _, later, share = WALK[index]
        return life.opened_at + later + int(life.handling * share)

    def _due(self, until: int) -> Iterator[tuple[int, Draft]]:
        queue = self._queue
        while queue and queue[0][0] < until:
            at, n, life, index = heapq.heappop(queue)
            if life.deadline is not None and at > life.deadline != life.told:
                life.told = life.deadline
                heapq.heappush(queue, (at, n, life, index))
                yield life.deadline, self._overdue(life)
                continue
            yield at, self._step(life, at, WALK[index][:2] if life.walked else ("reject", "o-1"))
            if life.walked and index + 1 < len(WALK):
                when = self._next_at(life, index + 1)
                late = life.deadline is not None and life.deadline < when
                heapq.heappush(queue, (life.deadline + 1 if late and life.deadline else when, n, life, index + 1))

    def _overdue(self, life: Life) -> Draft:
        assert life.clock is not None
        assert life.deadline is not None
        return Draft("case.became_overdue", f"case:{life.number}", CaseBecameOverdue(life.clock, life.deadline))

    def _step(self, life: Life, at: int, taken: tuple[str, str]) -> Draft:
        name, actor = taken
        step, before = self._steps.step(name), life.state
        effects = []
        for effect in step.effects(at):
            if effect.what == "stop" and effect.clock != life.clock:
                continue
            effects.append(effect)
            _run(life, effect)
        post = POSTS[actor[0]]
        target = self._steps.states[step.to]
        life.state = step.to
        life.dispatched = life.dispatched or name == "dispatch"
        limit = LIMITS[life.clock] if life.clock else None
        body = CaseStepped(
            step=name, from_state=before, state=step.to, stage=target.stage, final=target.final,
            axis=self._steps.axis(post), post=post, unit=life.department if post == "department" else None,
            opinion="现场已核对，按规定办理", department=life.department if life.dispatched else None, collector=None,
            clock=life.clock, limit=limit[0] if limit else None, deadline=life.deadline,
            warn=life.deadline - limit[1] // 5 if limit and life.deadline else None, clocks=effects,
            counts=list(step.counts), fields={}, attachments=[_photo(life.number)] if name.startswith("answer") else [], reason=None,
        )  # fmt: skip
        if name == "close" and len(self.written.whole) < 20_000:
            self.written.whole.append(life.number)
        return Draft("case.stepped", f"case:{life.number}", body, actor=actor, by="casework@0")


def _run(life: Life, effect: ClockEffect) -> None:
    if effect.what == "stop":
        life.clock, life.deadline = None, None
    else:
        life.clock, life.deadline = effect.clock, effect.at + LIMITS[effect.clock][1]


def _quantile(probabilities: list[float], values: list[float], u: float) -> float:
    """Between the quantiles that are known, in a straight line."""
    xs, ys = [0.0, *probabilities, 1.0], [0.0, *values, values[-1]]
    n = next(n for n in range(1, len(xs)) if u <= xs[n])
    return max(ys[n - 1] + (ys[n] - ys[n - 1]) * (u - xs[n - 1]) / (xs[n] - xs[n - 1]), 0.0)


def write_cases(node: Node, cases: int, *, seed: int = 1, walked: float = 1.0) -> Written:
    """Write cases that end now, through the node's journal; its clock must be a ManualClock and ends at now."""
    clock = node.clock
    assert isinstance(clock, ManualClock)
    end = int(datetime.now(UTC).timestamp()) * 1_000_000
    town = Town(cases, end, seed=seed, walked=walked)
    batch: list[Draft] = []
    first, pending = 0, None
    for at, draft in town.drafts():
        first = first or at
        batch.append(draft)
        if len(batch) == BATCH:
            pending = _append(node, clock, first, batch, pending)
            batch, first = [], 0
    if batch:
        pending = _append(node, clock, first, batch, pending)
    if pending is not None:
        pending.result()
    clock.advance(max(end - clock.now(), 0))
    town.written.entries = node.journal.cursor(node.code).seq
    return town.written


def _append(node: Node, clock: ManualClock, at: int, batch: list[Draft], pending: Any) -> Any:
    """Hand a batch over while the one before is still being written."""
    if pending is not None:
        pending.result()
    clock.advance(max(at - clock.now(), 0))
    return node.journal.append(*batch)
