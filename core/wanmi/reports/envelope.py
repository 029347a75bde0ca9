"""The report: its fields, its canonical bytes, its signature, and the message that carries it over MQTT."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.coords import Datum
from wanmi.entries import canonical, public_key
from wanmi.errors import BadInput
from wanmi.reports.reasons import Reason, Refused

REPORT_DOMAIN = b"wanmi/report/1\n"
"""What the signature covers before the envelope's bytes, so that it can be taken for nothing else."""
MAX_MESSAGE = 128 * 1024
"""Bytes of one report message, inline parts included."""
MAX_ENVELOPE = 16 * 1024
"""Bytes of the signed envelope."""
SALT = 16
"""Random bytes before a text, so that its digest does not give a short text away."""
MAX_INT = 2**53 - 1

_END = r"(?!\n)$"
TERMINAL_ID = r"^T[0-9]{6}-[0-9]{4,8}" + _END
REPORT_ID = r"^[A-Za-z0-9_-]{8,64}" + _END

TerminalId = Annotated[str, msgspec.Meta(pattern=TERMINAL_ID, description="T, district code, -, 4 to 8 digits")]
ReportId = Annotated[str, msgspec.Meta(pattern=REPORT_ID, description="made on the terminal, never used twice by it")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}" + _END, description="SHA-256 in hex")]
Micros = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT, description="microseconds since 1970-01-01T00:00:00Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT)]
Media = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+/[a-z0-9.+-]{1,64}" + _END, description="media type, lower case")]
Category = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{4,8}" + _END, description="major and minor class, as long as the catalogue has them"),
]
ComponentId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,32}" + _END, description="code of the component")]
Longitude = Annotated[int, msgspec.Meta(ge=-1_800_000_000, le=1_800_000_000, description="1e-7 degree, east positive")]
Latitude = Annotated[int, msgspec.Meta(ge=-900_000_000, le=900_000_000, description="1e-7 degree, north positive")]
App = Annotated[str, msgspec.Meta(pattern=r"^[ -~]{1,64}" + _END, description="name and version, ASCII")]


class Attachment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that belongs to a report, named by the digest of its content (for a text: of salt + UTF-8)."""

    role: Literal["text", "photo", "sound"]
    digest: Digest
    size: Count
    media: Media


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a terminal saw. Every key is always present; what is not known is null.

    ``lon_e7`` and ``lat_e7`` are in ``datum``, as the receiver or the map gave them: the district turns them.
    ``fix`` says where the position came from, ``fix_at`` when; ``queue`` counts the reports that the terminal
    still held when it made this one.
    """

    v: Literal[1]
    terminal: TerminalId
    report_id: ReportId
    made_at: Micros
    kind: Literal["component", "event"]
    category: Category
    component: ComponentId | None
    lon_e7: Longitude
    lat_e7: Latitude
    datum: Datum
    accuracy_cm: Count | None
    fix: Literal["gnss", "network", "manual"]
    fix_at: Micros
    satellites: Count | None
    source: Literal["collector", "inspector", "citizen", "sensor"]
    self_handled: bool
    attachments: Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=16)]
    app: App
    queue: Count


class WireMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The MQTT payload: the envelope's bytes and its signature in base64url, small parts beside them."""

    v: Literal[1]
    envelope: Annotated[str, msgspec.Meta(description="base64url, no padding")]
    sig: Annotated[str, msgspec.Meta(max_length=86, description="Ed25519, base64url, no padding")]
    key_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}" + _END)]
    parts: dict[Digest, str] = msgspec.field(default_factory=dict)


