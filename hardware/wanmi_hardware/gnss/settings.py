"""Settings of the receivers' drivers."""

from __future__ import annotations

from pydantic import Field

from wanmi.devices import DeviceSettings
from wanmi_hardware.gnss.validity import Bounds


class ReceiverSettings(DeviceSettings):
    """What all receivers have."""

    vehicle: str = Field(default="", max_length=40)
    """The vehicle that carries the receiver (its plate or fleet number); empty: it stands with the node."""
    every: float = Field(default=1.0, ge=0.05, le=3600)
    """Seconds between two samples that are kept; a receiver may speak more often."""
    max_speed: float = Field(default=90.0, gt=0, le=1000)
    """Metres a second beyond which a move is a jump and its position implausible."""
    latency_ms: float = Field(default=0.0, ge=0, le=2000)
    """Milliseconds from the moment that a position is of until its first byte arrives; measure it once against NTP."""
    uncertainty_ms: float = Field(default=500.0, gt=0, le=60_000)
    """Milliseconds by which the clock offset may be wrong; 500 is what NMEA without a pulse can promise."""

    @property
    def bounds(self) -> Bounds:
        """What can be."""
        return Bounds(speed=self.max_speed)


class SerialSettings(ReceiverSettings):
    """A receiver on a serial line."""

    path: str = Field(min_length=1, max_length=300)
    """The port; best its name under /dev/serial/by-id, which stays the same when it is plugged in elsewhere."""
    baud: int = Field(default=9600, ge=300, le=4_000_000)
    """Bits a second, as the receiver's manual says: 4800, 9600, 38400, 115200 …"""
    bare: bool = False
    """Take sentences without a checksum too (receivers of the 1990s): damage then goes unseen."""


class GpsdSettings(ReceiverSettings):
    """A receiver behind gpsd."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    """Where gpsd runs."""
    port: int = Field(default=2947, ge=1, le=65535)
    """Its TCP port."""
    device: str = Field(default="", max_length=300)
    """The receiver's path as gpsd names it; empty: whichever speaks."""
    uncertainty_ms: float = Field(default=500.0, gt=0, le=60_000)
    """Milliseconds by which the clock offset may be wrong; with a pulse (gpsd's TOFF or PPS) it is far less."""
