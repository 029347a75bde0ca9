"""Who an agent says it is: the system group, and what UPS MIBs say better. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from wanmi.devices import Identity
from wanmi_hardware.snmp.values import Oid, Var, is_under

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)
SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_NAME)

_UPS: Oid = (1, 3, 6, 1, 2, 1, 33, 1, 1)
_APC: Oid = (1, 3, 6, 1, 4, 1, 318)
_APC_IDENT = (*_APC, 1, 1, 1, 1)
_XUPS: Oid = (1, 3, 6, 1, 4, 1, 534, 1, 1)

MAKERS: dict[int, str] = {
    9: "Cisco",
    318: "APC",
    476: "Vertiv (Liebert)",
    534: "Eaton",
    705: "Eaton (MGE)",
    850: "Tripp Lite",
    935: "Phoenixtec",
    2011: "Huawei",
    2468: "Ingrasys",
    13400: "Emerson Network Power",
    25506: "H3C",
    40614: "EAST",
}
"""Makers by their number under 1.3.6.1.4.1 (IANA), where the agent itself does not say."""


def identity_of(found: Mapping[Oid, Var]) -> Identity:
    """The identity in an agent's variables; padding and control characters are gone, empty is not known."""

    def first(*oids: Oid) -> str:
        return next((text for oid in oids if oid in found and (text := found[oid].text())), "")

    return Identity(
        maker=first((*_UPS, 1, 0), (*_XUPS, 1, 0)) or maker_of(found),
        model=first((*_APC_IDENT, 1, 1, 0), (*_UPS, 2, 0), (*_XUPS, 2, 0), SYS_DESCR),
        serial=first((*_APC_IDENT, 2, 3, 0)),
        firmware=first((*_APC_IDENT, 2, 1, 0), (*_UPS, 3, 0), (*_XUPS, 3, 0), (*_UPS, 4, 0)),
    )


def maker_of(found: Mapping[Oid, Var]) -> str:
    """The maker by sysObjectID."""
    said = found[SYS_OBJECT_ID].value if SYS_OBJECT_ID in found else None
    if not isinstance(said, tuple) or not is_under(said, (1, 3, 6, 1, 4, 1)) or len(said) < 7:
        return ""
    return MAKERS.get(said[6], "")
