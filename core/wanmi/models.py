"""Rows of the core's tables; every table says what it is.

journal     entries: the truth
projection  what entries add up to: rebuilt by replay, compared row by row in key order
local       keys of blobs, cursors, sessions, evidence: backed up, never replayed, never journaled

Rows do not leave the store; hot paths use ``Row.__table__`` with SQLAlchemy Core.
"""

from __future__ import annotations

from typing import Any, Literal, cast

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Mark = Literal["journal", "projection", "local"]


class Row(DeclarativeBase):
    """Base of every row, the plugins' too. A table's mark stands in its ``info``."""


def mark(kind: Mark, *constraints: Any) -> tuple[Any, ...]:
    """``__table_args__`` that mark a table, with its constraints and indexes."""
    return (*constraints, {"info": {"mark": kind}})


def table(row: type[Row]) -> Table:
    """The Core table of a row class."""
    return cast(Table, row.__table__)


def mark_of(row: type[Row]) -> Mark:
    """The mark of a row class; KeyError if its author forgot it."""
    return cast(Mark, table(row).info["mark"])


def key_columns(row: type[Row]) -> list[str]:
    """Names of the primary key's columns, in order."""
    return [column.name for column in table(row).primary_key.columns]


CALLER = "caller"
"""The role of a sealed part that tells who a person is: pages and links of evidence leave it out."""
Key = String(120)
Big = BigInteger().with_variant(Integer, "sqlite")


class EntryRow(Row):
    """One entry as this node holds it. ``raw`` is what was hashed; the other columns are a view of it.

    ``raw`` is null where this node was not addressed: then ``audience`` and ``digest`` stand for it.
    ``pos`` is the local order of application, ``received_at`` local µs UTC.
    """

    __tablename__ = "entry"
    pos: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    origin: Mapped[str] = mapped_column(String(10))
    seq: Mapped[int] = mapped_column(BigInteger)
    v: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[int | None] = mapped_column(BigInteger)
    audience: Mapped[str] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(String(80))
    kind_v: Mapped[int | None] = mapped_column(Integer)
    subject: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int | None] = mapped_column(Integer)
    actor: Mapped[str | None] = mapped_column(Text)
    by: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    salt: Mapped[str | None] = mapped_column(Text)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark(
        "journal",
        UniqueConstraint("origin", "seq"),
        Index("entry_subject", "subject", "origin", "version"),
        Index(
            "entry_reaction",
            "origin",
            "cause",
            unique=True,
            sqlite_where=text("cause LIKE '%#%'"),  # the store says it to PostgreSQL too
        ),
    )


class HeadRow(Row):
    """Signed heads: evidence of what an origin said; the newest one guards the tail against truncation."""

    __tablename__ = "head"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int] = mapped_column(BigInteger)
    sig: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = mark("local")


class CosignRow(Row):
    """Dated countersignatures, given and received; kept on both sides."""

    __tablename__ = "cosign"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    by: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int] = mapped_column(BigInteger)
    sig: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = mark("local")


