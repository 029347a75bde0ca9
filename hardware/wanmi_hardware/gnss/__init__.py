"""GNSS receivers: NMEA 0183 over a serial line, or gpsd. Bytes to sentences to epochs to judged fixes, each step pure."""

from __future__ import annotations

from collections.abc import Iterator

from wanmi.devices import Driver


def drivers() -> Iterator[Driver]:
    """The drivers of this package."""
    from wanmi_hardware.gnss.gpsd_driver import GNSS_GPSD
    from wanmi_hardware.gnss.serial_driver import GNSS_SERIAL

    yield GNSS_SERIAL
    yield GNSS_GPSD
