"""The hours of a work day: spans of local time, and how much of a day's work is done when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from wanmi.clock import SECOND
from wanmi.errors import BadInput

__all__ = ["WorkHours"]

_SPAN = re.compile(r"([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)")
_DAY_US = 86_400 * SECOND


@dataclass(frozen=True)
class WorkHours:
    """Spans of local time, `(start, end)` in µs after midnight: in order, apart, none empty."""

    spans: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        edges = [edge for span in self.spans for edge in span]
        if not edges or edges[0] < 0 or edges[-1] > _DAY_US or edges != sorted(set(edges)):
            raise BadInput(
                f"working hours {self.text!r}: spans must lie within a day, in order, with breaks between them"
            )

    @classmethod
    def parse(cls, text: str) -> WorkHours:
        """`08:00-12:00,14:00-18:00`; BadInput says what is wrong. `24:00` is the day's end."""
        spans = []
        for part in text.split(","):
            found = _SPAN.fullmatch(part.strip())
            if found is None:
                raise BadInput(f"working hours {part.strip()!r}: not of the form 08:00-12:00; put commas between spans")
            hour, minute, until_hour, until_minute = map(int, found.groups())
            spans.append(((hour * 60 + minute) * 60 * SECOND, (until_hour * 60 + until_minute) * 60 * SECOND))
        return cls(tuple(spans))

    @cached_property
    def total(self) -> int:
        """Working µs of a work day."""
        return sum(end - start for start, end in self.spans)

    @property
    def text(self) -> str:
        """As `parse` takes it; seconds are not shown."""
        return ",".join(f"{_clock(start)}-{_clock(end)}" for start, end in self.spans)

    def done(self, tod: int) -> int:
        """Working µs of a work day from midnight to `tod` (µs after midnight)."""
        worked = 0
        for start, end in self.spans:
            if tod >= end:
                worked += end - start
            elif tod > start:
                return worked + tod - start
        return worked

    def reached(self, work: int) -> int:
        """The first µs after midnight at which `work` (1 to `total`) is done."""
        for start, end in self.spans:
            if work <= end - start:
                return start + work
            work -= end - start
        raise BadInput(f"working hours {self.text}: a day has no {work} µs more than its hours")


def _clock(us: int) -> str:
    minutes = us // (60 * SECOND)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
