"""OwnTracks: telephones' positions as JSON over MQTT. An unsigned track source: good for a map, no proof of anything."""

from __future__ import annotations

from collections.abc import Iterator

from wanmi.devices import Driver


def drivers() -> Iterator[Driver]:
    """The drivers of this package."""
    from wanmi_hardware.owntracks.driver import OWNTRACKS

    yield OWNTRACKS
