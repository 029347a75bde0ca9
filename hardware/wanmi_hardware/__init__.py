"""Drivers: receivers, UPS units, network gear, vehicles, displays. Each kind of device in a package of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import hookimpl
from wanmi_hardware.commands import load_emulate, load_wall

if TYPE_CHECKING:
    from wanmi.registry import Registry


@hookimpl
def register(to: Registry) -> None:
    """Every driver, and emulated devices; a library is imported when a device of its kind is opened."""
    from wanmi_hardware.drivers import all_drivers

    for driver in all_drivers():
        to.driver(driver)
    to.command("emulate", load_emulate, help="Devices that are not there: to try a node out, to practise an outage.")
    to.command("wall", load_wall, help="A display's PC: open the pages that its edge names.")
