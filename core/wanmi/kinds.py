"""Bodies of the core's own entries: nodes, terminals, reports, cases, arrivals. Data only.

Integers only: times µs UTC, coordinates 1e-7 degree, keys and digests lower-case hex, bytes base64url.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["city", "district", "edge"]
ThingKind = Literal["component", "event"]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class NodeAdmitted(_Body, frozen=True):
    """``node.admitted``, subject ``node:<code>``: a parent binds a node's code, region and keys.

    The first entry of a node's own chain admits itself (parent null): its founding entry.
    ``token`` is the SHA-256 of the one-time token (empty when founding).
    """

    code: str
    role: Role
    name: str
    region: str
    parent: str | None
    sign_key: str
    curve_key: str
    token: str


class NodeRevoked(_Body, frozen=True):
    """``node.revoked``, subject ``node:<code>``: the parent no longer speaks with these keys."""

    code: str
    reason: str


class KeyReplaced(_Body, frozen=True):
    """``key.replaced``, subject ``node:<code>``: a node that its parent admits again has another signing key.

    ``after`` and ``hash`` say how far the parent holds the node's chain: up to there the earlier key stands for it,
    behind it only ``sign_key``. It stands right before the ``node.admitted`` that gives the rest.
    """

    code: str
    after: int
    hash: str
    sign_key: str


class TerminalAdmitted(_Body, frozen=True, omit_defaults=True):
    """``terminal.admitted``, subject ``terminal:<district>:<id>``: a district admits a terminal's key.

    Again with another key: the one before was lost, and counts no more. ``unit``: where the terminal belongs.

    Its home district (in its id), or another one where it is a guest: whose edges take its reports too.
    ``broker_verifier`` is a salted PBKDF2 hash of 256 random bits that only the terminal knows.
    """

    terminal: str
    sign_key: str
    broker_verifier: str
    holder: str | None
    unit: str | None = None


class TerminalRevoked(_Body, frozen=True):
    """``terminal.revoked``, subject ``terminal:<district>:<id>``: its reports are refused from now on."""

    terminal: str
    reason: str


class TerminalAsked(_Body, frozen=True):
    """``terminal.asked``, subject ``ask:<edge>:<key id>``: a terminal that nobody knows asks to be admitted; once for a key.

    It signed this with ``sign_key``; decided by its district before ``expires_at`` (µs UTC), or not at all.
    """

    sign_key: str
    seal_key: str
    broker_verifier: str
    model: str
    app: str
    expires_at: int


class TerminalDenied(_Body, frozen=True):
    """``terminal.denied``, subject ``ask:<district>:<key id>``: a terminal with this key is not admitted."""

    sign_key: str
    reason: str


class TerminalRotating(_Body, frozen=True):
    """``terminal.rotating``, subject ``rotate:<edge>:<id>``: an edge heard a terminal ask for a new key.

    ``envelope`` (base64url of what the terminal signed, ``sig`` by the old key, ``new_sig`` by the new) is the evidence.
    """

    terminal: str
    digest: str
    envelope: str
    sig: str
    new_sig: str


class TerminalRotated(_Body, frozen=True):
    """``terminal.rotated``, subject ``terminal:<district>:<id>``: a new key and broker verifier follow the old ones.

    What the old key signed before counts for ``grace`` more seconds; the evidence is as in ``terminal.rotating``.
    """

    terminal: str
    old_key: str
    sign_key: str
    broker_verifier: str
    grace: int
    envelope: str
    sig: str
    new_sig: str


class TerminalRotationOrdered(_Body, frozen=True):
    """``terminal.rotation_ordered``, subject ``terminal:<district>:<id>``: the terminal is told to make a new key."""

    terminal: str
    reason: str


class Attachment(_Body, frozen=True):
    """A sealed attachment: ``digest`` of the content as its maker signed it, ``blob`` of the sealed bytes."""

    role: Literal["text", "photo", "sound", "track"]
    digest: str
    size: int
    media: str
    blob: str


class Sealed(_Body, frozen=True):
    """A sealed part that entries name but pages and links do not hand out by itself: who called, a recording.

    As in an attachment, ``digest`` and ``size`` are of the content (salted where it could be guessed).
    """

    digest: str
    size: int
    media: str
    blob: str


class ReportReceived(_Body, frozen=True):
    """``report.received``, subject ``report:<edge>:<report id>:<terminal>``: the terminal's signed bytes.

    ``envelope`` (base64url of exactly what the terminal signed) is the evidence; the fields beside it repeat
    what projections need. ``digest`` is its SHA-256.
    """

    terminal: str
    report_id: str
    envelope: str
    sig: str
    digest: str
    kind: ThingKind
    category: str
    made_at: int
    attachments: list[Attachment]


class ReportRelayed(_Body, frozen=True):
    """``report.relayed``, subject ``relay:<edge>:<report id>:<terminal>``: the city hands a report that came in
    by another district's edge to the terminal's home district, by value.

    ``edge`` and ``seq`` name the entry ``report.received`` that it repeats, ``at`` is that entry's time.
    """

    edge: str
    seq: int
    at: int
    report: ReportReceived


class ReportRefused(_Body, frozen=True):
    """``report.refused``, subject as ``report.received`` plus ``!<digest>``: authentic, but not taken; why."""

    terminal: str
    report_id: str
    envelope: str
    sig: str
    digest: str
    reason: str


class Place(_Body, frozen=True):
    """Where something is: a WGS-84 point in 1e-7 degree, and what said so.

    ``by`` grid or community: the point is one inside that area, and ``grid`` the unit grid that it stands for.
    """

    lon_e7: int
    lat_e7: int
    by: Literal["point", "grid", "community"]
    grid: str | None
    grid_version: str | None


class ReportRegistered(_Body, frozen=True):
    """``report.registered``, subject ``report:<node>:<report id>:<source>``: a report that came by no terminal.

    ``attachments`` is what the person said, sealed; ``caller`` who they are, sealed apart. ``registered_by`` is
    the id of who wrote it down. The node that writes it opens the case.
    """

    report_id: str
    source: str
    kind: ThingKind
    category: str
    place: Place
    address: str
    made_at: int
    attachments: list[Attachment]
    caller: Sealed | None
    registered_by: str


class PersonErased(_Body, frozen=True):
    """``person.erased``, subject ``erasure:<id>``: every holder of these blobs destroys their keys.

    It counts for blobs of the writer itself and for those that its own or its descendants' chains name.
    """

    blobs: list[str]
    reason: Literal["request", "retention", "order"]


class SealedViewed(_Body, frozen=True):
    """``sealed.viewed``, subject ``viewed:<what it is of>``: the actor was shown what these blobs hold.

    ``post`` is the post that the actor held; empty in entries of a machine or of an older node.
    """

    blobs: list[str]
    of: str
    why: str
    post: str = ""


class CaseActor(_Body, frozen=True):
    """Somebody who acted on an axis of the case that a new one is a part of."""

    actor: str
    axis: Literal["supervision", "command"]


class CaseOpened(_Body, frozen=True, omit_defaults=True):
    """``case.opened``, subject ``case:<number>``: every decision made when the case was opened.

    ``grid`` null: no unit grid covers the point. ``grid_version`` and ``profile`` pin the data that decided.
    ``lon_e7``/``lat_e7`` are WGS-84. ``report`` is the subject of the report that led here, null otherwise.
    ``actors`` are those of the case that this one is a part of: they stay on their axis here; left out if there are none.
    """

    number: str
    district: str
    day: str
    day_seq: int
    kind: ThingKind
    category: str
    profile: str
    component: str | None
    grid: str | None
    grid_version: str | None
    lon_e7: int
    lat_e7: int
    source: str
    terminal: str | None
    report_id: str | None
    report: str | None
    reported_at: int
    stage: str
    state: str
    similar: list[str]
    attachments: list[Attachment]
    actors: list[CaseActor] = []


class ArrivalNoted(_Body, frozen=True):
    """``arrival.noted``, subject ``arrival:<origin>``: a child's chain stood here at this head at this time."""

    origin: str
    via: str
    seq: int
    hash: str
    at: int


class LinkChanged(_Body, frozen=True):
    """``link.changed``, subject ``link:<child>``: the link to a child went up or down, and why."""

    peer: str
    up: bool
    reason: str
    at: int


class ClockStepped(_Body, frozen=True):
    """``clock.stepped``, subject ``clock:<node>``: the wall clock moved against the monotonic one (µs)."""

    step: int
    source: str


def report_subject(edge: str, report_id: str, terminal: str) -> str:
    """The subject of a report; the id goes first because it sorts by time."""
    return f"report:{edge}:{report_id}:{terminal}"


def home_district(terminal: str) -> str:
    """The district in a terminal's id: it opens the cases of its reports."""
    return terminal[1:7]
