"""The staff of a scripted day: a person for each post of a district, so that nobody stands on both axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wanmi_demo.city import CITY, DISTRICTS, DemoCity

POSTS = {
    "operator": "坐席员",
    "shift_leader": "值班长",
    "dispatcher": "派遣员",
    "collector": "信息采集员",
}
"""Posts of a district that one person each fills; a department's person is added with its first case."""


@dataclass
class Staff:
    """Person ids by (node, post) and by (node, department)."""

    city: DemoCity
    people: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def begin(cls, city: DemoCity) -> Staff:
        """Bring people and routing data into the running districts, by their own actions."""
        staff = cls(city)
        for code in DISTRICTS:
            city.action(code, "route.import", shipped=True)
            for post, name in POSTS.items():
                staff._add(code, post, login_of(post), name, [post])
        staff._add(CITY, "supervisor", "supervisor", "督察员", ["supervisor"])
        return staff

    def person(self, code: str, post: str) -> str:
        """Who fills a post."""
        return self.people[code, post]

    def department(self, code: str, unit: str) -> str:
        """Who works at a department; the unit and its person come with its first case."""
        if (code, unit) not in self.people:
            self.city.action(code, "people.unit_add", code=unit, name=f"{unit}（示意）")
            self._add(code, unit, login_of(unit), f"{unit} 专员", ["department"])
            self.city.action(code, "people.unit", login=login_of(unit), code=unit)
        return self.people[code, unit]

    def logins(self) -> tuple[str, ...]:
        """The logins of a district's posts; all have the demo's password."""
        return tuple(login_of(post) for post in POSTS)

    def _add(self, code: str, key: str, login: str, name: str, posts: Sequence[str]) -> None:
        made = self.city.action(
            code, "people.add", login=login, name=name, posts=list(posts), password=self.city.password
        )
        self.people[code, key] = str(made["id"])


def login_of(place: str) -> str:
    """The login of whoever fills a post, or works at a department."""
    return place.lower().replace("_", "-")
