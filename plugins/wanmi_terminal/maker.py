"""From what a collector sees to a signed report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.clock import Clock
from wanmi.coords import Datum, Point
from wanmi.errors import BadInput
from wanmi.ids import Ids, ulid
from wanmi.reports import (
    Answer,
    Attachment,
    Report,
    Result,
    Task,
    TrackBatch,
    TrackFix,
    digest_of,
    sign_answer,
    sign_report,
    sign_track,
    text_part,
)
from wanmi.reports.envelope import SALT
from wanmi_terminal.photos import media_type
from wanmi_terminal.spool import ANSWER, SignedReport


@dataclass(frozen=True)
class Place:
    """Where it is: 1e-7 degree in ``datum``; ``at`` µs UTC of the fix, None for now."""

    point: Point
    datum: Datum = "WGS84"
    fix: Literal["gnss", "network", "manual"] = "gnss"
    at: int | None = None
    accuracy_cm: int | None = None
    satellites: int | None = None


@dataclass(frozen=True)
class Draft:
    """What a collector reports; photos are whole JPEG, PNG or WebP files."""

    kind: Literal["component", "event"]
    category: str
    place: Place
    text: str = ""
    photos: tuple[bytes, ...] = ()
    component: str | None = None
    source: Literal["collector", "inspector", "citizen", "sensor"] = "collector"
    self_handled: bool = False


@dataclass(frozen=True)
class AnswerDraft:
    """What a collector found where a task sent him."""

    result: Result
    place: Place
    text: str = ""
    photos: tuple[bytes, ...] = ()


class ReportMaker:
    """Makes and signs the reports of one terminal."""

    def __init__(
        self, terminal: str, key: Ed25519PrivateKey | Callable[[], Ed25519PrivateKey], clock: Clock, ids: Ids, app: str
    ) -> None:
        self._terminal = terminal
        self._key_of_now = key if callable(key) else lambda: key
        self._clock = clock
        self._ids = ids
        self._app = app

    def make(self, draft: Draft, queue: int) -> SignedReport:
        """The signed report; ``queue`` is how many reports wait now. BadInput for what cannot be reported."""
        _check_place(draft.place)
        attachments, inline, photos = self._parts(draft.text, draft.photos)
        report = self._report(draft, attachments, queue)
        payload = sign_report(report, self._key_of_now(), inline)
        return SignedReport(report.report_id, report.made_at, report.kind, report.category, payload, photos)

    def answer(self, task: Task, draft: AnswerDraft, queue: int) -> SignedReport:
        """The signed answer to a task, to lie among the reports. BadInput for what cannot be answered."""
        _check_place(draft.place)
        now, place = self._clock.now(), draft.place
        attachments, inline, photos = self._parts(draft.text, draft.photos)
        answer = Answer(
            v=1,
            terminal=self._terminal,
            report_id=ulid(now, self._ids),
            task_id=task.task_id,
            made_at=now,
            result=draft.result,
            lon_e7=place.point.lon_e7,
            lat_e7=place.point.lat_e7,
            datum=place.datum,
            accuracy_cm=place.accuracy_cm,
            fix=place.fix,
            fix_at=now if place.at is None else place.at,
            satellites=place.satellites,
            attachments=attachments,
            app=self._app,
            queue=queue,
        )
        payload = sign_answer(_checked(answer), self._key_of_now(), inline)
        return SignedReport(answer.report_id, now, ANSWER, task.category, payload, photos)

    def track(self, fixes: Sequence[TrackFix]) -> bytes:
        """The signed message for a batch of positions."""
        return sign_track(_checked(TrackBatch(1, self._terminal, tuple(fixes))), self._key_of_now())

    def _parts(
        self, text: str, photos: Sequence[bytes]
    ) -> tuple[tuple[Attachment, ...], dict[str, bytes], dict[str, bytes]]:
        """The attachments, the parts that travel inline (text), and those that travel apart (photos)."""
        part = text_part(text, self._ids.token(SALT)) if text else None
        apart = {digest_of(photo): photo for photo in photos}
        attachments = [Attachment("text", digest_of(part), len(part), "text/plain")] if part else []
        attachments += [Attachment("photo", d, len(p), media_type(p)) for d, p in apart.items()]
        return tuple(attachments), {digest_of(part): part} if part else {}, apart

    def _report(self, draft: Draft, attachments: tuple[Attachment, ...], queue: int) -> Report:
        now, place = self._clock.now(), draft.place
        report = Report(
            v=1,
            terminal=self._terminal,
            report_id=ulid(now, self._ids),
            made_at=now,
            kind=draft.kind,
            category=draft.category,
            component=draft.component,
            lon_e7=place.point.lon_e7,
            lat_e7=place.point.lat_e7,
            datum=place.datum,
            accuracy_cm=place.accuracy_cm,
            fix=place.fix,
            fix_at=now if place.at is None else place.at,
            satellites=place.satellites,
            source=draft.source,
            self_handled=draft.self_handled,
            attachments=attachments,
            app=self._app,
            queue=queue,
        )
        return _checked(report)


T = TypeVar("T", Report, Answer, TrackBatch)


def _check_place(place: Place) -> None:
    if (place.point.lon_e7, place.point.lat_e7) == (0, 0):
        raise BadInput("no position: (0, 0) is what a receiver gives without a fix; wait for one or point at the map")


def _checked(said: T) -> T:
    """The edge would refuse what does not fit the schema: say so before it is signed."""
    try:
        return msgspec.convert(msgspec.to_builtins(said), type(said))
    except msgspec.ValidationError as error:
        raise BadInput(f"{type(said).__name__.lower()} of {said.terminal}: {error}") from error
