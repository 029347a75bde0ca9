"""Names behind codes, in a language: categories, divisions, grids, stages, posts. Unknown codes stand for themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, cast

from wanmi.cases import STAGES, StepTable
from wanmi.codes import CaseKind, Category, Divisions, Lang, Profile
from wanmi.identity.people import POSTS
from wanmi.profiles import ProfileStore


class Word(Protocol):
    """What has a name in both languages."""

    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


@dataclass(frozen=True)
class Named:
    """A code with its name."""

    code: str
    name: str


@dataclass(frozen=True)
class Names:
    """Looks codes up in the profile and the divisions."""

    lang: Lang
    profile: Profile
    divisions: Divisions
    profiles: ProfileStore
    table: StepTable = field(repr=False)

    @classmethod
    def load(cls, lang: Lang, profiles: ProfileStore) -> Names:
        """The tables as they are active at a node."""
        active = profiles.active()
        return cls(lang, active, Divisions.load(), profiles, profiles.steps(active))

    def of(self, ref: str) -> Names:
        """The names by the profile version that a case was opened under; as they are where it is not held here."""
        profile = self.profiles.held(ref)
        return self if profile is self.profile else replace(self, profile=profile, table=self.profiles.steps(profile))

    def state(self, state: str) -> str:
        """The name of a case's state."""
        return self._word(self.table.states.get(state), state)

    def step(self, step: str) -> str:
        """The name of a step."""
        return self._word(self.table.steps.get(step), step)

    def request(self, what: str) -> str:
        """The name of a kind of request."""
        return self._word({str(key): rule for key, rule in self.table.requests.items()}.get(what), what)

    def limit(self, value: int, unit: str) -> str:
        """A time limit: so many of a unit of the profile."""
        return f"{value} {self._word(self.profile.units.get(unit), unit)}"

    def category(self, kind: str, code: str) -> str:
        """The category's name, by an earlier version where this one does not have it; its code when unknown."""
        typed = cast(CaseKind, kind)
        found = self.profile.catalogue.get(typed, code) or self.profiles.knowing(typed, code).catalogue.get(typed, code)
        return code if found is None else self._category(found)

    def kind(self, kind: str) -> str:
        """Component or event."""
        label = self.profile.labels["kind"].get(kind)
        return kind if label is None else label.in_lang(self.lang)

    def major(self, kind: str, major: str) -> str:
        """The name of a class of categories."""
        label = self.profile.labels.get(f"{kind}-major", {}).get(major)
        return major if label is None else label.in_lang(self.lang)

    def categories(self, kind: str) -> list[tuple[str, list[Named]]]:
        """All categories of a kind, by class, as ``event-0102``: for a select with groups."""
        catalogue, typed = self.profile.catalogue, cast(CaseKind, kind)
        return [
            (
                f"{self.kind(kind)} · {self.major(kind, major)}",
                [
                    Named(f"{kind}-{one.code}", self._category(one))
                    for one in catalogue.of_kind(typed)
                    if one.major == major
                ],
            )
            for major, _ in catalogue.majors(typed)
        ]

    def division(self, code: str) -> str:
        """The division's name."""
        found = self.divisions.get(code)
        return code if found is None else found.in_lang(self.lang)

    def under(self, code: str) -> list[Named]:
        """The divisions right under one."""
        return [Named(one.code, one.in_lang(self.lang)) for one in self.divisions.children(code)]

    def place(self, grid: str) -> list[Named]:
        """District, street, community and number of a unit grid of 15 digits, each with its code."""
        steps = [Named(grid[:n], self.division(grid[:n])) for n in (6, 9, 12) if len(grid) >= n]
        return [*steps, Named(grid, grid[12:])] if len(grid) > 12 else steps

    def place_line(self, grid: str) -> str:
        """The community and number of a unit grid, for a table's cell."""
        return f"{self.division(grid[:12])} {grid[12:]}"

    def stage(self, stage: str) -> str:
        """The stage's name."""
        return next((one.zh if self.lang == "zh" else one.en for one in STAGES if one.id == stage), stage)

    def post(self, post: str) -> str:
        """The post's name, in the profile's words."""
        return self._word(self.table.posts.get(post) or POSTS.get(post), post)

    def _word(self, found: Word | None, otherwise: str) -> str:
        if found is None:
            return otherwise
        return found.zh if self.lang == "zh" else found.en

    def _category(self, category: Category) -> str:
        return category.name_zh if self.lang == "zh" else category.name_en or category.name_zh
