"""Receipts: what the edge tells terminals. Pure, but for handing them to the broker."""

from __future__ import annotations

from wanmi.entries import Cosign
from wanmi.mqtt import MqttClient
from wanmi.reports import EntryRef, Receipt, cosign_ref, encode_receipt, receipt_topic
from wanmi_edge.ledger import Taken

RECEIPT_LIFE = 7 * 86_400
"""Seconds for which a broker keeps a receipt for a terminal that is away."""


def kept(edge: str, terminal: str, report_id: str, taken: Taken, at: int, cosign: Cosign | None) -> Receipt:
    """The receipt of a report that has its entry, as it stands now: kept, safe or refused.

    A late answer is kept with its reason.
    """
    entry = EntryRef(edge, taken.seq, taken.hash)
    if taken.status == "refused":
        return Receipt(1, terminal, report_id, "refused", edge, at, entry=entry, reason=taken.reason)
    if cosign is not None and covers(cosign, taken):
        return Receipt(1, terminal, report_id, "safe", edge, at, entry, taken.reason, cosign=cosign_ref(cosign))
    return Receipt(1, terminal, report_id, "kept", edge, at, entry, taken.reason)


def covers(cosign: Cosign, taken: Taken) -> bool:
    """Whether the parent's countersignature reaches a report's entry (and agrees with it at the entry itself)."""
    return cosign.seq > taken.seq or (cosign.seq == taken.seq and cosign.hash.hex() == taken.hash)


def refused(edge: str, terminal: str, report_id: str | None, reason: str, at: int) -> Receipt:
    """No, without an entry: junk, or no room now."""
    return Receipt(1, terminal, report_id, "refused", edge, at, reason=reason)


def wanted(edge: str, terminal: str, report_id: str, digests: tuple[str, ...], at: int) -> Receipt:
    """The report is good; these parts of it have not come."""
    return Receipt(1, terminal, report_id, "want", edge, at, want=digests)


def send(client: MqttClient, receipt: Receipt) -> bool:
    """Publish a receipt to its terminal; False when the broker cannot take it now."""
    topic = receipt_topic(receipt.terminal)
    return client.publish(topic, encode_receipt(receipt), content_type="application/json", expiry=RECEIPT_LIFE)
