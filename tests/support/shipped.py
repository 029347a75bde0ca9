"""Profiles without a node: what is shipped holds, nothing was activated."""

from __future__ import annotations

from wanmi.codes import Profile
from wanmi.profiles import ProfileStore, Version


class ShippedProfiles(ProfileStore):
    """The store of a node that never heard of an activation."""

    def __init__(self) -> None:
        self._kept, self._tables = {}, {}

    def active(self) -> Profile:
        return Profile.load()

    def of(self, ref: str) -> Profile:
        return Profile.load(ref.partition("@")[0])

    def versions(self, most: int = 100) -> list[Version]:
        return []
