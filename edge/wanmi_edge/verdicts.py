"""What one message is: a part, a good report, an authentic one that is not taken, or junk. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wanmi.codes import CASE_KINDS, Profile, load_district_facts
from wanmi.coords import Point
from wanmi.errors import BadInput
from wanmi.reports import (
    AnswerMessage,
    Bounds,
    Box,
    FieldTopic,
    Known,
    Limits,
    PartTopic,
    Reason,
    Refused,
    ReportMessage,
    Rules,
    Seen,
    Signed,
    Status,
    TrackBatch,
    decode_answer,
    decode_report,
    decode_seen,
    examine,
    examine_answer,
    judge_key,
    open_status,
    open_track,
    parse_topic,
)
from wanmi.reports.rotations import Rotation, RotationWire, read_rotation
from wanmi.reports.topics import FieldWord
from wanmi.settings import RegionSettings
from wanmi_edge.settings import MIB, IntakeSettings

SAMPLE = 1024
"""Bytes of a junk message that are kept."""
WHOLE = 16 * 1024
"""Bytes up to which a message is kept whole because it may be good once its terminal is admitted."""


@dataclass(frozen=True)
class Good:
    """A report that was verified and checked; its parts may still be missing."""

    report: ReportMessage


@dataclass(frozen=True)
class No:
    """A report that its terminal surely made and that is not taken, for a reason that will not pass."""

    report: ReportMessage
    reason: Reason


@dataclass(frozen=True)
class Later:
    """A report that is not taken now: no entry, no junk, only the answer."""

    report: ReportMessage
    reason: Reason


@dataclass(frozen=True)
class Junk:
    """Anybody may have sent this; ``terminal`` is the topic's, if it has one."""

    topic: str
    payload: bytes
    reason: str
    detail: str
    terminal: str | None = None
    report_id: str | None = None


def sample_of(junk: Junk) -> bytes:
    """What is kept of a junk message: its beginning, or all of it if it may be good another time."""
    whole = junk.reason in (Reason.UNKNOWN_TERMINAL, Reason.REVOKED_TERMINAL) and len(junk.payload) <= WHOLE
    return junk.payload if whole else junk.payload[:SAMPLE]


@dataclass(frozen=True)
class Part:
    """A part or a chunk of one, from an admitted terminal."""

    topic: PartTopic
    content: bytes


@dataclass(frozen=True)
class Answered:
    """An answer that its terminal surely made; ``reason`` is set when the rules refuse it."""

    message: AnswerMessage
    reason: Reason | None = None


@dataclass(frozen=True)
class Told:
    """A terminal says which tasks it holds."""

    seen: Seen


@dataclass(frozen=True)
class Positions:
    """A signed batch of a terminal's positions, and its message as it came."""

    batch: TrackBatch
    payload: bytes


@dataclass(frozen=True)
class Said:
    """A terminal says how it is, signed by this key of its own."""

    status: Status
    public_key: bytes


@dataclass(frozen=True)
class Rotating:
    """A terminal asks for a new key with both signatures; the old one is its key, as far as this edge knows."""

    rotation: Rotation
    wire: RotationWire


FieldVerdict = Answered | Told | Positions | Said | Rotating
Verdict = Good | No | Later | Junk | Part | FieldVerdict


