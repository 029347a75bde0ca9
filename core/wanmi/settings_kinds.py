"""Bodies of a settings change that a district orders of an edge of theirs, and of what the edge says to it. Data only.

Subject ``change:<district>:<change id>``: each node writes its own entries under it. Values are JSON texts (an entry has
no floats), and never secrets. The edge says ``staged``, then ``tried`` from the start that has the new settings, then
``confirmed`` when the district has countersigned that very entry, or ``rolled_back``; or ``refused`` instead of all of it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

State = Literal["ordered", "staged", "tried", "refused", "confirmed", "rolled_back"]
Shown = Literal["ordered", "lapsed", "staged", "tried", "refused", "confirmed", "rolled_back"]
RANK: dict[str, int] = {"staged": 1, "tried": 2, "refused": 3, "confirmed": 3, "rolled_back": 3}
"""How far an edge is with a change; it only goes up, and the last three are its end."""
LEAST_PROBATION, PROBATION, MOST_PROBATION = 5, 120, 3600
"""Seconds that the uplink has to come back: the shortest, the default, the longest."""
MOST_CHANGES = 20
LONGEST_VALUE = 2000
LONGEST_REASON = 500

Key = Annotated[str, msgspec.Meta(max_length=100)]
Value = Annotated[str, msgspec.Meta(max_length=LONGEST_VALUE)]
Reason = Annotated[str, msgspec.Meta(max_length=LONGEST_REASON)]


class SettingChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key, as ``link.parent``: the value that the edge must have now, and the one that it gets; both JSON."""

    key: Key
    old: Value
    new: Value


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    change_id: Annotated[str, msgspec.Meta(max_length=40)]


class SettingsOrdered(_Body, frozen=True):
    """``settings.ordered``: a district has an edge change these settings, all or none.

    ``probation``: seconds that the uplink has to come back in. After ``expires_at`` (µs UTC) the edge begins nothing.
    """

    edge: Annotated[str, msgspec.Meta(max_length=10)]
    changes: Annotated[list[SettingChange], msgspec.Meta(min_length=1, max_length=MOST_CHANGES)]
    probation: Annotated[int, msgspec.Meta(ge=LEAST_PROBATION, le=MOST_PROBATION)]
    expires_at: int


class SettingsStaged(_Body, frozen=True):
    """``settings.staged``: tried with the edge's own plugins, lies beside the settings in force, is applied next."""


class SettingsRefused(_Body, frozen=True):
    """``settings.refused``: nothing was changed, for these reasons."""

    reasons: Annotated[list[Reason], msgspec.Meta(min_length=1, max_length=MOST_CHANGES)]


class SettingsTried(_Body, frozen=True):
    """``settings.tried``: the edge runs with the new settings, and waits for this entry's countersignature."""


class SettingsConfirmed(_Body, frozen=True):
    """``settings.confirmed``: the district countersigned entry ``seq`` of the edge, ``settings.tried`` or a later one."""

    seq: int


class SettingsRolledBack(_Body, frozen=True):
    """``settings.rolled_back``: the edge runs with the settings from before again."""

    reason: Reason


def change_subject(district: str, change_id: str) -> str:
    """The subject of a change and of what its edge says to it."""
    return f"change:{district}:{change_id}"


def shown_state(state: State, expires_at: int | None, now: int) -> Shown:
    """How a change stands at ``now``: lapsed when nothing was heard of it and the edge begins it no more."""
    lapsed = state == "ordered" and expires_at is not None and now > expires_at
    return "lapsed" if lapsed else state
