"""Whatever is asked in whatever order: one state, no both-axes actor, every merge undone, entries add up to the case."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.cases.worked import HOUR, LIMIT, PHOTO, WAY, Worked
from wanmi.cases import Ask, StepTable, fold_all, may_now
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound

TABLE = StepTable.load()
STEPS = st.sampled_from(sorted(TABLE.steps))
POSTS = st.sampled_from(sorted(TABLE.posts))
ACTORS = st.sampled_from(["p-1", "p-2", "p-3", "p-4", "T210102-0001"])
DEPARTMENTS = st.sampled_from(["dep-1", "dep-1", "dep-2", "dep-3"])
UNITS = st.sampled_from(["dep-1", "dep-2", None])
CAST = (
    ("p-op", "operator", None), ("p-lead", "shift_leader", None), ("p-disp", "dispatcher", None),
    ("p-dep", "department", "dep-1"), ("p-other", "department", "dep-2"), ("T210102-0001", "collector", None),
    ("p-ass", "assessor", None), ("p-sup", "supervisor", None), ("p-1", "operator", None), ("p-1", "dispatcher", None),
)  # fmt: skip
"""People who mostly keep to their posts; ``p-1`` does not."""
WHO = st.sampled_from(CAST)
ENDS_EARLY = {"give_up", "reject"}
REFUSALS = (NotAllowed, BadInput, Conflict, NotFound)


class CaseMachine(RuleBasedStateMachine):
    """Two cases of one node; anybody tries anything."""

    @initialize(source=st.sampled_from(["collector", "hotline"]), steps=st.integers(0, 9))
    def open(self, source: str, steps: int) -> None:
        """One case some way along, one fresh."""
        self.asked = self.opened = 0
        self.told: list[str] = []
        self.cases = [self._fresh("collector", steps), self._fresh(source, 0)]

    @rule(which=st.integers(0, 1), steps=st.integers(0, 10))
    def turn_to_another(self, which: int, steps: int) -> None:
        """The desk turns to another case, some way along."""
        self.cases[which] = self._fresh("collector", steps)

    def _fresh(self, source: str, steps: int) -> Worked:
        self.opened += 1
        number = f"210102-E0102-20261124-{self.opened:04d}"
        worked = Worked(TABLE, number=number, source=source, terminal="T210102-0001")
        for step in WAY[:steps]:
            worked.step(step)
        return worked

    @rule(which=st.integers(0, 1), step=st.sampled_from(["dispatch", "redispatch"]), department=DEPARTMENTS)
    def dispatch(self, which: int, step: str, department: str) -> None:
        """To the department that has or had it, or to another."""
        try:
            self.cases[which].step(step, department=department, limit=LIMIT)
        except REFUSALS as error:
            self.told.append(str(error))

    @rule(which=st.integers(0, 1), step=STEPS, actor=ACTORS, post=POSTS, unit=UNITS)
    def anything(self, which: int, step: str, actor: str, post: str, unit: str | None) -> None:
        """A step by whomever; taken or refused with a reason."""
        worked = self.cases[which]
        before = worked.case
        try:
            worked.step(step, actor, post, unit=unit, fields={"result": "exists", "order": "o", "district": "210103"})
        except REFUSALS as error:
            self.told.append(str(error))
        else:
            assert worked.case.version == before.version + 1

    @rule(which=st.integers(0, 1), steps=st.integers(1, 6))
    def usual_way(self, which: int, steps: int) -> None:
        """Some way along the usual way, so that late states are reached too."""
        worked = self.cases[which]
        begin = next((n for n, step in enumerate(WAY) if worked.case.state in TABLE.steps[step].from_), 0)
        for step in WAY[begin : begin + steps]:
            if worked.case.state in TABLE.steps[step].from_:
                try:
                    worked.step(step)
                except REFUSALS:
                    return

    @rule(which=st.integers(0, 1), who=WHO, n=st.integers(0, 50))
    def offered(self, which: int, who: tuple[str, str, str | None], n: int) -> None:
        """What ``may_now`` offers is not refused once its fields are filled."""
        worked, (actor, post, unit) = self.cases[which], who
        offers = may_now(TABLE, worked.case, Ask(actor, post, unit), worked.now)
        steps = [may.what for may in offers if may.allowed and may.kind == "step" and may.what not in ENDS_EARLY]
        if steps:
            step = steps[n % len(steps)]
            department = {"department": "dep-1"} if "department" in TABLE.steps[step].requires else {}
            limit = {"limit": LIMIT} if "limit" in TABLE.steps[step].sets else {}
            fields = {"result": "exists", "order": "o", "district": "210103"}
            worked.step(step, actor, post, unit=unit, fields=fields, attachments=(PHOTO,), **{**department, **limit})

    @rule(which=st.integers(0, 1), n=st.integers(0, 20), who=WHO, days=st.integers(0, 400))
    def request(self, which: int, n: int, who: tuple[str, str, str | None], days: int) -> None:
        """A request that the state knows, by whomever."""
        worked, (actor, post, unit) = self.cases[which], who
        asked = TABLE.requests_in(worked.case.state) or sorted(TABLE.requests)
        usual = [what for what in asked if post in TABLE.request(what).posts] or asked
        what = usual[n % len(usual)]
        self.asked += 1
        until = worked.now + days * 24 * HOUR if "until" in TABLE.request(what).requires else None
        try:
            worked.request(what, f"r-{self.asked}", actor, post, unit=unit, until=until, attachments=(PHOTO,))
        except REFUSALS as error:
            self.told.append(str(error))

    @rule(which=st.integers(0, 1), n=st.integers(0, 20), granted=st.booleans(), days=st.integers(1, 40))
    def side_flow(self, which: int, n: int, granted: bool, days: int) -> None:
        """A request by somebody who may, answered by as many as must."""
        worked = self.cases[which]
        waiting = {request.what for request in worked.case.open_requests()}
        known = [what for what in TABLE.requests_in(worked.case.state) if what not in waiting]
        if not known:
            return
        what = known[n % len(known)]
        self.asked += 1
        id, flow = f"r-{self.asked}", TABLE.request(what)
        until = worked.now + days * 24 * HOUR if "until" in flow.requires else None
        try:
            unit = worked.case.departments[-1] if worked.case.departments and flow.posts == ["department"] else None
            worked.request(what, id, f"q-{flow.posts[0]}", flow.posts[0], unit=unit, until=until, attachments=(PHOTO,))
        except REFUSALS as error:
            self.told.append(str(error))
            return
        before = worked.case
        for reviewer in range(flow.reviewers if granted else 1):
            worked.review(id, granted, f"v-{reviewer}-{flow.approvers[0]}", flow.approvers[0])
        assert worked.case.state == (flow.to if granted and flow.to else before.state)

    @precondition(lambda self: any(worked.case.open_requests() for worked in self.cases))
    @rule(granted=st.booleans(), who=WHO)
    def review(self, granted: bool, who: tuple[str, str, str | None]) -> None:
        """An answer to a waiting request by whomever."""
        worked, (actor, post, _) = next(one for one in self.cases if one.case.open_requests()), who
        try:
            worked.review(worked.case.open_requests()[0].id, granted, actor, post)
        except REFUSALS as error:
            self.told.append(str(error))

    @rule(who=WHO)
    def merge_and_undo(self, who: tuple[str, str, str | None]) -> None:
        """Every merge can be undone, and then the case stands where it stood."""
        actor, post, _ = who
        mine, main = self.cases
        before = mine.case
        try:
            mine.merge(main, actor, post)
        except REFUSALS:
            assert mine.case is before
            return
        assert mine.case.state == "merged"
        mine.unmerge(main, actor, post)
        after = mine.case
        assert (after.state, after.stage, after.department, after.clock, after.limit, after.final) == (
            before.state, before.stage, before.department, before.clock, before.limit, before.final,
        )  # fmt: skip
        assert main.case.merged_here() == ()

    @rule(hours=st.integers(1, 24 * 30))
    def time_passes(self, hours: int) -> None:
        """Time passes, and the timer does what is due."""
        for worked in self.cases:
            worked.now += hours * HOUR
            while worked.overdue():
                assert len(set(worked.case.overdue)) == len(worked.case.overdue)
            if worked.case.until is not None and worked.case.until <= worked.now:
                worked.due_resume()
            for request in worked.case.open_requests():
                if request.expires < worked.now:
                    worked.expire(request.id)

    @invariant()
    def one_state_of_the_table(self) -> None:
        for worked in self.cases:
            state = TABLE.states[worked.case.state]
            assert (worked.case.stage, worked.case.final) == (state.stage, state.final)
            assert (worked.case.until is not None) == state.paused

    @invariant()
    def refusals_explain_themselves(self) -> None:
        assert all(told.startswith("case 210102-") and len(told) > 40 for told in self.told), self.told[-1]

    @invariant()
    def nobody_on_both_axes(self) -> None:
        for worked in self.cases:
            for actor, _ in worked.case.actors:
                assert len(worked.case.axes_of(actor)) == 1, actor

    @invariant()
    def entries_add_up_to_the_case(self) -> None:
        for worked in self.cases:
            assert fold_all(worked.entries) == worked.case

    @invariant()
    def clocks_never_run_backwards(self) -> None:
        for worked in self.cases:
            for clock in TABLE.clocks:
                marks = worked.case.clock_marks(clock)
                assert list(marks) == sorted(marks, key=lambda mark: mark.at)
                assert [mark.what for mark in marks[:1]] in ([], ["start"])
            if worked.case.deadline is not None:
                assert worked.case.clock is not None
                assert worked.case.deadline > worked.case.running_marks(worked.case.clock)[0].at

    @invariant()
    def each_department_uses_its_own_time_and_no_other(self) -> None:
        """Whoever had the case in between: a fresh clock comes with an answer only, and a deadline with one's own time."""
        for worked in self.cases:
            ledger = Ledger()
            for entry in worked.entries:
                ledger.take(entry.body)
            if ledger.since is not None:
                assert worked.case.clock == "department"
                assert worked.case.deadline == ledger.deadline()

    @invariant()
    def granted_within_bounds(self) -> None:
        for worked in self.cases:
            assert worked.case.granted("extension") <= 2
            assert worked.case.granted("deferral") <= 2
            assert worked.case.granted("suspension") <= 1
            assert worked.case.made("overdue_appeal") <= 1


