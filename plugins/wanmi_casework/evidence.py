"""A report's entry against what its terminal signed: the district believes the signature, not the edge. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from wanmi.errors import BadInput, WanmiError
from wanmi.kinds import ReportReceived
from wanmi.reports import Known, Report, ReportMessage, digest_of, key_of_entry, verify_report
from wanmi.reports.envelope import decode_envelope, from_b64


def signed_report(body: ReportReceived, terminal: Known, at: int) -> Report:
    """The report that the terminal signed with a key of its own, and that an edge journaled at ``at`` (µs UTC).

    Raises BadInput when the signature fits no key, when the key was revoked or its grace over before the edge took the
    report, or when the entry says something else than the terminal did.
    """
    raw, signature = from_b64(body.envelope), from_b64(body.sig)
    report = decode_envelope(raw)
    message = ReportMessage(report, raw, signature, "", {})
    check_key(f"report {body.report_id} of {body.terminal}", terminal, partial(verify_report, message), at)
    said = (report.terminal, report.report_id, report.kind, report.category, report.made_at, digest_of(raw))
    if said != (body.terminal, body.report_id, body.kind, body.category, body.made_at, body.digest):
        raise BadInput(f"report {body.report_id} of {body.terminal}: the entry says something else than the terminal")
    if [(one.role, one.digest) for one in report.attachments] != [(one.role, one.digest) for one in body.attachments]:
        raise BadInput(f"report {body.report_id} of {body.terminal}: the entry names other attachments")
    return report


def check_key(what: str, terminal: Known, fits: Callable[[bytes], bool], at: int) -> None:
    """BadInput unless a key of the terminal signed it which counted when an edge journaled it (``at``, µs UTC)."""
    key, counts = key_of_entry(terminal, fits, at)
    if key is None:
        raise BadInput(f"{what}: the signature does not fit the terminal's key")
    if not counts:
        why = "was revoked" if terminal.revoked else "had changed its key for good"
        raise BadInput(f"{what}: the terminal {why} before it was received")


def why_not(error: WanmiError) -> str:
    """A refusal in one short line, for the health page."""
    return str(error)[:200]
