"""What a terminal and an edge say to one another: signed reports, receipts, topics, cards. Pure, no I/O.

The signed bytes of a report hold digests of its text and photos, never the text or the photos themselves: the
bytes are kept for ever in the edge's entry, the contents can be erased. The whole protocol, for somebody who
writes a terminal of their own, is told in docs/terminal-protocol.md.
"""

from __future__ import annotations

from wanmi.reports.cards import Card, broker_verifier, make_card, read_card, verifier_matches
from wanmi.reports.checks import Bounds, Box, Known, Limits, Rules, check_report, examine
from wanmi.reports.envelope import (
    Attachment,
    Report,
    ReportMessage,
    WireMessage,
    decode_report,
    digest_of,
    encode_message,
    envelope_bytes,
    key_id,
    missing_parts,
    read_text,
    sign_report,
    text_part,
    verify_report,
)
from wanmi.reports.reasons import Reason, Refused, reason_text
from wanmi.reports.receipts import (
    CosignRef,
    EntryRef,
    Receipt,
    cosign_ref,
    decode_receipt,
    encode_receipt,
    is_safe,
)
from wanmi.reports.topics import (
    CHUNK,
    PART_FILTER,
    REPORT_FILTER,
    PartTopic,
    ReportTopic,
    chunks_of,
    parse_topic,
    part_topic,
    receipt_topic,
    report_topic,
)

__all__ = [
    "CHUNK",
    "PART_FILTER",
    "REPORT_FILTER",
    "Attachment",
    "Bounds",
    "Box",
    "Card",
    "CosignRef",
    "EntryRef",
    "Known",
    "Limits",
    "PartTopic",
    "Reason",
    "Receipt",
    "Refused",
    "Report",
    "ReportMessage",
    "ReportTopic",
    "Rules",
    "WireMessage",
    "broker_verifier",
    "check_report",
    "chunks_of",
    "cosign_ref",
    "decode_receipt",
    "decode_report",
    "digest_of",
    "encode_message",
    "encode_receipt",
    "envelope_bytes",
    "examine",
    "is_safe",
    "key_id",
    "make_card",
    "missing_parts",
    "parse_topic",
    "part_topic",
    "read_card",
    "read_text",
    "reason_text",
    "receipt_topic",
    "report_topic",
    "sign_report",
    "text_part",
    "verifier_matches",
    "verify_report",
]
