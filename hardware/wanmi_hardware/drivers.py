"""All drivers of this package, in the order in which screens list them."""

from __future__ import annotations

from collections.abc import Iterator

from wanmi.devices import Driver


def all_drivers() -> Iterator[Driver]:
    """Each driver once. A new kind of device: a package beside this file, and a line here."""
    from wanmi_hardware import gnss, jt808, owntracks, pjlink, samsung_mdc, snmp

    yield from snmp.drivers()
    yield from gnss.drivers()
    yield from jt808.drivers()
    yield from owntracks.drivers()
    yield pjlink.PJLINK
    yield samsung_mdc.MDC
