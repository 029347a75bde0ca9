"""The error tree: every error of Wanmi's own says what was wrong, which thing, and what to do.

WanmiError
├── BadInput            something handed in is not usable as it is
│   ├── BadCode         a region, grid, component, event, case or terminal code
│   └── BadEntry        bytes that are not a valid entry, or a body that does not fit its kind
├── ChainBroken         a chain does not verify: origin, seq and kind of damage are named
│   └── ForkSeen        two different entries with one (origin, seq)
├── Conflict            somebody else was first (version, admission, duplicate)
├── NotAllowed          the actor may not do this
├── NotFound            no such thing
├── NeedsExtra          an optional part of the distribution is not installed
├── SettingsError       node.toml or the environment
├── StoreError          the database, the disk, the lock
├── LinkError           a peer said something that the protocol does not allow
└── DeviceFault         a device cannot be used now
    ├── DeviceUnreachable   no answer, no route, the port is gone
    ├── DeviceRefused       it answers, and will not: password, approval, "not now"
    └── DeviceGarbled       what it said is not its protocol
"""

from __future__ import annotations


class WanmiError(Exception):
    """The root: catch this to catch every error that Wanmi raises on purpose."""


class BadInput(WanmiError):
    """Something handed in is not usable as it is; the message says which part and why."""


class BadCode(BadInput):
    """A code of the city's code tables (grid, component, case …) that does not parse."""


class BadEntry(BadInput):
    """Bytes that are not a valid entry, or a body that does not fit its kind."""


class ChainBroken(WanmiError):
    """A chain does not verify.

    Attributes: ``origin`` (node code), ``seq`` (first bad entry), ``damage`` (its kind, a short word).
    """

    def __init__(self, origin: str, seq: int, damage: str, detail: str) -> None:
        super().__init__(f"chain {origin}, entry {seq}: {damage}: {detail}")
        self.origin = origin
        self.seq = seq
        self.damage = damage


class ForkSeen(ChainBroken):
    """Two different entries carry one (origin, seq): evidence, never merged."""


class Conflict(WanmiError):
    """Somebody else was first; the message says who did what where that is known."""


class NotAllowed(WanmiError):
    """The actor may not do this; the message names the post or token that may."""


class NotFound(WanmiError):
    """No such thing."""


class NeedsExtra(WanmiError):
    """An optional part is not installed; the message names the extra to install."""

    def __init__(self, extra: str, module: str) -> None:
        super().__init__(f"needs wanmi[{extra}] (python module {module} is not installed)")
        self.extra = extra


class SettingsError(WanmiError):
    """node.toml or an environment variable cannot be used; the message names the key."""


class StoreError(WanmiError):
    """The database, the disk or the lock of a node."""


class LinkError(WanmiError):
    """A peer said something that the link protocol does not allow."""


class DeviceFault(WanmiError):
    """A device cannot be used now; the message says which address, what happened, and what to look at."""


class DeviceUnreachable(DeviceFault):
    """No answer in time, no route, a closed port, a cable that was pulled."""


class DeviceRefused(DeviceFault):
    """The device answers and will not: a wrong password or community, no approval, "not in standby"."""


class DeviceGarbled(DeviceFault):
    """What the device said is not the protocol that its driver speaks."""
