"""What an edge checks before it takes a report in; every refusal has a reason code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from wanmi.coords import Point, to_wgs84
from wanmi.reports.envelope import Attachment, Report, ReportMessage, decode_report, verify_report
from wanmi.reports.keys import Known, judge_key
from wanmi.reports.reasons import Reason, Refused

MINUTE = 60_000_000
"""Microseconds."""


class Bounds(Protocol):
    """The area that a city answers for."""

    def covers(self, point: Point) -> bool:
        """Whether a WGS-84 point lies inside."""
        ...


@dataclass(frozen=True)
class Box:
    """A box of WGS-84 coordinates in 1e-7 degree, borders included."""

    west: int
    south: int
    east: int
    north: int

    def covers(self, point: Point) -> bool:
        """Whether the point lies in the box."""
        return self.west <= point.lon_e7 <= self.east and self.south <= point.lat_e7 <= self.north


@dataclass(frozen=True)
class Limits:
    """How much an edge takes in; the defaults are the protocol's, an edge may set lower ones."""

    photo_bytes: int = 8 * 1024 * 1024
    text_bytes: int = 8 * 1024
    ahead_us: int = 5 * MINUTE
    """How far a terminal's clock may run ahead."""


@dataclass(frozen=True)
class Rules:
    """What reports are checked against: the city's area, its catalogue (kind, category), the limits."""

    bounds: Bounds
    knows_category: Callable[[str, str], bool]
    limits: Limits = field(default_factory=Limits)


def check_report(report: Report, now: int, rules: Rules) -> Reason | None:
    """The first reason to refuse a well-formed, authentic report, or None; ``now`` is µs UTC."""
    if max(report.made_at, report.fix_at) > now + rules.limits.ahead_us:
        return Reason.FUTURE_TIME
    if report.lon_e7 == 0 and report.lat_e7 == 0:
        return Reason.NO_POSITION
    if not rules.bounds.covers(to_wgs84(Point(report.lon_e7, report.lat_e7), report.datum)):
        return Reason.OUTSIDE_CITY
    if not rules.knows_category(report.kind, report.category):
        return Reason.UNKNOWN_CATEGORY
    return check_sizes(report.attachments, rules.limits)


def examine(
    payload: bytes,
    topic_terminal: str,
    terminals: Callable[[str], Known | None] | Mapping[str, Known],
    now: int,
    rules: Rules,
    content_type: str = "application/json",
) -> ReportMessage:
    """Decode, authenticate and check one message that came on ``topic_terminal``'s topic; raises Refused.

    ``Refused.reason.authentic`` tells whether the refusal is worth an entry (the terminal really said this) or
    is junk that anybody may have sent. Left to the edge: ``id_reused`` and ``parts_missing``, which need its store.
    """
    message = decode_report(payload, content_type)
    report = message.report
    find = terminals if callable(terminals) else terminals.get
    reason = _check_sender(message, topic_terminal, find, now) or check_report(report, now, rules)
    if reason is not None:
        raise Refused(reason, terminal=report.terminal, report_id=report.report_id)
    return message


def _check_sender(
    message: ReportMessage, topic_terminal: str, find: Callable[[str], Known | None], now: int
) -> Reason | None:
    if message.report.terminal != topic_terminal:
        return Reason.WRONG_TERMINAL
    known = find(topic_terminal)
    return judge_key(known, message.key_id, lambda key: verify_report(message, key), message.report.made_at, now)


def check_sizes(attachments: tuple[Attachment, ...], limits: Limits) -> Reason | None:
    """The reason to refuse attachments that are larger than the limits, or None."""
    for attachment in attachments:
        if attachment.role == "text":
            if attachment.size > limits.text_bytes:
                return Reason.TEXT_TOO_LONG
        elif attachment.size > limits.photo_bytes:
            return Reason.PHOTO_TOO_BIG
    return None
