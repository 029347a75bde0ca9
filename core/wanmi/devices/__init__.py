"""Devices: the shared types that edge, hardware, terminal UI and screens speak in. Pure; no I/O, no clock of its own."""

from __future__ import annotations

from wanmi.devices.alarms import CALM, AlarmRule, AlarmState, Change, Severity, acknowledge, step
from wanmi.devices.drivers import KINDS, Command, DeviceKind, DeviceSettings, Driver, Found, Place, Session
from wanmi.devices.health import WORDS, Contact, DeviceHealth, HealthState, Pace, health_of
from wanmi.devices.readings import Event, Fix, FixState, Identity, Quality, Quantity, Reading, Sample, Value

__all__ = [
    "CALM",
    "KINDS",
    "WORDS",
    "AlarmRule",
    "AlarmState",
    "Change",
    "Command",
    "Contact",
    "DeviceHealth",
    "DeviceKind",
    "DeviceSettings",
    "Driver",
    "Event",
    "Fix",
    "FixState",
    "Found",
    "HealthState",
    "Identity",
    "Pace",
    "Place",
    "Quality",
    "Quantity",
    "Reading",
    "Sample",
    "Session",
    "Severity",
    "Value",
    "acknowledge",
    "health_of",
    "step",
]
