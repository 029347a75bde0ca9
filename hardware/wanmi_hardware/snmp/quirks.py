"""What makes of agents get wrong, as reviewed data: one TOML file a make in ``quirks/``, each with its proof."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import msgspec

from wanmi.devices import Identity
from wanmi_hardware.snmp.maps import Read, decode
from wanmi_hardware.snmp.values import Oid, is_under, oid_of


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is otherwise with one quantity, and ``why`` the recording proves it.

    ``scale`` replaces the map's, ``unknown`` adds numbers that mean nothing, ``drop`` leaves the quantity out.
    """

    quantity: str
    why: str
    scale: float | None = None
    unknown: tuple[float, ...] = ()
    drop: bool = False


class Quirk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The changes for agents under ``object_id`` whose maker and model match (patterns; empty: any)."""

    title: str
    object_id: str
    proof: str
    change: tuple[Change, ...]
    maker: str = ""
    model: str = ""

    def fits(self, object_id: Oid | None, identity: Identity) -> bool:
        """Whether an agent is of this make."""
        if object_id is None or not is_under(object_id, oid_of(self.object_id)):
            return False
        asked = ((self.maker, identity.maker), (self.model, identity.model))
        return all(not pattern or re.fullmatch(pattern, said, re.IGNORECASE) for pattern, said in asked)


@cache
def all_quirks() -> tuple[Quirk, ...]:
    """Every quirk of this package, by file name."""
    folder = files("wanmi_hardware.snmp").joinpath("quirks")
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith(".toml"))
    return tuple(decode(f"quirk {name}", folder.joinpath(name).read_text(encoding="utf-8"), Quirk) for name in names)


def quirk_of(object_id: Oid | None, identity: Identity) -> Quirk | None:
    """The quirk of an agent; the first that fits."""
    return next((quirk for quirk in all_quirks() if quirk.fits(object_id, identity)), None)


def changed(read: Read, changes: Iterable[Change]) -> Read | None:
    """The read with the changes for its quantity; None when it is to be left out."""
    for change in changes:
        if change.quantity != read.quantity:
            continue
        if change.drop:
            return None
        read = msgspec.structs.replace(
            read,
            scale=read.scale if change.scale is None else change.scale,
            scales=read.scales if change.scale is None else (),
            unknown=(*read.unknown, *change.unknown),
        )
    return read
