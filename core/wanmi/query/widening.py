"""A filter by category that finds the cases of every catalogue: the old code finds the new cases, and the reverse."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from wanmi.codes import CASE_KINDS, CaseKind
from wanmi.profiles import Kin, ProfileStore
from wanmi.query.filters import CaseFilter


def kin_of(wanted: CaseFilter, profiles: ProfileStore) -> list[Kin]:
    """What the filter's category is in each catalogue, for the kind that is asked for or for both; none without one."""
    if not wanted.category:
        return []
    kinds = [cast(CaseKind, wanted.kind)] if wanted.kind else CASE_KINDS
    return [profiles.kin(kind, wanted.category) for kind in kinds]


def widened(wanted: CaseFilter, profiles: ProfileStore) -> CaseFilter:
    """The same filter, its category standing for its counterparts too; unchanged where there are none."""
    places = dict.fromkeys(place for kin in kin_of(wanted, profiles) for place in kin.places)
    alike = tuple(places) if any(code != wanted.category for _, code in places) else ()
    return replace(wanted, alike=alike)
