"""The core's own kinds and projections: nodes, terminals, reports, cases, arrivals, links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from wanmi import kinds
from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.case_rows import register_cases
from wanmi.journal.device_rows import register_devices
from wanmi.journal.keys import may_admit
from wanmi.journal.order_rows import register_orders
from wanmi.journal.projecting import body_of
from wanmi.journal.settings_rows import register_settings
from wanmi.journal.task_rows import register_tasks
from wanmi.journal.terminal_asks import register_asks
from wanmi.journal.terminal_keys import register_terminals
from wanmi.journal.terminal_rows import register_heard
from wanmi.link_kinds import TailGivenUp
from wanmi.models import (
    CALLER,
    CORE_ROWS,
    ArrivalRow,
    AttachmentRow,
    ErasedRow,
    LinkRow,
    NodeRow,
    ReportRow,
    Row,
    table,
)
from wanmi.registry import Registry
from wanmi.store import upsert_rows


def register_core(to: Registry) -> None:
    """Register the core's tables, kinds and projections; the node does so before any plugin."""
    to.tables(*CORE_ROWS)
    to.entry_kind("node.admitted", kinds.NodeAdmitted, zh="节点准入", en="Node admitted")
    to.entry_kind("node.revoked", kinds.NodeRevoked, zh="节点吊销", en="Node revoked")
    to.entry_kind("key.replaced", kinds.KeyReplaced, zh="节点换钥", en="Node's key replaced")
    to.entry_kind("report.received", kinds.ReportReceived, zh="上报收讫", en="Report received")
    to.entry_kind("report.relayed", kinds.ReportRelayed, zh="上报转交", en="Report relayed")
    to.entry_kind("report.refused", kinds.ReportRefused, zh="上报拒收", en="Report refused")
    to.entry_kind("report.registered", kinds.ReportRegistered, zh="来件登记", en="Report registered")
    to.entry_kind("person.erased", kinds.PersonErased, zh="个人信息销毁", en="Personal data erased")
    to.entry_kind("sealed.viewed", kinds.SealedViewed, zh="查看密封信息", en="Sealed data viewed")
    to.entry_kind("arrival.noted", kinds.ArrivalNoted, zh="到达登记", en="Arrival noted")
    to.entry_kind("link.changed", kinds.LinkChanged, zh="链路变化", en="Link changed")
    to.entry_kind("tail.given_up", TailGivenUp, zh="放弃找回尾部条目", en="Lost entries given up")
    to.entry_kind("clock.stepped", kinds.ClockStepped, zh="时钟跳变", en="Clock stepped")
    to.projection("nodes", kinds=("node.admitted", "node.revoked"), rows=(NodeRow,), apply=project_nodes)
    to.projection("reports", kinds=("report.received", "report.refused"), rows=(ReportRow,), apply=project_reports)
    to.projection(
        "attachments",
        kinds=("report.received", "report.relayed", "report.registered"),
        rows=(AttachmentRow,),
        apply=project_attachments,
    )
    to.projection("erased", kinds=("person.erased",), rows=(ErasedRow,), apply=project_erased)
    register_cases(to)
    to.projection("arrivals", kinds=("arrival.noted",), rows=(ArrivalRow,), apply=project_arrivals)
    to.projection("links", kinds=("link.changed",), rows=(LinkRow,), apply=project_links)
    register_tasks(to)
    register_orders(to)
    register_settings(to)
    register_devices(to)
    register_terminals(to)
    register_asks(to)
    register_heard(to)


def project_nodes(tx: Connection, entries: Sequence[Entry]) -> None:
    """Admissions bind keys; a revocation only changes the state. The founding entry has no parent.

    A parent's admission of a child wins over the child's own founding entry, in whichever order they come:
    the row remembers a parent once one is known.
    """
    for entry in entries:
        if entry.kind == "node.revoked":
            _revoke_node(tx, entry)
            continue
        admitted = body_of(entry, kinds.NodeAdmitted)
        if admitted.parent is None and admitted.code != entry.origin:
            raise BadInput(f"node {entry.origin} cannot found node {admitted.code}; a parent admits it")
        if admitted.parent is not None and (
            admitted.parent != entry.origin or not may_admit(entry.origin, admitted.code)
        ):
            raise BadInput(f"node {entry.origin} cannot admit {admitted.code} for parent {admitted.parent}")
        row = (
            admitted.code, admitted.role, admitted.name, admitted.region, admitted.parent, admitted.sign_key,
            admitted.curve_key, "admitted", entry.at,
        )  # fmt: skip
        _admit(tx, row, founding=admitted.parent is None)


