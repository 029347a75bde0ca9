"""Where a terminal was: signed batches of positions, sealed segments of them, and attendance worked out from both. Pure.

A batch is signed like a report; an edge gathers batches into a segment, whose blob is the batches' messages, a line each.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.coords import Point, distance_m
from wanmi.entries import canonical
from wanmi.errors import BadInput
from wanmi.reports.envelope import (
    MAX_INT,
    Latitude,
    Longitude,
    Micros,
    TerminalId,
    encode_message,
    key_id,
    open_message,
)
from wanmi.reports.keys import Signed, signed
from wanmi.reports.reasons import Reason, Refused

TRACK_DOMAIN = b"wanmi/track/1\n"
"""What the signature covers before the batch's bytes."""
MAX_FIXES = 60
"""Positions in one batch."""
SECOND = 1_000_000


class TrackFix(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One position: ``[at, lon_e7, lat_e7, accuracy_cm]``, WGS-84, µs UTC; accuracy null when it is not known."""

    at: Micros
    lon_e7: Longitude
    lat_e7: Latitude
    accuracy_cm: Annotated[int, msgspec.Meta(ge=0, le=MAX_INT)] | None

    @property
    def point(self) -> Point:
        """The position."""
        return Point(self.lon_e7, self.lat_e7)


class TrackBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Positions of one terminal, times strictly growing; batches of a terminal do not overlap."""

    v: Literal[1]
    terminal: TerminalId
    fixes: Annotated[tuple[TrackFix, ...], msgspec.Meta(min_length=1, max_length=MAX_FIXES)]


@dataclass(frozen=True)
class Segment:
    """What an edge says in the open of a sealed segment: times, how many fixes, how far, the box around it."""

    start: int
    end: int
    fixes: int
    distance_m: int
    west: int
    south: int
    east: int
    north: int


@dataclass(frozen=True)
class Attendance:
    """Time near a point within a period: seconds, the first and the last fix there (µs UTC, None: never)."""

    seconds: int
    first: int | None
    last: int | None


_decoder = msgspec.json.Decoder(TrackBatch, strict=True)


def batch_bytes(batch: TrackBatch) -> bytes:
    """The canonical bytes of a batch: these are signed."""
    return canonical(msgspec.to_builtins(batch))


def sign_track(batch: TrackBatch, key: Ed25519PrivateKey) -> bytes:
    """The message to publish for a batch."""
    raw = batch_bytes(batch)
    return encode_message(raw, key.sign(TRACK_DOMAIN + raw), key_id(key.public_key().public_bytes_raw()), {})


def read_track(payload: bytes, public: bytes) -> TrackBatch:
    """The batch in a message, its signature checked with the terminal's key (32 public bytes); raises Refused."""
    opened = open_track(payload)
    if not opened.fits(public):
        raise Refused(Reason.BAD_SIGNATURE, terminal=opened.said.terminal)
    return opened.said


def open_track(payload: bytes) -> Signed[TrackBatch]:
    """The batch in a message, its signature not checked yet; raises Refused."""
    wire = open_message(payload)
    try:
        batch = _decoder.decode(wire.envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.WRONG_SCHEMA, f"track: {error}") from error
    if batch_bytes(batch) != wire.envelope:
        raise Refused(Reason.WRONG_SCHEMA, "the track is not in canonical form", batch.terminal)
    if any(b.at <= a.at for a, b in itertools.pairwise(batch.fixes)):
        raise Refused(Reason.WRONG_SCHEMA, "the track's times do not grow", batch.terminal)
    return signed(batch, TRACK_DOMAIN, wire)


def _read_by_one(message: bytes, publics: Sequence[bytes]) -> TrackBatch:
    opened = open_track(message)
    if not any(opened.fits(public) for public in publics):
        raise Refused(Reason.BAD_SIGNATURE, terminal=opened.said.terminal)
    return opened.said


def segment_of(fixes: Sequence[TrackFix]) -> Segment:
    """The summary of fixes in order of time (at least one); the way is summed in whole metres."""
    if not fixes:
        raise BadInput("a segment has at least one fix")
    way = sum(distance_m(a.point, b.point) for a, b in itertools.pairwise(fixes))
    lons, lats = [fix.lon_e7 for fix in fixes], [fix.lat_e7 for fix in fixes]
    return Segment(fixes[0].at, fixes[-1].at, len(fixes), round(way), min(lons), min(lats), max(lons), max(lats))


def segment_content(messages: Iterable[bytes]) -> bytes:
    """The content of a segment's blob: the batches' messages as they came, a line each."""
    return b"".join(message + b"\n" for message in messages)


def segment_fixes(content: bytes, *publics: bytes) -> tuple[TrackFix, ...]:
    """The fixes in a segment's blob in order of time, each batch's signature checked with one of these keys; raises Refused."""
    batches = [_read_by_one(line, publics) for line in content.splitlines()]
    return tuple(sorted((fix for batch in batches for fix in batch.fixes), key=lambda fix: fix.at))


def attendance(
    fixes: Iterable[TrackFix], place: Point, radius_m: int, start: int, end: int, gap_s: int = 300
) -> Attendance:
    """How long a terminal was within ``radius_m`` of ``place`` from ``start`` to ``end`` (µs UTC, end left out).

    The time between two successive fixes counts when both are there and not more than ``gap_s`` seconds apart: nobody
    is present for the time in which he was not seen.
    """
    seen = sorted((fix for fix in fixes if start <= fix.at < end), key=lambda fix: fix.at)
    there = [distance_m(fix.point, place) <= radius_m for fix in seen]
    near = [fix.at for fix, is_there in zip(seen, there, strict=True) if is_there]
    total = sum(
        b.at - a.at
        for (a, b), (at_a, at_b) in zip(itertools.pairwise(seen), itertools.pairwise(there), strict=True)
        if at_a and at_b and b.at - a.at <= gap_s * SECOND
    )
    return Attendance(total // SECOND, near[0] if near else None, near[-1] if near else None)
