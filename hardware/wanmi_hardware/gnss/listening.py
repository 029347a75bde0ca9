"""From bytes to samples: framer, sentences, epochs, judge and pace in a row. Pure: time comes as an argument."""

from __future__ import annotations

from dataclasses import replace

from wanmi.devices import Sample
from wanmi.errors import DeviceGarbled
from wanmi_hardware.gnss.epochs import Epoch, EpochBuilder
from wanmi_hardware.gnss.framer import Framer
from wanmi_hardware.gnss.quantities import GARBLED, SECOND, readings_of
from wanmi_hardware.gnss.sentences import read_sentence
from wanmi_hardware.gnss.settings import ReceiverSettings
from wanmi_hardware.gnss.validity import Judge


class Teller:
    """Turns epochs into samples, not more often than the settings ask."""

    def __init__(self, settings: ReceiverSettings) -> None:
        self._settings = settings
        self._judge = Judge(settings.bounds)
        self._told: tuple[int, str] = (0, "")
        self._antenna = ""
        self._snrs: tuple[int, ...] = ()

    def tell(self, epoch: Epoch) -> Sample | None:
        """The epoch's sample; None when one was told just now and nothing has changed in kind."""
        fix = self._judge.judge(epoch)
        self._antenna = epoch.antenna or self._antenna
        self._snrs = epoch.snrs or self._snrs
        since = epoch.arrived_at - self._told[0]
        # a tenth early: the epochs of a receiver come with a jitter
        too_soon = 0 <= since < self._settings.every * SECOND * 0.9
        if too_soon and fix.state == self._told[1]:
            return None
        self._told = (epoch.arrived_at, fix.state)
        full = replace(epoch, antenna=self._antenna, snrs=self._snrs)
        readings = readings_of(full, fix, self._settings.latency_ms, self._settings.uncertainty_ms)
        return Sample(readings, (fix,))


class Listening:
    """One line's bytes heard. ``heard`` counts good sentences, ``garbled`` damaged ones, ``silent_bytes`` since a good one."""

    def __init__(self, settings: ReceiverSettings, bare: bool = False) -> None:
        self._framer = Framer()
        self._builder = EpochBuilder()
        self._teller = Teller(settings)
        self._bare = bare
        self.heard = 0
        self.garbled = 0
        self.silent_bytes = 0

    def feed(self, chunk: bytes, arrived_at: int) -> list[Sample]:
        """The samples that a chunk completes; ``arrived_at`` µs UTC when its first byte came."""
        self.silent_bytes += len(chunk)
        epochs = [self._sentence(raw, arrived_at) for raw in self._framer.feed(chunk)]
        return self._samples(epochs)

    def pause(self) -> list[Sample]:
        """The line is silent: the epoch is complete."""
        return self._samples([self._builder.flush()])

    def _sentence(self, raw: bytes, arrived_at: int) -> Epoch | None:
        try:
            said = read_sentence(raw, self._bare)
        except DeviceGarbled:
            self.garbled += 1
            return None
        self.heard += 1
        self.silent_bytes = 0
        return self._builder.take(said, arrived_at) if said is not None else None

    def _samples(self, epochs: list[Epoch | None]) -> list[Sample]:
        told = [self._teller.tell(epoch) for epoch in epochs if epoch is not None]
        count = GARBLED.read(float(self.garbled), str(self.garbled))
        return [Sample((*one.readings, count), one.fixes) for one in told if one is not None]