def _revoke_node(tx: Connection, entry: Entry) -> None:
    code = body_of(entry, kinds.NodeRevoked).code
    known = tx.execute(table(NodeRow).select().where(table(NodeRow).c.code == code)).one_or_none()
    if known is None or known.parent != entry.origin:
        raise BadInput(f"node {entry.origin} cannot revoke {code}; only its parent can")
    _set_state(tx, NodeRow, table(NodeRow).c.code == code, "revoked", entry.at)


def _admit(tx: Connection, row: tuple[Any, ...], *, founding: bool) -> None:
    if founding:
        known = tx.execute(table(NodeRow).select().where(table(NodeRow).c.code == row[0])).one_or_none()
        if known is not None and known.parent is not None:
            return
    upsert_rows(tx, NodeRow, [row])


def project_reports(tx: Connection, entries: Sequence[Entry]) -> None:
    """Reports by (edge, terminal, report id): taken ones win over an earlier refusal of other bytes."""
    received: list[tuple[Any, ...]] = []
    refused: list[tuple[Any, ...]] = []
    for entry in entries:
        if entry.kind == "report.received":
            body = body_of(entry, kinds.ReportReceived)
            received.append(
                (entry.origin, body.report_id, body.terminal, body.digest, entry.seq, body.kind, body.category,
                 body.made_at, "kept", None)
            )  # fmt: skip
        else:
            no = body_of(entry, kinds.ReportRefused)
            refused.append(
                (entry.origin, f"{no.report_id}!{no.digest[:16]}", no.terminal, no.digest, entry.seq, "", "", entry.at,
                 "refused", no.reason)
            )  # fmt: skip
    upsert_rows(tx, ReportRow, received)
    upsert_rows(tx, ReportRow, refused)


def project_attachments(tx: Connection, entries: Sequence[Entry]) -> None:
    """Which sealed blobs an entry names."""
    rows: list[tuple[Any, ...]] = []
    for entry in entries:
        for n, (role, item) in enumerate(_sealed_parts(entry)):
            rows.append(
                (entry.origin, entry.seq, n, entry.subject, role, item.media, item.size, item.digest, item.blob)
            )
    upsert_rows(tx, AttachmentRow, rows)


def _sealed_parts(entry: Entry) -> list[tuple[str, kinds.Attachment | kinds.Sealed]]:
    """The sealed parts of a report with their roles; who called goes last."""
    if entry.kind == "report.registered":
        registered = body_of(entry, kinds.ReportRegistered)
        who = [] if registered.caller is None else [(CALLER, registered.caller)]
        return [*((item.role, item) for item in registered.attachments), *who]
    relayed = entry.kind == "report.relayed"
    report = body_of(entry, kinds.ReportRelayed).report if relayed else body_of(entry, kinds.ReportReceived)
    return [(item.role, item) for item in report.attachments]


def project_erased(tx: Connection, entries: Sequence[Entry]) -> None:
    """Which blobs are to be erased, and who said so."""
    for entry in entries:
        blobs = body_of(entry, kinds.PersonErased).blobs
        upsert_rows(tx, ErasedRow, [(blob, entry.origin, entry.seq, entry.at) for blob in dict.fromkeys(blobs)])


def project_arrivals(tx: Connection, entries: Sequence[Entry]) -> None:
    """The newest arrival that each parent journaled for each origin."""
    newest: dict[tuple[str, str], tuple[Any, ...]] = {}
    for entry in entries:
        body = body_of(entry, kinds.ArrivalNoted)
        newest[entry.origin, body.origin] = (entry.origin, body.origin, body.seq, body.hash, body.at)
    upsert_rows(tx, ArrivalRow, list(newest.values()))


def project_links(tx: Connection, entries: Sequence[Entry]) -> None:
    """Whether each parent holds each child's link to be up."""
    newest: dict[tuple[str, str], tuple[Any, ...]] = {}
    for entry in entries:
        body = body_of(entry, kinds.LinkChanged)
        newest[entry.origin, body.peer] = (entry.origin, body.peer, int(body.up), body.at)
    upsert_rows(tx, LinkRow, list(newest.values()))


def _set_state(tx: Connection, row: type[Row], which: ColumnElement[bool], state: str, at: int) -> None:
    tx.execute(update(table(row)).where(which).values(state=state, at=at))
