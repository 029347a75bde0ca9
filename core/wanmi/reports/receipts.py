"""What an edge answers: it keeps the report, it is safe at the district, it is refused, parts are wanted."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wanmi.entries import Cosign, verify_cosign
from wanmi.errors import BadInput
from wanmi.reports.envelope import Digest, Micros, ReportId, TerminalId
from wanmi.reports.reasons import Reason, reason_text

NodeCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6,10}(?!\n)$", description="node code")]
Seq = Annotated[int, msgspec.Meta(ge=1)]
MAX_RECEIPT = 16 * 1024


class EntryRef(msgspec.Struct, frozen=True):
    """Where the report stands in the edge's chain; ``hash`` is the chain's hash after that entry, in hex."""

    origin: NodeCode
    seq: Seq
    hash: Digest


class CosignRef(msgspec.Struct, frozen=True):
    r"""The district's countersignature over the edge's chain up to ``seq``: it holds everything up to there.

    ``sig`` is Ed25519 in hex over ``wanmi/cosign/1\n`` + canonical JSON of at, by, hash, origin, seq
    (origin from the receipt's entry).
    """

    by: NodeCode
    seq: Seq
    hash: Digest
    at: Micros
    sig: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}(?!\n)$")]


class Receipt(msgspec.Struct, frozen=True):
    """One answer to one terminal. Keys that do not apply are null or empty; unknown keys are ignored.

    ``report_id`` is null when the message was so broken that no id could be read.
    """

    v: Literal[1]
    terminal: TerminalId
    report_id: ReportId | None
    status: Literal["kept", "safe", "refused", "want"]
    edge: NodeCode
    at: Micros
    entry: EntryRef | None = None
    reason: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,40}(?!\n)$")] | None = None
    want: tuple[Digest, ...] = ()
    cosign: CosignRef | None = None

    @property
    def passing(self) -> bool:
        """Whether it refuses only for now: the same report may be accepted later."""
        return self.reason in set(Reason) and Reason(self.reason).passing

    def text(self, language: Literal["zh", "en"] = "zh") -> str:
        """The reason for people, or an empty string."""
        return reason_text(self.reason, language) if self.reason else ""


_decoder = msgspec.json.Decoder(Receipt, strict=True)
_encoder = msgspec.json.Encoder()


def encode_receipt(receipt: Receipt) -> bytes:
    """The payload of a receipt."""
    return _encoder.encode(receipt)


def decode_receipt(payload: bytes) -> Receipt:
    """The receipt in a payload; raises BadInput."""
    if len(payload) > MAX_RECEIPT:
        raise BadInput(f"receipt of {len(payload)} bytes, at most {MAX_RECEIPT}")
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"not a receipt: {error}") from error


def cosign_ref(cosign: Cosign) -> CosignRef:
    """A journal countersignature in the form that receipts carry."""
    return CosignRef(cosign.by, cosign.seq, cosign.hash.hex(), cosign.at, cosign.sig.hex())


def is_safe(receipt: Receipt, district_key: bytes | None) -> bool:
    """Whether a receipt lets the terminal forget its report.

    It must say ``safe``, name the entry, and carry a countersignature that reaches the entry (and, at the entry's
    own seq, the same hash), valid under the district's key (32 public bytes). Without a key (None) the signature
    is not checked: for terminals set up before their district, which say so in their status.
    """
    entry, cosign = receipt.entry, receipt.cosign
    if receipt.status != "safe" or entry is None or cosign is None or cosign.seq < entry.seq:
        return False
    if cosign.seq == entry.seq and cosign.hash != entry.hash:
        return False
    if district_key is None:
        return True
    hash_, sig = bytes.fromhex(cosign.hash), bytes.fromhex(cosign.sig)
    return verify_cosign(Cosign(entry.origin, cosign.seq, hash_, cosign.by, cosign.at, sig), district_key)