class ForkRow(Row):
    """Evidence of a fork: another hash (and, where had, other bytes) for an (origin, seq) that is held."""

    __tablename__ = "fork"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    head: Mapped[bytes | None] = mapped_column(LargeBinary)
    peer: Mapped[str] = mapped_column(String(10))
    seen_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class QuarantineRow(Row):
    """Entries whose projection refused them, with the reason; the cursor moved on."""

    __tablename__ = "quarantine"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    projection: Mapped[str] = mapped_column(String(80), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    __table_args__ = mark("projection")


class ReactorRow(Row):
    """A reactor's cursor: every entry up to ``pos`` has been decided on."""

    __tablename__ = "reactor"
    name: Mapped[str] = mapped_column(Key, primary_key=True)
    pos: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class ReactorFailedRow(Row):
    """An entry that a reactor could not decide on, with the reason: shown, and re-driven after a fix."""

    __tablename__ = "reactor_failed"
    name: Mapped[str] = mapped_column(Key, primary_key=True)
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class BlobRow(Row):
    """A sealed blob that is wholly here; ``key`` is wrapped with the node's local key, null once erased.

    ``data`` holds a small blob's sealed bytes; a bigger one is a file.
    """

    __tablename__ = "blob"
    blob: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[bytes | None] = mapped_column(LargeBinary)
    data: Mapped[bytes | None] = mapped_column(LargeBinary)
    added_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class ErasedRow(Row):
    """A blob that a node said is to be erased: whoever holds it destroys its key, again after a restore."""

    __tablename__ = "erased"
    blob: Mapped[str] = mapped_column(String(64), primary_key=True)
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class NodeRow(Row):
    """A node of this city, as admitted by its parent (or by itself: the founding entry)."""

    __tablename__ = "node"
    code: Mapped[str] = mapped_column(String(10), primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(Text)
    region: Mapped[str] = mapped_column(String(12))
    parent: Mapped[str | None] = mapped_column(String(10))
    sign_key: Mapped[str] = mapped_column(String(64))
    curve_key: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10))
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class TerminalRow(Row):
    """A field terminal, as admitted by its home district or, as a guest, by another one.

    ``broker_verifier`` is a salted hash, never a password.
    """

    __tablename__ = "terminal"
    district: Mapped[str] = mapped_column(String(10), primary_key=True)
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    sign_key: Mapped[str] = mapped_column(String(64))
    broker_verifier: Mapped[str] = mapped_column(Text)
    holder: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class TerminalKeyRow(Row):
    """A key that a terminal had before: until when, and up to when edges' entries count that it signed (µs UTC).

    ``revoked`` 1: revoked, or replaced as lost; 0: rotated away.
    """

    __tablename__ = "terminal_key"
    district: Mapped[str] = mapped_column(String(10), primary_key=True)
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    sign_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    ended_at: Mapped[int] = mapped_column(BigInteger)
    heard_until: Mapped[int] = mapped_column(BigInteger)
    revoked: Mapped[int] = mapped_column(Integer)
    __table_args__ = mark("projection", Index("terminal_key_key", "sign_key"))


class TerminalOrderRow(Row):
    """A terminal whose district wants its key rotated, until it is."""

    __tablename__ = "terminal_order"
    district: Mapped[str] = mapped_column(String(10), primary_key=True)
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class ReportRow(Row):
    """A report as an edge took it in; ``digest`` is the SHA-256 of the terminal's signed bytes.

    Report ids sort by time, so they go first in the key: new rows land side by side.
    """

    __tablename__ = "report"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    report_id: Mapped[str] = mapped_column(String(90), primary_key=True)
    terminal: Mapped[str] = mapped_column(String(20), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(8))
    made_at: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(Text)
    __table_args__ = mark("projection", Index("report_seq", "edge", "seq"), Index("report_made", "terminal", "made_at"))


class AttachmentRow(Row):
    """A sealed attachment that an entry names: wanted here until its blob is."""

    __tablename__ = "attachment"
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(10))
    media: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    blob: Mapped[str] = mapped_column(String(64))
    __table_args__ = mark(
        "projection",
        Index("attachment_blob", "blob", "origin", "seq", "n"),
        Index("attachment_role", "blob", "role", "origin", "seq", "n"),
        Index("attachment_subject", "subject"),
    )


_FILTERED = ("district", "kind", "category", "community", "stage", "department")


def _listed(name: str, *lead: str) -> Index:
    """An index that lists cases newest first, those alike in ``lead``; it holds whatever else a filter may ask.

    So a filter that ``lead`` does not answer is decided in the index, ten times as fast as by the rows.
    """
    return Index(name, *lead, "opened_at", "number", *(column for column in _FILTERED if column not in lead))


