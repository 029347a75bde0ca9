"""What is sent next: always the earliest-made report that is due, with pauses that grow."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wanmi_terminal.schedule import Item, Retry, Schedule

RETRY = Retry(unkept=10, kept=60, later=30, longest=100, settle=0)


def due(schedule: Schedule, now: float) -> list[str]:
    found = []
    while (item := schedule.next_due(now)) is not None:
        found.append(item.report_id)
        schedule.sent(item, now)
    return found


def filled(count: int) -> Schedule:
    schedule = Schedule(RETRY)
    for n in range(1, count + 1):
        schedule.add(n, f"r{n}", False, 0)
    return schedule


def test_order_and_growing_pauses() -> None:
    schedule = filled(3)
    assert due(schedule, 0) == ["r1", "r2", "r3"]
    assert due(schedule, 9.9) == []
    assert due(schedule, 10) == ["r1", "r2", "r3"]
    assert due(schedule, 29.9) == []
    assert due(schedule, 30) == ["r1", "r2", "r3"]
    for now, expected in ((69.9, 0), (70, 3), (149.9, 0), (150, 3), (249.9, 0), (250, 3), (349.9, 0), (350, 3)):
        assert len(due(schedule, now)) == expected, now


def test_kept_has_time_and_safe_has_done() -> None:
    schedule = filled(2)
    due(schedule, 0)
    schedule.kept("r1", 5)
    schedule.drop("r2")
    assert due(schedule, 64.9) == []
    assert due(schedule, 65) == ["r1"]


def test_a_reconnection_makes_everything_unkept_due_in_order() -> None:
    schedule = filled(3)
    due(schedule, 0)
    schedule.add(4, "r4", False, 1)
    schedule.kept("r2", 1)
    flying = schedule.next_due(1)
    assert flying is not None
    schedule.reconnected(2)
    assert due(schedule, 2) == ["r1", "r3", "r4"]


def test_a_want_is_met_at_once_and_then_with_pauses() -> None:
    schedule = filled(1)
    due(schedule, 0)
    schedule.want("r1", ("d",), 1)
    item = schedule.next_due(1)
    assert item is not None
    assert item.want == ("d",)
    schedule.want("r1", ("d",), 1)
    schedule.sent(item, 1)
    assert [len(due(schedule, now)) for now in (1.9, 2)] == [0, 1]


def test_what_another_edge_keeps_still_goes_to_this_one_once() -> None:
    schedule = filled(2)
    schedule.kept("r1", 0)
    assert due(schedule, 0) == ["r1", "r2"]


class Model(RuleBasedStateMachine):
    """However answers come: nothing is forgotten before it is dropped, and no report flies twice at once."""

    @initialize()
    def start(self) -> None:
        self.schedule = Schedule(RETRY)
        self.now = 0.0
        self.made = 0
        self.flying: dict[str, Item] = {}
        self.dropped: set[str] = set()

    @rule()
    def add(self) -> None:
        self.made += 1
        self.schedule.add(self.made, str(self.made), False, self.now)

    @rule()
    def take(self) -> None:
        item = self.schedule.next_due(self.now)
        if item is not None:
            assert item.report_id not in self.dropped
            self.flying[item.report_id] = item

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def taken_by_the_broker(self, data: st.DataObject) -> None:
        report_id = data.draw(st.sampled_from(sorted(self.flying)))
        self.schedule.sent(self.flying.pop(report_id), self.now)

    @precondition(lambda self: self.made)
    @rule(data=st.data(), answer=st.sampled_from(["kept", "later", "want", "drop"]))
    def answered(self, data: st.DataObject, answer: str) -> None:
        report_id = str(data.draw(st.integers(1, self.made)))
        if answer == "want":
            self.schedule.want(report_id, ("d",), self.now)
        elif answer == "drop":
            self.schedule.drop(report_id)
            self.dropped.add(report_id)
        else:
            getattr(self.schedule, answer)(report_id, self.now)

    @rule(seconds=st.floats(0, 200))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def reconnect(self) -> None:
        self.flying.clear()
        self.schedule.reconnected(self.now)

    @invariant()
    def everything_open_is_scheduled(self) -> None:
        assert {int(report_id) for report_id in self.schedule.items} == set(range(1, self.made + 1)) - {
            int(report_id) for report_id in self.dropped
        }

    def teardown(self) -> None:
        for item in self.flying.values():
            self.schedule.sent(item, self.now)
        seen: set[str] = set()
        for _ in range(20):
            self.now += 200
            seen.update(due(self.schedule, self.now))
        assert seen == {str(n) for n in range(1, self.made + 1)} - self.dropped


TestModel = Model.TestCase
