"""Looking for SNMP devices in an address range that a technician names: bounded, paced, never by itself."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Sequence

from wanmi.devices import Found, Identity, Place
from wanmi.errors import BadInput, DeviceFault
from wanmi_hardware.snmp.agent import Agent
from wanmi_hardware.snmp.community import CommunityAsker
from wanmi_hardware.snmp.identity import SYS_NAME, SYSTEM, identity_of
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.values import Oid

MOST = 1_024
"""Addresses of one search."""
AT_ONCE = 16
"""Addresses that are asked at one time."""
PATIENCE = 1.0
"""Seconds for one answer, asked once."""

_UPS_ROOTS: tuple[Oid, ...] = (
    (1, 3, 6, 1, 2, 1, 33, 1, 2),
    (1, 3, 6, 1, 4, 1, 318, 1, 1, 1, 2),
    (1, 3, 6, 1, 4, 1, 534, 1, 2),
)
"""Battery groups of UPS-MIB, PowerNet, XUPS: who has one is a UPS."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def addresses_of(text: str) -> tuple[tuple[Address, ...], str, int]:
    """The addresses, community and port in ``10.1.2.0/24``, ``10.1.2.10-10.1.2.40`` or one address, with an optional
    ``:port`` and community before an ``@``.

    BadInput says what is wrong, or that it is too much.
    """
    community, _, place = text.strip().rpartition("@")
    place, _, port = place.rpartition(":") if place.count(":") == 1 else (place, "", "161")
    if not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise BadInput(f"{text!r}: {port!r} is no UDP port")
    return _range(place), community or "public", int(port)


def _range(place: str) -> tuple[Address, ...]:
    try:
        first, _, last = place.partition("-")
        if last:
            return _between(ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip()))
        network = ipaddress.ip_network(place.strip(), strict=False)
    except ValueError as error:
        raise BadInput(f"{place!r} is no address range such as 10.1.2.0/24 or 10.1.2.10-10.1.2.40: {error}") from None
    if network.num_addresses > MOST + 2:
        raise BadInput(f"{place!r} has {network.num_addresses} addresses; at most {MOST} are searched at once")
    return tuple(network.hosts()) or (network.network_address,)


def _between(first: Address, last: Address) -> tuple[Address, ...]:
    count = int(last) - int(first) + 1
    if first.version != last.version or count < 1:
        raise BadInput(f"{first}-{last}: the second address comes before the first")
    if count > MOST:
        raise BadInput(f"{first}-{last} has {count} addresses; at most {MOST} are searched at once")
    return tuple(first + n for n in range(count))


async def discover_ups(_place: Place, where: str) -> AsyncIterator[Found]:
    """UPS units in a range."""
    async for found in _discover(where, "ups-snmp", _UPS_ROOTS):
        yield found


async def discover_network(_place: Place, where: str) -> AsyncIterator[Found]:
    """Network gear in a range: whatever has interfaces and no battery."""
    async for found in _discover(where, "network-snmp", ((1, 3, 6, 1, 2, 1, 2, 2, 1, 8),)):
        yield found


async def _discover(where: str, driver: str, roots: Sequence[Oid]) -> AsyncIterator[Found]:
    addresses, community, port = addresses_of(where)
    for start in range(0, len(addresses), AT_ONCE):
        asked = [_look(str(one), port, community, driver, roots) for one in addresses[start : start + AT_ONCE]]
        for found in await asyncio.gather(*asked):
            if found is not None:
                yield found


async def _look(address: str, port: int, community: str, driver: str, roots: Sequence[Oid]) -> Found | None:
    settings = SnmpSettings.model_validate(
        {"address": address, "port": port, "community": community, "timeout": PATIENCE, "tries": 1}
    )
    try:
        agent = Agent(await CommunityAsker.open(settings), settings.batch)
    except DeviceFault:
        return None
    try:
        system = await agent.get(SYSTEM)
        for root in roots:
            if await agent.walk(root, limit=1):
                name = system[SYS_NAME].text() if SYS_NAME in system else ""
                return _found(settings, driver, identity_of(system), name, root)
    except DeviceFault:
        return None
    finally:
        agent.close()
    return None


def _found(settings: SnmpSettings, driver: str, who: Identity, name: str, root: Oid) -> Found:
    """What was found; without the community, which is a secret and known to who looked."""
    what = "UPS-MIB" if root == _UPS_ROOTS[0] else "a battery group" if root in _UPS_ROOTS else "interfaces"
    told = {"address": settings.address, "port": str(settings.port), "version": "2c"}
    return Found(driver, name or settings.address, told, who, f"answers SNMP at {settings.where} and has {what}")
