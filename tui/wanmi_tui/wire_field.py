"""What nodes answer about the field: terminals, vehicles, scenes, the ledger. As ``wire``: times µs UTC, 1e-7 degree."""

from __future__ import annotations

import msgspec

from wanmi_tui.wire import Fix


class Terminal(msgspec.Struct, frozen=True):
    """A collector's terminal: how it was heard last. ``connected``: its heartbeat came back from the district lately."""

    terminal: str
    district: str = ""
    state: str = ""
    holder: str | None = None
    edge: str | None = None
    heard_at: int | None = None
    app: str | None = None
    battery: int | None = None
    queue: int | None = None
    refused: int | None = None
    credentials_since: int = 0
    confirmed_at: int | None = None
    round_trip_ms: int | None = None
    connected: bool = False
    pending_tasks: int = 0
    position_at: int | None = None


class Terminals(msgspec.Struct, frozen=True):
    """GET /terminals."""

    as_of: int = 0
    terminals: list[Terminal] = []


class Ask(msgspec.Struct, frozen=True):
    """A terminal that asks to be admitted; ``fingerprint`` to compare with its screen, ``edge`` where it asked."""

    id: str
    fingerprint: str = ""
    edge: str = ""
    model: str = ""
    app: str = ""
    asked_at: int = 0
    expires_at: int = 0
    state: str = ""
    terminal: str = ""
    reason: str = ""


class Asks(msgspec.Struct, frozen=True):
    """GET /terminals/asked."""

    as_of: int = 0
    asked: list[Ask] = []


class Position(msgspec.Struct, frozen=True):
    """Where a terminal was by its own status."""

    terminal: str
    lon_e7: int
    lat_e7: int
    fix_at: int = 0


class Positions(msgspec.Struct, frozen=True):
    """GET /terminals/positions, at the edge only."""

    positions: list[Position] = []


class Vehicle(msgspec.Struct, frozen=True):
    """A vehicle with its newest fix, and the newest good one."""

    vehicle: str
    fix: Fix
    name: str = ""
    device: str = ""
    part: str = ""
    came_at: int = 0
    valid: Fix | None = None


class Vehicles(msgspec.Struct, frozen=True):
    """GET /vehicles."""

    as_of: int = 0
    vehicles: list[Vehicle] = []


class Fence(msgspec.Struct, frozen=True):
    """A fence: one point and ``radius_m``, or a polygon."""

    id: str
    name: str = ""
    points: list[tuple[int, int]] = []
    radius_m: int = 0
    margin_m: int = 0
    dwell_s: int = 0
    vehicles: list[str] = []
    enabled: bool = True
    alarm: str = "none"
    severity: str = ""


class Fences(msgspec.Struct, frozen=True):
    """GET /fences."""

    fences: list[Fence] = []


class Call(msgspec.Struct, frozen=True):
    """A call of a scene that stands; ``until`` 0: until it is over."""

    key: str = ""
    why: str = ""
    page: str = ""
    called_at: int = 0
    until: int = 0


class Scene(msgspec.Struct, frozen=True):
    """What displays show when something happens."""

    name: str
    zh: str = ""
    en: str = ""
    enabled: bool = True
    priority: int = 0
    on: str = ""
    displays: list[str] = []
    page: str = ""
    minutes: int = 0
    calls: list[Call] = []


class Held(msgspec.Struct, frozen=True):
    """A display, and the scene that has or had it."""

    display: str
    scene: str = ""
    state: str = ""
    reason: str = ""
    page: str = ""


class Scenes(msgspec.Struct, frozen=True):
    """GET /scenes."""

    as_of: int = 0
    scenes: list[Scene] = []
    displays: list[Held] = []


class Wall(msgspec.Struct, frozen=True):
    """A wall that may stand at the edge's broker; ``now``: up, gone, or empty while it is not heard."""

    wall: str
    state: str = ""
    changed_at: int = 0
    now: str = ""
    page: str = ""
    device: str = ""


class Walls(msgspec.Struct, frozen=True):
    """GET /walls."""

    as_of: int = 0
    walls: list[Wall] = []


class Admitted(msgspec.Struct, frozen=True):
    """What a wall's PC needs; the password is told this once."""

    wall: str
    password: str
    broker: str = ""
    ca: str = ""


class Ended(msgspec.Struct, frozen=True):
    """How many calls were ended."""

    ended: int = 0


class Tally(msgspec.Struct, frozen=True):
    """A line of the ledger: ``taken`` = delivered + waiting + refused + missing; missing is 0 unless something is gone."""

    what: str
    zh: str = ""
    en: str = ""
    taken: int = 0
    delivered: int = 0
    waiting: int = 0
    refused: int = 0
    missing: int = 0


class Ledger(msgspec.Struct, frozen=True):
    """GET /ledger."""

    as_of: int = 0
    holds: bool = True
    kinds: list[Tally] = []
    junk: int = 0


class RefusedReport(msgspec.Struct, frozen=True):
    """Something that was not taken in: why, what to do, whether a second look takes it in now."""

    id: str
    at: int = 0
    what: str = ""
    topic: str = ""
    terminal: str | None = None
    report_id: str | None = None
    reason: str = ""
    zh: str = ""
    en: str = ""
    advice_zh: str = ""
    advice_en: str = ""
    detail: str = ""
    size: int = 0
    sample: str = ""
    retry: bool = False
    why_not: str = ""


class RefusedReports(msgspec.Struct, frozen=True):
    """GET /spool/refused."""

    refused: list[RefusedReport] = []


class Retried(msgspec.Struct, frozen=True):
    """What came of a second look."""

    outcome: str = ""
