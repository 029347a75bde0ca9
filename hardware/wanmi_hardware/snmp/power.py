"""What a UPS's readings say together: which of them cannot be believed, its alarms, and the power state. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from wanmi.devices import Reading
from wanmi_hardware.snmp.cook import Readings
from wanmi_hardware.snmp.maps import OidMap
from wanmi_hardware.snmp.ups_words import ALARMS
from wanmi_hardware.snmp.values import Oid, Var, is_under

ALARM_ROOT: Oid = (1, 3, 6, 1, 2, 1, 33, 1, 6)
_DESCRIPTION = (*ALARM_ROOT, 2, 1, 2)
_WELL_KNOWN = (*ALARM_ROOT, 3)
_ALARM_NAMES = tuple(ALARMS)

_BY_SOURCE = {
    "mains": "mains",
    "booster": "mains",
    "reducer": "mains",
    "battery": "battery",
    "bypass": "bypass",
    "none": "off",
}

NO_MAINS_VOLTS = 50.0
"""Below this an output's frequency means nothing."""


def table_alarms(count: Reading | None, table: Mapping[Oid, Var]) -> Readings:
    """The well-known alarms of UPS-MIB as yes or no, from upsAlarmsPresent and the alarm table.

    No alarm present: all are off, whatever the table lists (agents list all 24). A table of more alarms than are
    present is not believed: then nothing is known about single ones.
    """
    if count is None or count.quality != "good" or not isinstance(count.value, float):
        return {}
    rows = [var for oid, var in table.items() if is_under(oid, _DESCRIPTION)]
    if count.value and len(rows) != count.value:
        return {}
    active = {_alarm_of(var) for var in rows} if count.value else set()
    raw = f"{count.value:g} present"
    return {f"alarm.{name}": Reading(f"alarm.{name}", "yes" if name in active else "no", raw) for name in ALARMS}


def _alarm_of(var: Var) -> str:
    """The name of a well-known alarm that a row points at, "" for a maker's own."""
    oid = var.value
    if not isinstance(oid, tuple) or not is_under(oid, _WELL_KNOWN) or len(oid) <= len(_WELL_KNOWN):
        return ""
    number = oid[len(_WELL_KNOWN)]
    return _ALARM_NAMES[number - 1] if 1 <= number <= len(_ALARM_NAMES) else ""


def flag_alarms(oid_map: OidMap, found: Mapping[Oid, Var]) -> Readings:
    """Alarms from a text of zeros and ones (PowerNet's upsBasicStateOutputState); all zeros is a card that does not
    know.
    """
    readings: Readings = {}
    for oid, bits in oid_map.flags.items():
        text = found[oid].text() if oid in found else ""
        if len(text) < max(bits) or set(text) != {"0", "1"}:
            continue
        for alarm in dict.fromkeys(bits.values()):
            on = any(text[bit - 1] == "1" for bit, name in bits.items() if name == alarm)
            readings[f"alarm.{alarm}"] = Reading(f"alarm.{alarm}", "yes" if on else "no", text)
    return readings


def judged(readings: Readings) -> Readings:
    """The readings with what contradicts itself made unknown, and what follows from them added."""
    readings = dict(readings)
    for side in ("input", "output", "bypass"):
        if _good_number(readings, f"{side}.lines") == 0:
            # No such side: what it says of its frequency is about nothing.
            readings.pop(f"{side}.frequency", None)
    _doubt_minutes(readings)
    _doubt_frequency(readings)
    _add_load(readings)
    _add_replace(readings)
    readings["power.state"] = power_state(readings)
    return readings


def power_state(readings: Mapping[str, Reading]) -> Reading:
    """The power state in one word. Only what the UPS says counts: no answer is no state of its power.

    The output source decides; where the agent has none, its alarms do, and then seconds on battery.
    """
    source = _word(readings, "power.source")
    state = _BY_SOURCE.get(source, "")
    why = f"source {source}" if state else ""
    if not state:
        state, why = _without_source(readings)
    if state == "battery" and _is_low(readings):
        return Reading("power.state", "low", f"{why}, battery low")
    if not state:
        return Reading("power.state", "unknown", "", "unknown")
    return Reading("power.state", state, why)


def _without_source(readings: Mapping[str, Reading]) -> tuple[str, str]:
    for alarm, state in (("on_battery", "battery"), ("on_bypass", "bypass"), ("ups_output_off", "off")):
        if _word(readings, f"alarm.{alarm}") == "yes":
            return state, f"alarm {alarm}"
    seconds = _good_number(readings, "battery.seconds_on")
    if seconds:
        return "battery", f"{seconds:g} s on battery"
    if _word(readings, "alarm.on_battery") == "no" and seconds is not None and not _is_low(readings):
        return "mains", "no alarm on_battery, 0 s on battery"
    return "", ""


def _is_low(readings: Mapping[str, Reading]) -> bool:
    return _word(readings, "battery.status") in ("low", "depleted") or "yes" in (
        _word(readings, "alarm.low_battery"),
        _word(readings, "alarm.depleted_battery"),
    )


def _word(readings: Mapping[str, Reading], name: str) -> str:
    reading = readings.get(name)
    return reading.value if reading and reading.quality == "good" and isinstance(reading.value, str) else ""


def _good_number(readings: Mapping[str, Reading], name: str) -> float | None:
    reading = readings.get(name)
    return reading.value if reading and reading.quality == "good" and isinstance(reading.value, float) else None


def _forget(readings: Readings, name: str) -> None:
    readings[name] = Reading(name, None, readings[name].raw, "unknown")


def _doubt_minutes(readings: Readings) -> None:
    """0 minutes of a full battery that nobody uses is an estimate that was not made."""
    charge = _good_number(readings, "battery.charge")
    used = _word(readings, "power.source") in ("battery", "none") or _is_low(readings)
    if _good_number(readings, "battery.minutes") == 0 and (charge or 0) >= 50 and not used:
        _forget(readings, "battery.minutes")


def _doubt_frequency(readings: Readings) -> None:
    """0 Hz where there are volts is a frequency that was not measured."""
    for name in [one for one in readings if one.endswith("frequency")]:
        side, _, row = name.removesuffix(".frequency").partition(".")
        voltages = [
            _good_number(readings, other)
            for other in readings
            if other.startswith(f"{side}.{row}" if row else f"{side}.") and other.endswith(".voltage")
        ]
        if _good_number(readings, name) == 0 and any((volts or 0) > NO_MAINS_VOLTS for volts in voltages):
            _forget(readings, name)


def _add_load(readings: Readings) -> None:
    """The load of the worst phase, where the UPS gives none for the whole."""
    if _good_number(readings, "output.load") is not None:
        return
    loads = [
        (load, readings[name].raw)
        for name in readings
        if name.startswith("output.") and name.endswith(".load") and (load := _good_number(readings, name)) is not None
    ]
    if loads:
        load, raw = max(loads)
        readings["output.load"] = Reading("output.load", load, raw)


def _add_replace(readings: Readings) -> None:
    """Whether the battery needs replacing, from the alarm where there is no object for it."""
    bad = _word(readings, "alarm.battery_bad")
    if bad and not _word(readings, "battery.replace"):
        readings["battery.replace"] = Reading("battery.replace", bad, readings["alarm.battery_bad"].raw)