class ReportMessage(msgspec.Struct, frozen=True):
    """A decoded message. ``envelope`` holds the exact bytes that were signed: keep them, not a copy of the fields.

    ``parts`` maps digest to content and has only parts whose content fits the digest: a part that was changed
    on the way is simply missing, and will be asked for.
    """

    report: Report
    envelope: bytes
    signature: bytes
    key_id: str
    parts: dict[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 of the envelope's bytes in hex: two reports with one id and two digests are ``id_reused``."""
        return digest_of(self.envelope)


_report_decoder = msgspec.json.Decoder(Report, strict=True)
_wire_decoder = msgspec.json.Decoder(WireMessage, strict=True)
_wire_encoder = msgspec.json.Encoder()


def digest_of(content: bytes) -> str:
    """SHA-256 in hex: the name of a part."""
    return hashlib.sha256(content).hexdigest()


def key_id(public: bytes) -> str:
    """The first 16 hex digits of SHA-256 of the 32 public bytes: tells which key signed, proves nothing."""
    return digest_of(public)[:16]


def text_part(text: str, salt: bytes) -> bytes:
    """The content of a text attachment: 16 random bytes, then UTF-8."""
    if len(salt) != SALT:
        raise BadInput(f"a text's salt has {SALT} bytes, not {len(salt)}")
    return salt + text.encode()


def read_text(part: bytes) -> str:
    """The text in the content of a text attachment; raises BadInput if it is too short or not UTF-8."""
    try:
        if len(part) < SALT:
            raise ValueError("no salt")
        return part[SALT:].decode()
    except ValueError as error:
        raise BadInput(
            f"text part {digest_of(part)[:12]}: {error}; it must be {SALT} bytes of salt, then UTF-8"
        ) from error


def envelope_bytes(report: Report) -> bytes:
    """The canonical bytes of a report (RFC 8785, integers only): these are signed and kept."""
    return canonical(msgspec.to_builtins(report))


def sign_report(report: Report, key: Ed25519PrivateKey, parts: Mapping[str, bytes] | None = None) -> bytes:
    """The message to publish for a report, with the given parts inline (digest to content)."""
    raw = envelope_bytes(report)
    public = key.public_key().public_bytes_raw()
    return encode_message(raw, key.sign(REPORT_DOMAIN + raw), key_id(public), parts or {})


def encode_message(raw: bytes, signature: bytes, key: str, parts: Mapping[str, bytes]) -> bytes:
    """The payload for envelope bytes that were signed before."""
    inline = {digest: to_b64(parts[digest]) for digest in sorted(parts)}
    return _wire_encoder.encode(WireMessage(1, to_b64(raw), to_b64(signature), key, inline))


class Opened(msgspec.Struct, frozen=True):
    """A message taken apart: the bytes that were signed, not read yet, and the parts that fit their digests."""

    envelope: bytes
    signature: bytes
    key_id: str
    parts: dict[str, bytes]


def decode_report(payload: bytes, content_type: str = "application/json") -> ReportMessage:
    """Decode one payload and check its shape, not yet its signature; raises Refused."""
    wire = open_message(payload, content_type)
    return ReportMessage(decode_envelope(wire.envelope), wire.envelope, wire.signature, wire.key_id, wire.parts)


def open_message(payload: bytes, content_type: str = "application/json") -> Opened:
    """The envelope, signature and parts in a payload; raises Refused.

    The only place that knows how a message is written: another encoding of the same fields (CBOR) goes here,
    chosen by the MQTT content type. Reasons: too_large, not_json, wrong_schema.
    """
    if len(payload) > MAX_MESSAGE:
        raise Refused(Reason.TOO_LARGE, f"{len(payload)} bytes, at most {MAX_MESSAGE}")
    if content_type not in ("", "application/json"):
        raise Refused(Reason.WRONG_SCHEMA, f"content type {content_type!r} is not known here")
    wire = _decode_wire(payload)
    try:
        raw, signature = from_b64(wire.envelope), from_b64(wire.sig)
    except BadInput as error:
        raise Refused(Reason.WRONG_SCHEMA, str(error)) from error
    if len(raw) > MAX_ENVELOPE:
        raise Refused(Reason.TOO_LARGE, f"the envelope has {len(raw)} bytes, at most {MAX_ENVELOPE}")
    return Opened(raw, signature, wire.key_id, _good_parts(wire.parts))


def decode_envelope(raw: bytes) -> Report:
    """The report in signed bytes; raises Refused(wrong_schema) unless they are exactly its canonical form."""
    try:
        report = _report_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.WRONG_SCHEMA, f"envelope: {error}", *peek(raw)) from error
    if envelope_bytes(report) != raw:
        detail = "the envelope is not in canonical form"
        raise Refused(Reason.WRONG_SCHEMA, detail, report.terminal, report.report_id)
    return report


def verify_report(message: ReportMessage, public: bytes) -> bool:
    """Whether the envelope was signed with the terminal's key (32 public bytes)."""
    try:
        public_key(public).verify(message.signature, REPORT_DOMAIN + message.envelope)
    except (InvalidSignature, ValueError):
        return False
    return True


def missing_parts(report: Report, have: Mapping[str, object] | frozenset[str]) -> tuple[str, ...]:
    """The digests of attachments that are not among ``have``, in the report's order, each once."""
    return tuple(dict.fromkeys(a.digest for a in report.attachments if a.digest not in have))


def to_b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64(text: str) -> bytes:
    """The bytes of base64url without padding; raises BadInput for anything that `to_b64` would not write."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"{text[:12]!r}… is not base64url: {error}") from error
    if to_b64(data) != text:
        raise BadInput(f"{text[:12]!r}… is not base64url without padding")
    return data


def _decode_wire(payload: bytes) -> WireMessage:
    try:
        return _wire_decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise Refused(Reason.WRONG_SCHEMA, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Reason.NOT_JSON, str(error)) from error


def _good_parts(parts: Mapping[str, str]) -> dict[str, bytes]:
    good = {}
    for digest, text in parts.items():
        try:
            content = from_b64(text)
        except BadInput:
            continue
        if digest_of(content) == digest:
            good[digest] = content
    return good


class _Ids(msgspec.Struct):
    terminal: str = ""
    report_id: str = ""


def peek(raw: bytes) -> tuple[str | None, str | None]:
    """The ids in an envelope of wrong form, so that its receipt can name them."""
    try:
        ids = msgspec.json.decode(raw, type=_Ids)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    terminal = ids.terminal if re.match(TERMINAL_ID, ids.terminal) else None
    return terminal, ids.report_id if re.match(REPORT_ID, ids.report_id) else None
