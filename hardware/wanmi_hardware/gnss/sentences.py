"""One sentence's meaning. Pure. pynmea2 takes the fields apart; what they say is read here, strictly and in integers.

pynmea2 gives 0.0 for an empty coordinate and takes a sentence without a checksum: coordinates, times and checksums are
not left to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import xor
from typing import Any

from wanmi.errors import DeviceGarbled

EPOCH = date(1970, 1, 1)
KNOT_CM_S = 51.4444

SYSTEMS = {"GP": "GP", "GL": "GL", "GA": "GA", "GB": "BD", "BD": "BD", "GQ": "QZ", "QZ": "QZ", "GI": "NI"}
"""Talkers that are one constellation; BeiDou is BD, whether its receiver says GB or BD."""
_SYSTEM_ID = {"1": "GP", "2": "GL", "3": "GA", "4": "BD", "5": "QZ", "6": "NI"}
_QUALITY = {
    "0": "none", "1": "plain", "2": "differential", "3": "plain", "4": "rtk", "5": "rtk_float", "6": "estimated",
    "7": "manual", "8": "simulated",
}  # fmt: skip
_MODE = {
    "N": "none", "A": "plain", "D": "differential", "P": "plain", "R": "rtk", "F": "rtk_float", "E": "estimated",
    "M": "manual", "S": "simulated",
}  # fmt: skip
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(?:\.(\d*))?", re.ASCII)
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d*)?", re.ASCII)
_LATITUDE = re.compile(r"(\d{1,2})([0-5]\d)(?:\.(\d*))?", re.ASCII)
_LONGITUDE = re.compile(r"(\d{1,3})([0-5]\d)(?:\.(\d*))?", re.ASCII)
_ANTENNA = re.compile(r"ANT(?:STATUS|ENNA)[ =:]*(OK|OPEN|SHORT|INIT|DONTKNOW)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Said:
    """What one sentence says; None where it does not. ``time`` µs of the UTC day, ``day`` days since 1970.

    ``has_fix`` is the sentence's own word on its position; ``how`` one of plain, differential, rtk, rtk_float,
    estimated, manual, simulated, none. ``used`` are satellites in use, ``heard`` satellites with their SNR (dB-Hz).
    """

    kind: str
    time: int | None = None
    day: int | None = None
    has_fix: bool | None = None
    lon_e7: int | None = None
    lat_e7: int | None = None
    how: str = ""
    dimensions: int | None = None
    altitude_cm: int | None = None
    speed_cm_s: int | None = None
    course_cdeg: int | None = None
    satellites: int | None = None
    hdop: int | None = None
    used: tuple[tuple[str, str], ...] = ()
    heard: tuple[tuple[str, str, int], ...] = ()
    antenna: str = ""


def read_sentence(raw: bytes, bare: bool = False) -> Said | None:
    """What a framed sentence says; None when it is of a kind that says nothing here.

    Raises DeviceGarbled for a wrong checksum, a missing one (unless ``bare``), or a field that cannot be.
    """
    body = _checked(raw, bare)
    if body.startswith("PGTOP"):
        return _pgtop(body.split(","))
    reader = _READERS.get(body[2:5])
    if reader is None or body[5:6] != "," or not body[:5].isalnum():
        return None
    import pynmea2

    try:
        message: Any = pynmea2.parse(body)
    except pynmea2.ParseError as error:
        raise DeviceGarbled(f"not a sentence: {body[:40]}") from error
    if not isinstance(message, pynmea2.TalkerSentence):  # a manufacturer's own, that ends like one of ours
        return None
    return reader(message)


def _checked(raw: bytes, bare: bool) -> str:
    body, star, given = raw.decode("ascii", "replace").strip().partition("*")
    if not star:
        if bare:
            return body
        raise DeviceGarbled(f"no checksum: {body[:40]}")
    if not re.fullmatch(r"[0-9A-Fa-f]{2}", given) or int(given, 16) != reduce(xor, raw[: raw.index(b"*")], 0):
        raise DeviceGarbled(f"wrong checksum: {body[:40]}")
    return body


# -- kinds -------------------------------------------------------------------------------------------------


def _gga(m: Any) -> Said:
    how = _word(_QUALITY, m, "gps_qual")
    lon, lat = _position(m)
    return Said(
        "GGA", time=_time(m), has_fix=how != "none", how=how, lon_e7=lon, lat_e7=lat,
        satellites=_count(m, "num_sats"), hdop=_scaled(m, "horizontal_dil", 100),
        altitude_cm=_scaled(m, "altitude", 100),
    )  # fmt: skip


def _gns(m: Any) -> Said:
    words = [_MODE.get(letter, "none") for letter in _raw(m, "mode_indicator")] or ["none"]
    how = max(words, key=_RANK.index)
    lon, lat = _position(m)
    return Said(
        "GNS", time=_time(m), has_fix=how != "none", how=how, lon_e7=lon, lat_e7=lat,
        satellites=_count(m, "num_sats"), hdop=_scaled(m, "hdop", 100), altitude_cm=_scaled(m, "altitude", 100),
    )  # fmt: skip


_RANK = ("none", "simulated", "manual", "estimated", "plain", "differential", "rtk_float", "rtk")


def _rmc(m: Any) -> Said:
    lon, lat = _position(m)
    return Said(
        "RMC", time=_time(m), day=_day(m), has_fix=_raw(m, "status") == "A", how=_mode(m, "mode_indicator"),
        lon_e7=lon, lat_e7=lat, speed_cm_s=_scaled(m, "spd_over_grnd", KNOT_CM_S),
        course_cdeg=_scaled(m, "true_course", 100),
    )  # fmt: skip


def _gll(m: Any) -> Said:
    lon, lat = _position(m)
    status = _raw(m, "status")
    return Said("GLL", time=_time(m), has_fix=status == "A", how=_mode(m, "faa_mode"), lon_e7=lon, lat_e7=lat)


def _vtg(m: Any) -> Said:
    speed = _scaled(m, "spd_over_grnd_kts", KNOT_CM_S)
    return Said("VTG", speed_cm_s=speed, course_cdeg=_scaled(m, "true_track", 100))


def _zda(m: Any) -> Said:
    parts = [_raw(m, name) for name in ("year", "month", "day")]
    return Said("ZDA", time=_time(m), day=_days(*parts) if all(parts) else None)


def _gsa(m: Any) -> Said:
    system_id = m.data[17] if len(m.data) > 17 else ""
    talker = SYSTEMS.get(m.talker, "")
    ids = [one for one in m.data[2:14] if one.isdigit()]
    used = tuple((_SYSTEM_ID.get(system_id) or _system_of(int(one), talker), one) for one in ids)
    dimensions = {"1": 0, "2": 2, "3": 3}.get(_raw(m, "mode_fix_type"))
    return Said("GSA", dimensions=dimensions, used=used, hdop=_scaled(m, "hdop", 100))


def _gsv(m: Any) -> Said:
    talker = SYSTEMS.get(m.talker, "")
    rows = [m.data[n : n + 4] for n in range(3, len(m.data) - 3, 4)]
    heard = tuple(
        (_system_of(int(row[0]), talker), row[0], int(row[3])) for row in rows if row[0].isdigit() and row[3].isdigit()
    )
    return Said("GSV", heard=tuple(one for one in heard if 0 < one[2] < 100))


def _txt(m: Any) -> Said | None:
    found = _ANTENNA.search(m.data[3].upper()) if len(m.data) > 3 else None
    return Said("TXT", antenna=_antenna(found.group(1))) if found else None


def _pgtop(parts: list[str]) -> Said | None:
    """MediaTek's word on its antenna: 1 open or shorted, 2 the one inside, 3 an active one outside."""
    if len(parts) < 3 or parts[1] != "11":
        return None
    word = {"1": "open", "2": "ok", "3": "ok"}.get(parts[2])
    return Said("TXT", antenna=word) if word else None


