"""Devices that speak SNMP: UPS units, network gear, generators. One frame: settings, agent, OID map, readings."""

from __future__ import annotations

from collections.abc import Iterator

from wanmi.devices import Driver


def drivers() -> Iterator[Driver]:
    """The drivers of this package."""
    from wanmi_hardware.snmp import generator, network, ups

    yield ups.DRIVER
    yield network.DRIVER
    yield generator.DRIVER
