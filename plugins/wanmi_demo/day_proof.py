"""What came of a day, counted at the city, where every entry of the districts' cases has to arrive."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from wanmi_demo.city import CITY, DISTRICTS, DemoCity
from wanmi_demo.counts import Counts
from wanmi_demo.day import Day


@dataclass(frozen=True)
class DayProof:
    """The keys that ``--day`` adds: cases closed, returned by a department, handled late, pressed by the city."""

    closed: int
    returned: int
    late: int
    pressed: int

    def values(self) -> dict[str, int]:
        """As JSON values."""
        return asdict(self)


def prove_day(city: DemoCity, day: Day) -> tuple[DayProof, list[str]]:
    """What the city holds of the day (its nodes are stopped), and what is wrong, line by line."""
    counts = Counts(city)
    try:
        wrong = [f"not at its end: {number}" for number in day.open()]
        at_city: dict[str, tuple[int, str]] = {}
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
        )
    finally:
        counts.close()
    return proof, wrong


def _granted_returns(counts: Counts) -> set[str]:
    decided = counts.bodies(CITY, "case.request_decided")
    return {subject for subject, body in decided if body["what"] == "return" and body["granted"]}


def _handling(body: dict[str, object]) -> bool:
    return body["clock"] == "department"
