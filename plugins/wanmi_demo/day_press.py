"""The city presses cases of the day (督办) and the districts answer: where the plugin with those actions is loaded."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from wanmi.errors import NotFound
from wanmi_demo.city import CITY, DemoCity
from wanmi_demo.day_plan import Seen
from wanmi_demo.day_staff import Staff

REPLY_SECONDS = 3600


@dataclass
class Press:
    """What was pressed so far, by case."""

    city: DemoCity
    staff: Staff
    able: bool
    orders: dict[str, str] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, city: DemoCity, staff: Staff) -> Press:
        """Ask the city whether it knows orders."""
        try:
            city.action(CITY, "order.list", limit=1)
        except NotFound:
            return cls(city, staff, able=False)
        return cls(city, staff, able=True)

    def press(self, seen: Seen) -> bool:
        """Press an overdue case that the city holds, then have the district answer when the order is there; whether it did."""
        if seen.number not in self.orders:
            if not seen.overdue or not self._at_city(seen):
                return False
            self._issue(seen)
        elif not self._at_district(seen):
            return False
        else:
            self.city.action(
                seen.owner, "order.answer", order=self.orders[seen.number], answer="answered",
                opinion="已责成责任部门立即处置", actor=self.staff.person(seen.owner, "shift_leader"), post="shift_leader",
            )  # fmt: skip
            self.answered.add(seen.number)
        return True

    def waits(self, seen: Seen) -> bool:
        """Whether a case that is to be pressed was not, or its order not answered yet."""
        return self.able and seen.number not in self.answered

    def _issue(self, seen: Seen) -> None:
        made = self.city.action(
            CITY, "order.issue", kind="press", press="overdue", level="urgent", district_case=seen.number,
            demand="已超时，请立即处置并回复", reply_by=(time.time_ns() // 1_000_000 + REPLY_SECONDS * 1000) * 1000,
            key=f"press {seen.number}", actor=self.staff.person(CITY, "supervisor"), post="supervisor",
        )  # fmt: skip
        self.orders[seen.number] = str(made["order_id"])

    def _at_city(self, seen: Seen) -> bool:
        try:
            return bool(self.city.action(CITY, "case.show", number=seen.number)["state"] == seen.state)
        except NotFound:
            return False

    def _at_district(self, seen: Seen) -> bool:
        try:
            self.city.action(seen.owner, "order.show", order=self.orders[seen.number])
        except NotFound:
            return False
        return True
