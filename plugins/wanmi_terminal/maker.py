"""From what a collector sees to a signed report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.clock import Clock
from wanmi.coords import Datum, Point
from wanmi.errors import BadInput
from wanmi.ids import Ids, ulid
from wanmi.reports import Attachment, Report, digest_of, sign_report, text_part
from wanmi.reports.envelope import SALT
from wanmi_terminal.photos import media_type
from wanmi_terminal.spool import SignedReport


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


class ReportMaker:
    """Makes and signs the reports of one terminal."""

    def __init__(self, terminal: str, key: Ed25519PrivateKey, clock: Clock, ids: Ids, app: str) -> None:
        self._terminal = terminal
        self._key = key
        self._clock = clock
        self._ids = ids
        self._app = app

    def make(self, draft: Draft, queue: int) -> SignedReport:
        """The signed report; ``queue`` is how many reports wait now. BadInput for what cannot be reported."""
        point = draft.place.point
        if (point.lon_e7, point.lat_e7) == (0, 0):
            raise BadInput(
                "no position: (0, 0) is what a receiver gives without a fix; wait for one or point at the map"
            )
        text = text_part(draft.text, self._ids.token(SALT)) if draft.text else None
        photos = {digest_of(photo): photo for photo in draft.photos}
        attachments = [Attachment("text", digest_of(text), len(text), "text/plain")] if text else []
        attachments += [Attachment("photo", d, len(p), media_type(p)) for d, p in photos.items()]
        report = self._report(draft, tuple(attachments), queue)
        payload = sign_report(report, self._key, {digest_of(text): text} if text else {})
        return SignedReport(report.report_id, report.made_at, report.kind, report.category, payload, photos)

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


def _checked(report: Report) -> Report:
    """The edge would refuse what does not fit the schema: say so before it is signed."""
    try:
        return msgspec.convert(msgspec.to_builtins(report), Report)
    except msgspec.ValidationError as error:
        raise BadInput(f"report of {report.terminal}: {error}") from error