_READERS: dict[str, Callable[[Any], Said | None]] = {
    "GGA": _gga, "GNS": _gns, "RMC": _rmc, "GLL": _gll, "VTG": _vtg, "ZDA": _zda, "GSA": _gsa, "GSV": _gsv, "TXT": _txt,
}  # fmt: skip


# -- fields ------------------------------------------------------------------------------------------------


def _raw(m: Any, name: str) -> str:
    """The field's text, "" where the sentence is too short for it."""
    index: int = m.name_to_idx[name]
    text: str = m.data[index] if index < len(m.data) else ""
    return text


def _word(words: dict[str, str], m: Any, name: str) -> str:
    return words.get(_raw(m, name), "none")


def _mode(m: Any, name: str) -> str:
    """A mode letter; receivers before NMEA 2.3 send none."""
    letter = _raw(m, name)
    return _MODE.get(letter, "none") if letter else ""


def _number(m: Any, name: str) -> float | None:
    text = _raw(m, name)
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise DeviceGarbled(f"{name} {text!r} is no number")
    return float(text)


def _scaled(m: Any, name: str, by: float) -> int | None:
    number = _number(m, name)
    return None if number is None else round(number * by)


def _count(m: Any, name: str) -> int | None:
    text = _raw(m, name)
    if text and not (text.isascii() and text.isdigit() and len(text) < 4):
        raise DeviceGarbled(f"{name} {text!r} is no count")
    return int(text) if text else None


