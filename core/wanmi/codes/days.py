"""The local day of an instant: case numbers carry it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wanmi.errors import BadInput

__all__ = ["CITY_ZONE", "local_date"]

CITY_ZONE: Final = "Asia/Shanghai"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_date(at_us: int, tz: str = CITY_ZONE) -> date:
    """The calendar day at `at_us` (µs UTC) in a time zone; raises BadInput for an unknown zone or a time beyond years."""
    try:
        return (_EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(tz)).date()
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"time zone {tz!r}: not known here; name one of the IANA list, or install tzdata") from error
    except OverflowError as error:
        raise BadInput(f"time {at_us}: outside the years 1 to 9999; it must be microseconds since 1970 UTC") from error
