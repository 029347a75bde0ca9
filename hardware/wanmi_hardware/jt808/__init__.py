"""JT/T 808: vehicles' terminals of the Chinese transport standard, 2013 and 2019. A pure codec, and a server driver."""

from __future__ import annotations

from collections.abc import Iterator

from wanmi.devices import Driver


def drivers() -> Iterator[Driver]:
    """The drivers of this package."""
    from wanmi_hardware.jt808.driver import JT808

    yield JT808
