"""A report's entry against what its terminal signed: the district believes the signature, not the edge. Pure."""

from __future__ import annotations

from wanmi.errors import BadInput, WanmiError
from wanmi.kinds import ReportReceived
from wanmi.reports import Report, ReportMessage, digest_of, verify_report
from wanmi.reports.envelope import decode_envelope, from_b64


def signed_report(body: ReportReceived, public: bytes) -> Report:
    """The report that the terminal with this key (32 bytes) signed.

    Raises BadInput when the signature does not fit, or when the entry says something else than the terminal did.
    """
    raw, signature = from_b64(body.envelope), from_b64(body.sig)
    report = decode_envelope(raw)
    message = ReportMessage(report, raw, signature, "", {})
    if not verify_report(message, public):
        raise BadInput(f"report {body.report_id} of {body.terminal}: the signature does not fit the terminal's key")
    said = (report.terminal, report.report_id, report.kind, report.category, report.made_at, digest_of(raw))
    if said != (body.terminal, body.report_id, body.kind, body.category, body.made_at, body.digest):
        raise BadInput(f"report {body.report_id} of {body.terminal}: the entry says something else than the terminal")
    if [(one.role, one.digest) for one in report.attachments] != [(one.role, one.digest) for one in body.attachments]:
        raise BadInput(f"report {body.report_id} of {body.terminal}: the entry names other attachments")
    return report


def why_not(error: WanmiError) -> str:
    """A refusal in one short line, for the health page."""
    return str(error)[:200]
