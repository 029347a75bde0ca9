"""One batch of the intake on its way into the journal: what is to be written, and what is to be said afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from wanmi.kinds import Attachment, ReportReceived, ReportRefused, report_subject
from wanmi.mqtt import Message
from wanmi.registry import Draft, Stored
from wanmi.reports import Reason, Receipt, ReportMessage
from wanmi.reports.envelope import to_b64
from wanmi.store import Blobs, Sealed, delete_keys, upsert_rows
from wanmi_edge.ledger import Key, Taken, refusal_id
from wanmi_edge.rows import JunkRow, WaitingRow
from wanmi_edge.tally import REPORTS, count_in
from wanmi_edge.verdicts import Junk, sample_of

MAX_BYTES = 16 * 1024 * 1024
"""Sealed bytes after which a plan goes off and a new one begins."""


@dataclass
class Plan:
    """Filled by the intake, written in one transaction, then settled: receipts, then acknowledgements."""

    edge: str
    by: str
    messages: list[Message] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    results: list[tuple[Key, str, str | None]] = field(default_factory=list)
    """Beside each draft: ledger key, digest, reason (None: kept)."""
    keys: dict[Key, str] = field(default_factory=dict)
    """Ledger keys of the drafts, with their digests."""
    sealed: list[Sealed] = field(default_factory=list)
    junk: list[tuple[int, Junk]] = field(default_factory=list)
    wait: list[tuple[str, str, bytes, int]] = field(default_factory=list)
    stop_waiting: list[Key] = field(default_factory=list)
    used_parts: list[tuple[str, str]] = field(default_factory=list)
    again: list[Key] = field(default_factory=list)
    """Ledger keys whose receipt is to be repeated."""
    answers: list[Receipt] = field(default_factory=list)
    size: int = 0
    newcomers: int = 0
    """Reports that are durable for the first time with this plan, by an entry or in the waiting room."""
    let_go: int = 0
    """Reports that had to leave the waiting room without an entry."""

    def take(self, report: ReportMessage, parts: dict[str, Sealed], sizes: dict[str, int]) -> None:
        """A good report with all of its parts."""
        said = report.report
        attachments = [
            Attachment(one.role, one.digest, sizes[one.digest], one.media, parts[one.digest].blob)
            for one in said.attachments
        ]
        body = ReportReceived(
            said.terminal, said.report_id, to_b64(report.envelope), to_b64(report.signature), report.digest, said.kind,
            said.category, said.made_at, attachments,
        )  # fmt: skip
        subject = report_subject(self.edge, said.report_id, said.terminal)
        self._draft(
            Draft("report.received", subject, body, by=self.by, actor=said.terminal), report, said.report_id, None
        )
        self.sealed.extend(parts.values())
        self.size += sum(one.size for one in parts.values())

    def refuse(self, report: ReportMessage, reason: Reason) -> None:
        """An authentic report that is not taken, and why."""
        said = report.report
        body = ReportRefused(
            said.terminal,
            said.report_id,
            to_b64(report.envelope),
            to_b64(report.signature),
            report.digest,
            reason.value,
        )
        subject = f"{report_subject(self.edge, said.report_id, said.terminal)}!{report.digest}"
        draft = Draft("report.refused", subject, body, by=self.by, actor=said.terminal)
        self._draft(draft, report, refusal_id(said.report_id, report.digest), reason.value)

    def _draft(self, draft: Draft, report: ReportMessage, row_id: str, reason: str | None) -> None:
        key = (report.report.terminal, row_id)
        self.drafts.append(draft)
        self.results.append((key, report.digest, reason))
        self.keys[key] = report.digest

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.drafts or self.junk or self.wait or self.stop_waiting)

    def write(self, tx: Connection, blobs: Blobs, at: int, junk_rows: int) -> None:
        """The local writes, in the transaction of the entries."""
        for sealed in self.sealed:
            blobs.add(tx, sealed)
        upsert_rows(tx, JunkRow, [_junk_row(n, junk, at, junk_rows) for n, junk in self.junk])
        upsert_rows(tx, WaitingRow, self.wait)
        delete_keys(tx, WaitingRow, self.stop_waiting)
        count_in(tx, REPORTS, self.newcomers, self.let_go)

    def outcomes(self, stored: list[Stored]) -> list[tuple[Key, Taken]]:
        """What became of each draft."""
        return [
            (key, Taken(digest, item.seq, item.hash.hex(), "kept" if reason is None else "refused", reason))
            for (key, digest, reason), item in zip(self.results, stored, strict=True)
        ]


def _junk_row(n: int, junk: Junk, at: int, slots: int) -> tuple[object, ...]:
    return (
        n % slots,
        n,
        at,
        junk.topic[:200],
        junk.reason[:40],
        junk.detail[:500],
        len(junk.payload),
        sample_of(junk),
    )