class CaseRow(Row):
    """A case (案卷) as its owner's entries add up to it. Times µs UTC, coordinates 1e-7 degree WGS-84.

    ``clock`` runs (or is paused) with its limit; its light is green to ``warn_at``, yellow to ``deadline``, then red.
    ``overdue`` counts the deadlines that passed (the last: ``overdue_told``), ``requests`` those that wait; ``counts`` is JSON (rework, returned …).
    """

    __tablename__ = "case_"
    number: Mapped[str] = mapped_column(String(60), primary_key=True)
    owner: Mapped[str] = mapped_column(String(10))
    district: Mapped[str] = mapped_column(String(6))
    day: Mapped[str] = mapped_column(String(8))
    day_seq: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(8))
    component: Mapped[str | None] = mapped_column(Text)
    grid: Mapped[str | None] = mapped_column(String(15))
    community: Mapped[str | None] = mapped_column(String(12))
    lon_e7: Mapped[int] = mapped_column(BigInteger)
    lat_e7: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)
    terminal: Mapped[str | None] = mapped_column(String(20))
    report_id: Mapped[str | None] = mapped_column(String(64))
    report_subject: Mapped[str | None] = mapped_column(Text)
    reported_at: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    stage: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    similar: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    department: Mapped[str | None] = mapped_column(Text)
    collector: Mapped[str | None] = mapped_column(Text)
    clock: Mapped[str | None] = mapped_column(String(20))
    limit_value: Mapped[int | None] = mapped_column(BigInteger)
    limit_unit: Mapped[str | None] = mapped_column(String(20))
    deadline: Mapped[int | None] = mapped_column(BigInteger)
    warn_at: Mapped[int | None] = mapped_column(BigInteger)
    until: Mapped[int | None] = mapped_column(BigInteger)
    filed_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    final: Mapped[int] = mapped_column(Integer)
    merged_into: Mapped[str | None] = mapped_column(String(60))
    overdue: Mapped[int] = mapped_column(Integer)
    overdue_told: Mapped[int | None] = mapped_column(BigInteger)
    requests: Mapped[int] = mapped_column(Integer)
    counts: Mapped[str] = mapped_column(Text)
    profile: Mapped[str] = mapped_column(Text)
    __table_args__ = mark(
        "projection",
        UniqueConstraint("owner", "day", "day_seq"),
        Index("case_report", "terminal", "report_id"),
        _listed("case_opened"),
        _listed("case_stage", "stage"),
        _listed("case_category", "category", "kind"),
        _listed("case_filter", "stage", "category", "kind"),
        _listed("case_community", "community"),
        _listed("case_work", "department"),
        Index("case_grid", "grid", "opened_at", "number"),
        Index("case_day", "day", "opened_at", "number", "kind", "category"),
        Index("case_sequence", "day_seq", "opened_at", "number"),
        Index("case_tally", "district", "stage"),
        Index("case_near", "owner", "kind", "category", "reported_at"),
        Index("case_due", "owner", "deadline", "overdue_told"),
        Index("case_until", "owner", "until"),
        Index("case_clock", "owner", "clock", "opened_at"),
    )


class ArrivalRow(Row):
    """What a parent journaled last about an origin whose entries reach it: the arrival's head and time."""

    __tablename__ = "arrival"
    by: Mapped[str] = mapped_column(String(10), primary_key=True)
    origin: Mapped[str] = mapped_column(String(10), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class LinkRow(Row):
    """Whether a parent holds a child's link to be up, as it journaled."""

    __tablename__ = "link"
    by: Mapped[str] = mapped_column(String(10), primary_key=True)
    peer: Mapped[str] = mapped_column(String(10), primary_key=True)
    up: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


CORE_ROWS: tuple[type[Row], ...] = (
    EntryRow, HeadRow, CosignRow, ForkRow, QuarantineRow, ReactorRow, ReactorFailedRow, BlobRow,
    NodeRow, TerminalRow, TerminalKeyRow, TerminalOrderRow, ReportRow, AttachmentRow, CaseRow, ArrivalRow, LinkRow, ErasedRow,
)  # fmt: skip