def _time(m: Any) -> int | None:
    text = _raw(m, "timestamp")
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise DeviceGarbled(f"time {text!r} is none")
    hours, minutes, seconds = (int(found.group(n)) for n in (1, 2, 3))
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + int((found.group(4) or "")[:6].ljust(6, "0"))


def _day(m: Any) -> int | None:
    text = _raw(m, "datestamp")
    if not text:
        return None
    found = _DATE.fullmatch(text)
    if found is None:
        raise DeviceGarbled(f"date {text!r} is none")
    year = int(found.group(3))
    return _days(str(year + (1900 if year >= 80 else 2000)), found.group(2), found.group(1))


def _days(year: str, month: str, day: str) -> int:
    try:
        return (date(int(year), int(month), int(day)) - EPOCH).days
    except (ValueError, OverflowError) as error:  # too long for a year, or for a C int
        raise DeviceGarbled(f"date {year}-{month}-{day} is none") from error


def _position(m: Any) -> tuple[int | None, int | None]:
    """Longitude and latitude, 1e-7 degree; both or none."""
    parts = [_raw(m, name) for name in ("lon", "lon_dir", "lat", "lat_dir")]
    if not all(parts):
        return None, None
    return _angle(_LONGITUDE, parts[0], parts[1], "EW", 180), _angle(_LATITUDE, parts[2], parts[3], "NS", 90)


def _angle(form: re.Pattern[str], text: str, side: str, sides: str, most: int) -> int:
    found = form.fullmatch(text)
    if found is None or side not in tuple(sides):
        raise DeviceGarbled(f"coordinate {text!r} {side!r} is none")
    minutes_e8 = int(found.group(2)) * 10**8 + int((found.group(3) or "")[:8].ljust(8, "0"))
    e7 = int(found.group(1)) * 10**7 + (minutes_e8 + 300) // 600
    if e7 > most * 10**7:
        raise DeviceGarbled(f"coordinate {text!r} is beyond {most} degrees")
    return e7 if side == sides[0] else -e7


def _system_of(number: int, talker: str) -> str:
    """A satellite's constellation, by the number ranges that receivers agree on, else by who speaks."""
    if 33 <= number <= 64 and talker in ("GP", ""):
        return "SB"
    if talker not in ("", "GP"):
        return talker
    for low, high, system in _RANGES:
        if low <= number <= high:
            return system
    return talker or "GP"


_RANGES = ((1, 32, "GP"), (65, 99, "GL"), (120, 158, "SB"), (193, 200, "QZ"), (201, 264, "BD"), (301, 336, "GA"), (401, 437, "BD"))  # fmt: skip


def _antenna(word: str) -> str:
    return {"OK": "ok", "OPEN": "open", "SHORT": "short"}.get(word, "unknown")