class Ledger:
    """What each department used of its time (µs), worked out from the entries in another way than the product does."""

    def __init__(self) -> None:
        self.used: dict[str, int] = {}
        self.extended: dict[str, int] = {}
        self.who = ""
        self.since: int | None = None

    def take(self, body: dict[str, Any]) -> None:
        """An entry's body, a step's or one with an effect."""
        after = body.get("effect") or body
        source = body.get("step") or body.get("what")
        for one in after.get("clocks", ()):
            if one["clock"] == "department":
                self._turn(one["what"], one["at"], after["department"], source)

    def _turn(self, what: str, at: int, department: str | None, source: str) -> None:
        if what in ("stop", "pause") and self.since is not None:
            self.used[self.who] += at - self.since
            self.since = None
        if what == "stop" and source not in ("redispatch", "return"):
            self.used, self.extended = {}, {}
        if what == "extend":
            self.extended[self.who] += 1
        if what in ("start", "resume"):
            assert department is not None
            assert (department in self.used) == (what == "resume"), (what, department, source)
            self.who, self.since = department, at
            self.used.setdefault(department, 0)
            self.extended.setdefault(department, 0)

    def deadline(self) -> int:
        """When the department that has the case has used what it was given."""
        assert self.since is not None
        return self.since + 4 * HOUR * (1 + self.extended[self.who]) - self.used[self.who]


CaseMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestCaseMachine = CaseMachine.TestCase
