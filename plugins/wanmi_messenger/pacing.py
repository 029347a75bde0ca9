"""When the next try may be: back-off with jitter, Retry-After, quiet hours, caps a minute. Pure.

Times are µs UTC, durations seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from wanmi.clock import SECOND

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = 60 * SECOND
LONGEST_ASKED = 86_400
"""Seconds that a peer's Retry-After may ask for at most."""


@dataclass(frozen=True)
class BackOff:
    """Delays: ``first`` seconds, doubled from try to try, at most ``longest``; dead after ``tries``."""

    first: int
    longest: int
    tries: int

    def delay(self, tries: int, asked: int | None, chance: int) -> int:
        """Seconds to wait after try number ``tries`` (from 1).

        Between half and the whole of the doubled delay, by ``chance`` (0 to 65535), so that messages that failed
        together do not come back together. Never less than the peer ``asked`` for (a day at most).
        """
        whole = min(self.first << min(tries - 1, 40), self.longest)
        half = (whole + 1) // 2
        jittered = half + (whole - half) * chance // 65_535
        return max(jittered, min(asked or 0, LONGEST_ASKED))


def retry_after(value: str | None, now: int) -> int | None:
    """Seconds that a Retry-After header asks for: a number or an HTTP date; None where it says nothing usable."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return max(0, -(-(int(when.timestamp()) * SECOND - now) // SECOND))


def quiet_until(now: int, spans: Sequence[str]) -> int | None:
    """The end of the quiet hours that ``now`` lies in, µs UTC; None when it lies in none.

    A span is ``22:00-07:00``, local time; its first minute is quiet, its last one is not.
    """
    local = datetime.fromtimestamp(now // SECOND, ZONE)
    ends = [end for span in spans if (end := _end_of(local, span)) is not None]
    return int(max(ends).timestamp()) * SECOND if ends else None


def _end_of(local: datetime, span: str) -> datetime | None:
    begin, end = (time.fromisoformat(part) for part in span.split("-"))
    today, tomorrow = (datetime.combine(local.date() + timedelta(days=n), end, ZONE) for n in (0, 1))
    clock = local.time()
    if begin < end:
        return today if begin <= clock < end else None
    if clock >= begin:
        return tomorrow
    return today if clock < end else None


class RateCap:
    """At most ``per_minute`` tries in any minute."""

    def __init__(self, per_minute: int, tried: Iterable[int] = ()) -> None:
        self._tried: deque[int] = deque(sorted(tried), maxlen=per_minute)

    def free_at(self, now: int) -> int:
        """When the next try may begin; ``now`` itself when at once."""
        if len(self._tried) < (self._tried.maxlen or 0):
            return now
        return max(now, self._tried[0] + MINUTE)

    def note(self, now: int) -> None:
        """A try begins."""
        self._tried.append(now)
