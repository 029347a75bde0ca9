"""From an agent's variables to readings. Pure: any variables give readings, never an error, never a good value that
cannot be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from wanmi.devices import Quantity, Reading
from wanmi_hardware.snmp.maps import OidMap, Read, quantity_of
from wanmi_hardware.snmp.quirks import Change, changed
from wanmi_hardware.snmp.values import Oid, Var

Readings = dict[str, Reading]
Quantities = Mapping[str, Quantity]

ALWAYS_UNKNOWN = frozenset({-2147483648.0, 2147483647.0, 4294967295.0, 18446744073709551615.0})
"""Ends of the number types: what agents send when they have nothing."""


def cook(oid_map: OidMap, found: Mapping[Oid, Var], quantities: Quantities, changes: Iterable[Change] = ()) -> Readings:
    """The readings of what the map knows among ``found``, by name; plausibility judged, raw kept."""
    changes = tuple(changes)
    readings: Readings = {}
    for oid in sorted(found):
        placed = oid_map.place(oid)
        if placed is None:
            continue
        read, name = placed
        fitted = changed(read, changes)
        quantity = quantity_of(name, quantities)
        if fitted is None or quantity is None or found[oid].is_absent or name in readings:
            continue
        readings[name] = reading_of(name, fitted, found[oid], quantity)
    _drop_absent_rows(oid_map, readings)
    return readings


def reading_of(name: str, read: Read, var: Var, quantity: Quantity) -> Reading:
    """One cooked reading."""
    if quantity.words:
        return _word(name, read, var)
    number = var.number()
    if number is None or number in read.unknown or number in ALWAYS_UNKNOWN:
        return Reading(name, None, var.raw(), "unknown")
    value, plausible = _scaled(read, number)
    if not math.isfinite(value):
        return Reading(name, None, var.raw(), "implausible")
    good = plausible and quantity.is_plausible(value)
    return Reading(name, value, var.raw(), "good" if good else "implausible")


def _word(name: str, read: Read, var: Var) -> Reading:
    """The reading of a quantity with words; a number that means no word is unknown."""
    number = var.number()
    said = str(int(number)) if number is not None and number.is_integer() else var.text()
    word = read.words.get(said)
    return Reading(name, word, var.raw(), "unknown" if word is None else "good")


def _scaled(read: Read, number: float) -> tuple[float, bool]:
    """The value, and whether a scale was found that makes it one. Zero needs no scale."""
    if not read.scales or not number or read.low is None or read.high is None:
        return _tidy(number * read.scale + read.add), True
    for scale in read.scales:
        if read.low <= number * scale <= read.high:
            return _tidy(number * scale), True
    return _tidy(number * read.scales[0]), False


def _tidy(value: float) -> float:
    """Without the noise of a decimal scale: 230.1 and not 230.10000000000002."""
    return round(value, 3)


def _drop_absent_rows(oid_map: OidMap, readings: Readings) -> None:
    """Take out rows beyond the number that the agent says is real: agents list absent phases with zeros."""
    for read in oid_map.columns.values():
        said = readings.get(read.lines)
        if said is None or said.quality != "good" or not isinstance(said.value, float):
            continue
        before, after = read.quantity.split("#")
        for name in [one for one in readings if one.startswith(before) and one.endswith(after)]:
            row = name[len(before) : len(name) - len(after)]
            if row.isdigit() and int(row) > said.value:
                del readings[name]


def merged(several: Iterable[Readings]) -> Readings:
    """One reading a name: the first good one, or else the first."""
    best: Readings = {}
    for readings in several:
        for name, reading in readings.items():
            if name not in best or (best[name].quality != "good" and reading.quality == "good"):
                best[name] = reading
    return best
