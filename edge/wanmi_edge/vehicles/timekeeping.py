"""The node's clock against its receivers: an entry when the source or the judgement changes, and hourly. Never each second."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import structlog

from wanmi.clock import SECOND
from wanmi.device_kinds import ClockOffset, clock_subject
from wanmi.devices import Sample
from wanmi.errors import WanmiError
from wanmi.registry import Draft, Health, NodeContext
from wanmi_edge.devices.book import Device
from wanmi_edge.devices.devices import Devices

OFFSET, UNCERTAINTY = "clock.offset", "clock.uncertainty"
"""Readings (ms) of every driver that can tell the time."""
BOUND = SECOND
"""µs that the node's clock may be off before it is told; less than a receiver's own uncertainty is never told."""
HOUR = 3600 * SECOND
LOST_AFTER = 120 * SECOND
"""µs without an offset after which there is no source."""
KEPT = 5
"""Offsets whose median counts: one late line moves nothing."""
TICK = 1.0


@dataclass(frozen=True)
class Told:
    """What was written last."""

    source: str
    device: str
    within: bool
    at: int


class TimeKeeper:
    """Listens to offsets; decides what becomes an entry."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._node: NodeContext | None = None
        self._offsets: deque[int] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._device = ""
        self._uncertainty = 0
        self._heard_at = 0
        self._told: Told | None = None

    def wire(self, node: NodeContext) -> None:
        """Join the node once."""
        if self._node is None:
            self._node = node
            self._devices.listen(self.heard)

    def heard(self, device: Device, sample: Sample) -> None:
        """A sample, in the loop. The first receiver that tells the time is the source until it is lost."""
        readings = {one.name: one for one in sample.readings if one.quality == "good"}
        offset, error = readings.get(OFFSET), readings.get(UNCERTAINTY)
        if self._node is None or sample.part or offset is None or not isinstance(offset.value, float | int):
            return
        now = self._node.clock.monotonic()
        with self._lock:
            silent = now * SECOND - self._heard_at > LOST_AFTER
            if device.id != self._device and (silent or not self._device):
                self._device, self._offsets = device.id, deque(maxlen=KEPT)
            if device.id == self._device:
                self._offsets.append(round(offset.value * 1000))
                known = error is not None and isinstance(error.value, float | int)
                self._uncertainty = round(float(error.value) * 1000) if known and error is not None else BOUND  # type: ignore[arg-type]
                self._heard_at = round(now * SECOND)

    def due(self, now: int, monotonic: float) -> ClockOffset | None:
        """What is to be written at ``now`` (µs UTC), if anything."""
        with self._lock:
            lost = not self._offsets or monotonic * SECOND - self._heard_at > LOST_AFTER
            full, offset = len(self._offsets) == KEPT, round(median(self._offsets)) if self._offsets else 0
            device, uncertainty = self._device, self._uncertainty
        told = self._told
        if lost:
            return ClockOffset("none", "", 0, 0, True) if told is not None and told.source == "gnss" else None
        if not full:
            return None
        within = abs(offset) <= max(BOUND, uncertainty)
        same = told is not None and (told.source, told.device, told.within) == ("gnss", device, within)
        if same and told is not None and 0 <= now - told.at < HOUR:
            return None
        return ClockOffset("gnss", device, offset, uncertainty, within)

    async def run(self, node: NodeContext) -> None:
        """The task."""
        self.wire(node)
        while True:
            await asyncio.sleep(TICK)
            await self.write(node)

    async def write(self, node: NodeContext) -> None:
        """Write what is due; a full disk is told in the log, and it stays due."""
        now = node.clock.now()
        body = self.due(now, node.clock.monotonic())
        if body is None:
            return
        try:
            await node.journal.append_async(Draft("clock.offset", clock_subject(node.code), body))
        except WanmiError as error:
            structlog.get_logger("wanmi.clock").error("offset_not_written", why=str(error))
            return
        self._told = Told(body.source, body.device, body.within, now)

    def health(self, node: NodeContext) -> Sequence[Health]:
        """One line: how the clock stands to the satellites' time; none while no receiver has told it."""
        with self._lock:
            if not self._offsets:
                return []
            offset, error, device = round(median(self._offsets)), self._uncertainty, self._device
            silent = node.clock.monotonic() - self._heard_at / SECOND
        facts: dict[str, str | int] = {"offset_ms": offset // 1000, "uncertainty_ms": error // 1000, "source": device}
        if silent * SECOND > LOST_AFTER:
            return [Health("edge.clock", "warn", f"{device} has told no time for {silent:.0f} s", facts)]
        if abs(offset) > max(BOUND, error):
            why = f"this node's clock is {-offset / SECOND:+.1f} s off the satellites' time ({device}); set it, or let it follow"
            return [Health("edge.clock", "warn", why, facts)]
        return [Health("edge.clock", "fine", f"within {max(abs(offset), error) // 1000} ms of {device}", facts)]
