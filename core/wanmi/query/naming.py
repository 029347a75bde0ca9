"""What the codes of cases are called: by the profile version that each was opened under, and in today's catalogue."""

from __future__ import annotations

from typing import cast

from wanmi.cases import StepTable
from wanmi.codes import CaseKind, Lang, Profile
from wanmi.profiles import ProfileStore, counterparts
from wanmi.query.cases import CaseLine

UNMAPPED: dict[Lang, str] = {"zh": "（无对应类别）", "en": "(no such category)"}
"""Said where the active catalogue has no place for a category of an earlier one."""


class CaseNames:
    """Names for a list of cases of different versions; each version is looked up once, so make one for each list."""

    def __init__(self, profiles: ProfileStore, lang: Lang = "zh") -> None:
        self._profiles = profiles
        self._lang = lang
        self._active = profiles.active()
        self._held: dict[str, Profile] = {}

    def profile(self, case: CaseLine) -> Profile:
        """The version that the case was opened under; the active one where that is not held here."""
        if case.profile not in self._held:
            self._held[case.profile] = self._profiles.held(case.profile)
        return self._held[case.profile]

    def kind(self, case: CaseLine) -> str:
        """Component or event, in the version's words."""
        return self.profile(case).label("kind", case.kind, self._lang)

    def category(self, case: CaseLine) -> str:
        """The category's name; its code where the version does not have it."""
        profile = self.profile(case)
        found = profile.catalogue.get(cast(CaseKind, case.kind), case.category)
        return case.category if found is None else profile.category_name(found, self._lang)

    def state(self, case: CaseLine) -> str:
        """The state's name."""
        table: StepTable = self._profiles.steps(self.profile(case))
        state = table.states.get(case.state)
        return case.state if state is None else state.zh if self._lang == "zh" else state.en

    def now(self, case: CaseLine) -> str:
        """Code and name of the case's category in the active catalogue, or that it has none."""
        kind = cast(CaseKind, case.kind)
        places = counterparts(self.profile(case), self._active, (kind, case.category))
        if not places:
            return UNMAPPED[self._lang]
        # an event's counterpart is an event: a component's twin stands behind it
        found = self._active.category(*next((one for one in places if one[0] == kind), places[0]))
        return f"{found.code} {self._active.category_name(found, self._lang)}"
