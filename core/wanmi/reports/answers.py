"""A terminal's answer to a task: an envelope like a report's, signed under a domain of its own.

It travels, is kept and is forgotten as a report is (same message, parts and receipts, ``report_id`` and all); what
differs are the topic, the signature's domain and the keys. Pure, no I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.coords import Datum, Point, to_wgs84
from wanmi.entries import canonical, public_key
from wanmi.reports.checks import Rules, check_sizes
from wanmi.reports.envelope import (
    App,
    Attachment,
    Count,
    Latitude,
    Longitude,
    Micros,
    ReportId,
    TerminalId,
    digest_of,
    encode_message,
    key_id,
    open_message,
    peek,
)
from wanmi.reports.keys import Known, judge_key
from wanmi.reports.reasons import Reason, Refused

ANSWER_DOMAIN = b"wanmi/answer/1\n"
"""What the signature covers before the envelope's bytes."""
TASK_ID = r"^[A-Za-z0-9_-]{8,40}(?!\n)$"
TaskId = Annotated[str, msgspec.Meta(pattern=TASK_ID, description="made by the district that sends the task")]
Result = Literal["yes", "no", "unclear"]
"""verify: it is as reported; check: it was put right; survey: there is such a thing here."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a terminal found where a task sent it. Every key is always present; what is not known is null."""

    v: Literal[1]
    terminal: TerminalId
    report_id: ReportId
    task_id: TaskId
    made_at: Micros
    result: Result
    lon_e7: Longitude
    lat_e7: Latitude
    datum: Datum
    accuracy_cm: Count | None
    fix: Literal["gnss", "network", "manual"]
    fix_at: Micros
    satellites: Count | None
    attachments: Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=16)]
    app: App
    queue: Count


class AnswerMessage(msgspec.Struct, frozen=True):
    """A decoded answer with the exact bytes that were signed; ``parts`` as in a report's message."""

    answer: Answer
    envelope: bytes
    signature: bytes
    key_id: str
    parts: dict[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 of the envelope's bytes in hex: a task has one answer, of one digest."""
        return digest_of(self.envelope)


_decoder = msgspec.json.Decoder(Answer, strict=True)


def answer_bytes(answer: Answer) -> bytes:
    """The canonical bytes of an answer: these are signed and kept."""
    return canonical(msgspec.to_builtins(answer))


def sign_answer(answer: Answer, key: Ed25519PrivateKey, parts: dict[str, bytes] | None = None) -> bytes:
    """The message to publish for an answer, with the given parts inline (digest to content)."""
    raw = answer_bytes(answer)
    return encode_message(raw, key.sign(ANSWER_DOMAIN + raw), key_id(key.public_key().public_bytes_raw()), parts or {})


def decode_answer(payload: bytes, content_type: str = "application/json") -> AnswerMessage:
    """Decode one payload and check its shape, not yet its signature; raises Refused."""
    wire = open_message(payload, content_type)
    return AnswerMessage(decode_answer_envelope(wire.envelope), wire.envelope, wire.signature, wire.key_id, wire.parts)


def decode_answer_envelope(raw: bytes) -> Answer:
    """The answer in signed bytes; raises Refused(wrong_schema) unless they are exactly its canonical form."""
    try:
        answer = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.WRONG_SCHEMA, f"envelope: {error}", *peek(raw)) from error
    if answer_bytes(answer) != raw:
        detail = "the envelope is not in canonical form"
        raise Refused(Reason.WRONG_SCHEMA, detail, answer.terminal, answer.report_id)
    return answer


def verify_answer(envelope: bytes, signature: bytes, public: bytes) -> bool:
    """Whether an answer's bytes were signed with the terminal's key (32 public bytes)."""
    try:
        public_key(public).verify(signature, ANSWER_DOMAIN + envelope)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_answer(answer: Answer, now: int, rules: Rules) -> Reason | None:
    """The first reason to refuse a well-formed, authentic answer, or None; ``now`` is µs UTC."""
    if max(answer.made_at, answer.fix_at) > now + rules.limits.ahead_us:
        return Reason.FUTURE_TIME
    if answer.lon_e7 == 0 and answer.lat_e7 == 0:
        return Reason.NO_POSITION
    if not rules.bounds.covers(to_wgs84(Point(answer.lon_e7, answer.lat_e7), answer.datum)):
        return Reason.OUTSIDE_CITY
    return check_sizes(answer.attachments, rules.limits)


def examine_answer(
    payload: bytes,
    topic_terminal: str,
    find: Callable[[str], Known | None],
    now: int,
    rules: Rules,
    content_type: str = "application/json",
) -> AnswerMessage:
    """Decode, authenticate and check one message that came on ``topic_terminal``'s topic; raises Refused.

    Left to the edge: what needs its store (``unknown_task``, ``not_your_task``, ``id_reused``, ``parts_missing``).
    """
    message = decode_answer(payload, content_type)
    answer = message.answer
    reason = _check_sender(message, topic_terminal, find, now) or check_answer(answer, now, rules)
    if reason is not None:
        raise Refused(reason, terminal=answer.terminal, report_id=answer.report_id)
    return message


def _check_sender(
    message: AnswerMessage, topic_terminal: str, find: Callable[[str], Known | None], now: int
) -> Reason | None:
    if message.answer.terminal != topic_terminal:
        return Reason.WRONG_TERMINAL

    def fits(key: bytes) -> bool:
        return verify_answer(message.envelope, message.signature, key)

    return judge_key(find(topic_terminal), message.key_id, fits, message.answer.made_at, now)
