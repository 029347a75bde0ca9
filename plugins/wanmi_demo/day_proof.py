"""What came of a day, counted at the city, where every entry of the districts' cases has to arrive."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from wanmi_demo.city import CITY, DISTRICTS, DemoCity
from wanmi_demo.counts import Counts
from wanmi_demo.day import Day


@dataclass(frozen=True)
class DayProof:
    """The keys that ``--day`` adds: cases closed, returned by a department, handled late, pressed by the city.

    ``failed_then_passed``: closed cases whose check a terminal answered with no, and after rework one with yes;
    ``answers``: terminals' answers to tasks of cases; ``moved_by_answers``: those that moved their case by themselves.
    """

    closed: int
    returned: int
    late: int
    pressed: int
    failed_then_passed: int
    answers: int
    moved_by_answers: int

    def values(self) -> dict[str, int]:
        """As JSON values."""
        return asdict(self)


def prove_day(city: DemoCity, day: Day) -> tuple[DayProof, list[str]]:
    """What the city holds of the day (its nodes are stopped), and what is wrong, line by line."""
    counts = Counts(city)
    try:
        wrong = [f"not at its end: {number}{_why(day, number)}" for number in day.open()]
        at_city: dict[str, tuple[int, str]] = {}
        weighed = Counter(body["outcome"] for _, body in counts.bodies(CITY, "task.weighed"))
        for code in DISTRICTS:
            held, own = counts.versions(CITY, code), counts.versions(code, code)
            at_city |= held
            wrong += [
                f"the city holds {n} as {held.get(n)}, its district as {own[n]}" for n in own if held.get(n) != own[n]
            ]
        proof = DayProof(
            closed=sum(state == "closed" for _, state in at_city.values()),
            returned=len(_granted_returns(counts)),
            late=len({subject for subject, body in counts.bodies(CITY, "case.became_overdue") if _handling(body)}),
            pressed=len({b["district_case"] for _, b in counts.bodies(CITY, "order.issued") if b["kind"] == "press"}),
            failed_then_passed=len(_failed_then_passed(counts, at_city)),
            answers=weighed["moved"] + weighed["waits"] + weighed["late"],
            moved_by_answers=weighed["moved"],
        )
    finally:
        counts.close()
    return proof, wrong


def _why(day: Day, number: str) -> str:
    return f", given up: {day.stuck[number]}" if number in day.stuck else ""


def _failed_then_passed(counts: Counts, at_city: dict[str, tuple[int, str]]) -> set[str]:
    """Closed cases with a terminal's "no" to a check (the step names its task), and a terminal's "yes" to another one."""
    answered = [(s, b["step"]) for s, b in counts.bodies(CITY, "case.stepped") if b["fields"].get("task")]
    failed = {subject for subject, step in answered if step == "answer_check_failed"}
    passed = {subject for subject, step in answered if step == "answer_check_passed"}
    return {one for one in failed & passed if at_city.get(one.removeprefix("case:"), (0, ""))[1] == "closed"}


def _granted_returns(counts: Counts) -> set[str]:
    decided = counts.bodies(CITY, "case.request_decided")
    return {subject for subject, body in decided if body["what"] == "return" and body["granted"]}


def _handling(body: dict[str, object]) -> bool:
    return body["clock"] == "department"
