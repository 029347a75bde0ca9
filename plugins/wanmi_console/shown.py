"""How times, places, sizes and hashes are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from wanmi.clock import SECOND
from wanmi.codes import CITY_ZONE
from wanmi.coords import format_degrees
from wanmi_console.words import Translate

_ZONE = ZoneInfo(CITY_ZONE)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LAST = 253_402_214_400
"""Seconds at the end of year 9999: nothing later can be written as a day."""


def local_time(at: int) -> str:
    """µs UTC as the city's wall clock: 2026-11-24 11:00:05."""
    return datetime.fromtimestamp(min(at // SECOND, _LAST), UTC).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def machine_time(at: int) -> str:
    """µs UTC for the ``datetime`` of a time element."""
    return datetime.fromtimestamp(min(at // SECOND, _LAST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def short_time(at: int) -> str:
    """µs UTC as 11-24 11:00."""
    return local_time(at)[5:16]


def position(lon_e7: int, lat_e7: int) -> str:
    """Longitude, latitude in degrees with seven places."""
    return f"{format_degrees(lon_e7)}, {format_degrees(lat_e7)}"


def size(count: int) -> str:
    """Bytes in B, KB, MB or GB."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} KB"
    return f"{count / 1_000_000:.1f} MB" if count < 1_000_000_000 else f"{count / 1_000_000_000:.1f} GB"


def fact(name: str, value: str | int) -> str:
    """A probe's figure: bytes as sizes, digests shortened, anything else as it is."""
    if isinstance(value, int):
        return size(value) if name.endswith("bytes") else str(value)
    return short_hash(value) if _DIGEST.fullmatch(value) else value


def ago(t: Translate, seconds: int) -> str:
    """A span as people say it: 45 s, 12 min, 3 h, 5 d."""
    for span, word in ((86400, t("%(n)s d")), (3600, t("%(n)s h")), (60, t("%(n)s min"))):
        if seconds >= 2 * span or (span < 86400 and seconds >= span):
            return word % {"n": seconds // span}
    return t("%(n)s s") % {"n": max(seconds, 0)}


def short_hash(digest: str) -> str:
    """The first twelve digits, enough to compare by eye."""
    return digest[:12]
