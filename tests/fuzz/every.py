"""All targets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from fuzz import of_devices, of_messages
from fuzz.target import Target


@cache
def every_target() -> Sequence[Target]:
    """Each once, devices first."""
    return (*of_devices.targets(), *of_messages.targets())


def find_target(name: str) -> Target:
    """The target of a name; KeyError for another."""
    return {target.name: target for target in every_target()}[name]