class Judge:
    """Tells what messages are, by the rules of the city and the terminals that are admitted."""

    def __init__(self, rules: Rules, find: Callable[[str], Known | None]) -> None:
        self._rules = rules
        self._find = find

    def judge(self, topic: str, payload: bytes, content_type: str, now: int) -> Verdict:
        """The verdict on a message that came at ``now`` (µs UTC)."""
        try:
            where = parse_topic(topic)
        except BadInput as error:
            return Junk(topic, payload, "bad_topic", str(error))
        if isinstance(where, PartTopic):
            return self._part(topic, where, payload)
        if isinstance(where, FieldTopic):
            return self._field(topic, where, payload, content_type, now)
        try:
            return Good(examine(payload, where.terminal, self._find, now, self._rules, content_type))
        except Refused as refused:
            return _refusal(topic, where.terminal, payload, content_type, refused)

    def _field(self, topic: str, where: FieldTopic, payload: bytes, content_type: str, now: int) -> Verdict:
        try:
            if where.what == "answer":
                return Answered(examine_answer(payload, where.terminal, self._find, now, self._rules, content_type))
            return self._told(where, payload, now)
        except Refused as refused:
            if where.what == "answer" and refused.reason.authentic:
                return Answered(decode_answer(payload, content_type), refused.reason)
            report_id = refused.report_id if refused.terminal in (where.terminal, None) else None
            whose = where.terminal if where.what == "answer" else None
            return Junk(topic, payload, refused.reason, refused.detail, whose, report_id)
        except BadInput as error:
            return Junk(topic, payload, Reason.WRONG_SCHEMA, str(error))

    def _told(self, where: FieldTopic, payload: bytes, now: int) -> Verdict:
        known = self._find(where.terminal)
        if known is None or known.revoked:
            raise Refused(Reason.REVOKED_TERMINAL if known else Reason.UNKNOWN_TERMINAL, terminal=where.terminal)
        if where.what == "rotate":
            return _rotating(where.terminal, payload, known)
        said, key = (decode_seen(payload), b"") if where.what == "seen" else _signed(where.what, payload, known, now)
        if said.terminal != where.terminal:
            raise Refused(Reason.WRONG_TERMINAL, terminal=where.terminal)
        if isinstance(said, Status):
            return Said(said, key)
        return Told(said) if isinstance(said, Seen) else Positions(said, payload)

    def _part(self, topic: str, where: PartTopic, payload: bytes) -> Verdict:
        known = self._find(where.terminal)
        if known is None or known.revoked:
            reason = Reason.REVOKED_TERMINAL if known else Reason.UNKNOWN_TERMINAL
            return Junk(topic, payload, reason, "a part from a terminal that is not admitted", where.terminal)
        return Part(where, payload)


def _rotating(terminal: str, payload: bytes, known: Known) -> Rotating:
    """A request for a new key by today's; one that was granted already comes here too: its answer may be lost."""
    rotation, wire = read_rotation(payload)
    if rotation.terminal != terminal:
        raise Refused(Reason.WRONG_TERMINAL, terminal=terminal)
    if not known.has_key(bytes.fromhex(rotation.old_key)):
        raise Refused(Reason.UNKNOWN_KEY, terminal=terminal)
    return Rotating(rotation, wire)


def _signed(what: FieldWord, payload: bytes, known: Known, now: int) -> tuple[TrackBatch | Status, bytes]:
    """A status or a batch of positions, and the key of the terminal that signed it and counts now; raises Refused."""
    opened: Signed[Status] | Signed[TrackBatch] = open_status(payload) if what == "status" else open_track(payload)
    said = opened.said
    made_at = said.made_at if isinstance(said, Status) else said.fixes[-1].at
    reason = judge_key(known, opened.signed_by, opened.fits, made_at, now)
    if reason is not None:
        raise Refused(reason, terminal=said.terminal)
    return said, next(key for key in known.valid_keys() if opened.fits(key))


def _refusal(topic: str, terminal: str, payload: bytes, content_type: str, refused: Refused) -> Verdict:
    if not refused.reason.authentic:
        report_id = refused.report_id if refused.terminal in (terminal, None) else None
        return Junk(topic, payload, refused.reason, refused.detail, terminal, report_id)
    report = decode_report(payload, content_type)
    return (Later if refused.reason.passing else No)(report, refused.reason)


class Everywhere:
    """No bounds: neither the settings nor the data say where the city lies."""

    def covers(self, point: Point) -> bool:
        """Always."""
        return True


def bounds_of(code: str, region: RegionSettings) -> Bounds:
    """The box of the settings, else the box around the districts of this code's city, else no bounds."""
    if region.bbox_e7 is not None:
        return Box(*region.bbox_e7)
    facts = [one for one in load_district_facts() if one.code[:4] == code[:4]]
    if not facts:
        return Everywhere()
    return Box(
        min(one.south_west.lon_e7 for one in facts),
        min(one.south_west.lat_e7 for one in facts),
        max(one.north_east.lon_e7 for one in facts),
        max(one.north_east.lat_e7 for one in facts),
    )


def rules_of(code: str, region: RegionSettings, intake: IntakeSettings, active: Callable[[], Profile]) -> Rules:
    """What reports are checked against at this edge; ``active`` gives the profile whose categories hold just now."""

    def knows(kind: str, category: str) -> bool:
        return any(kind == one and active().catalogue.get(one, category) is not None for one in CASE_KINDS)

    limits = Limits(photo_bytes=intake.photo_mib * MIB, ahead_us=intake.ahead * 1_000_000)
    return Rules(bounds_of(code, region), knows, limits)
