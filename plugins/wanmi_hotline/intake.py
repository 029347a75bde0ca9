"""Events to entries: each once, whatever way it comes and however often."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy import Connection, select

from wanmi.errors import BadInput
from wanmi.models import table
from wanmi.registry import Draft, NodeContext
from wanmi_hotline import kinds
from wanmi_hotline.board import Board
from wanmi_hotline.callers import (
    Caller,
    SealedText,
    number_digest,
    own_audience,
    remember_number,
    seal_bytes,
    seal_caller,
)
from wanmi_hotline.events import MAX_CONTENT, Event, call_id, content_of, event_key
from wanmi_hotline.numbers import normalise
from wanmi_hotline.projecting import Call, load
from wanmi_hotline.rows import CallEventRow
from wanmi_hotline.seats import person_at
from wanmi_hotline.settings import HotlineSettings

MIB = 1024 * 1024


@dataclass(frozen=True)
class Made:
    """What one event makes: entries, blobs that they name, the number's keyed hash."""

    subject: str
    drafts: list[Draft]
    sealed: list[SealedText] = field(default_factory=list)
    number: str | None = None


class Intake:
    """Takes the events of all telephone systems of a node, one at a time."""

    def __init__(self, node: NodeContext, board: Board) -> None:
        self.counts: Counter[str] = Counter()
        self.last_refusal = ""
        self._node = node
        self._board = board
        self._settings = node.settings.section("hotline", HotlineSettings)
        self._lock = threading.Lock()
        self._log = structlog.get_logger("wanmi.hotline").bind(node=node.code)

    def take(self, event: Event) -> bool:
        """Journal an event; False when it was taken before. BadInput when it cannot be: it will never be.

        Returns after the durable commit, so that the sender may forget it.
        """
        with self._lock:
            try:
                return self._take(event)
            except BadInput as error:
                self.refuse(event.system, str(error))
                raise

    def refuse(self, system: str, why: str) -> None:
        """Count what a telephone system sent that cannot be taken (never its content: there are numbers in it)."""
        self.counts["refused"] += 1
        self.last_refusal = why[:200]
        self._log.warning("event_refused", system=system, why=why[:200])

    def _take(self, event: Event) -> bool:
        key, subject = event_key(event), f"call:{self._node.code}:{call_id(event.system, event.call)}"
        with self._node.store.reader() as tx:
            if self._known(tx, key):
                self.counts["known"] += 1
                return False
            call = load(tx, subject)
        made = self._made(event, key, subject, call)
        self._node.journal.append(*made.drafts, also=lambda tx, _: self._also(tx, made)).result()
        self.counts["taken"] += 1
        self._board.changed()
        return True

    def _known(self, tx: Connection, key: str) -> bool:
        row = table(CallEventRow).c
        query = select(row.seq).where(row.origin == self._node.code, row.event == key)
        return tx.execute(query).first() is not None

    def _also(self, tx: Connection, made: Made) -> None:
        for one in made.sealed:
            self._node.blobs.add(tx, one.blob)
        if made.number is not None:
            remember_number(tx, made.subject, made.number, self._node.clock.now())

    def _made(self, event: Event, key: str, subject: str, call: Call | None) -> Made:
        """The entries of an event; of a call that nobody announced, its beginning first."""
        made = Made(subject, []) if call is not None else self._begun(event, key, subject)
        if call is None and event.event == "ringing":
            return made
        body, sealed = self._body(event, key, call)
        made.drafts.append(self._draft(f"call.{_KINDS[event.event]}", subject, body))
        made.sealed.extend(sealed)
        return made

    def _begun(self, event: Event, key: str, subject: str) -> Made:
        number = normalise(event.number, self._settings.area)
        seat = event.seat if event.event == "ringing" else ""
        # The event's own entry carries its key where there is one besides this.
        own = key if event.event == "ringing" else hashlib.sha256(f"begun\n{key}".encode()).hexdigest()[:20]
        caller = None if number is None else seal_caller(self._node, Caller(str(number), event.name))
        body = kinds.CallBegun(
            own, event.system, event.direction, event.at, event.called, seat,
            person_at(self._node, seat) if seat else None, None if caller is None else caller.part,
        )  # fmt: skip
        digest = None if number is None else number_digest(self._node, number)
        return Made(subject, [self._draft("call.begun", subject, body, 0)], [caller] if caller else [], digest)

    def _body(self, event: Event, key: str, call: Call | None) -> tuple[kinds.CallBody, list[SealedText]]:
        match event.event:
            case "ringing":
                return kinds.CallRang(key, event.at, event.seat, person_at(self._node, event.seat)), []
            case "answered":
                seat = event.seat or (call.seat if call else "")
                return kinds.CallAnswered(key, event.at, seat, person_at(self._node, seat)), []
            case "held" | "resumed":
                return kinds.CallHeld(key, event.at, on=event.event == "held"), []
            case "ended":
                return kinds.CallEnded(key, event.at, event.reason), []
            case "recording":
                sealed = self._recording(event)
                return kinds.CallRecorded(key, event.at, sealed.part, call.report if call else None), [sealed]

    def _recording(self, event: Event) -> SealedText:
        recording = event.recording
        assert recording is not None  # noqa: S101 - checked with the event
        content = content_of(recording) if recording.content is not None else self._file(recording.file or "")
        limit = MAX_CONTENT if recording.content is not None else self._settings.recording_mib * MIB
        if not 0 < len(content) <= limit:
            raise BadInput(f"recording of {len(content)} bytes; 1 to {limit}")
        if recording.digest is not None and hashlib.sha256(content).hexdigest() != recording.digest:
            raise BadInput("recording: its bytes have another SHA-256 than the event says")
        return seal_bytes(self._node, content, recording.media)

    def _file(self, name: str) -> bytes:
        """A file that the telephone system left in the folder; names have no folders in them."""
        if not self._settings.recordings:
            raise BadInput("recording: a file is named but [hotline] recordings is not set")
        path = Path(self._settings.recordings) / name
        try:
            if path.is_symlink() or path.stat().st_size > self._settings.recording_mib * MIB:
                raise BadInput(f"recording {name}: a link, or larger than {self._settings.recording_mib} MiB")
            return path.read_bytes()
        except OSError as error:
            raise BadInput(f"recording {name}: {error.strerror}; it is looked for in [hotline] recordings") from error

    def _draft(self, kind: str, subject: str, body: kinds.CallBody, expect: int | None = None) -> Draft:
        return Draft(kind, subject, body, own_audience(self._node), expect=expect)


_KINDS = {
    "ringing": "rang",
    "answered": "answered",
    "held": "held",
    "resumed": "held",
    "ended": "ended",
    "recording": "recorded",
}
