"""Scenes as entries: what they are, when they were called and ended, what displays showed; and the rows of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import BigInteger, Connection, String, Text, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.entries import Entry
from wanmi.errors import BadInput
from wanmi.journal.projecting import body_of
from wanmi.models import Row, mark, table
from wanmi.registry import Registry
from wanmi.store import upsert_rows

Note = Annotated[str, msgspec.Meta(max_length=2000)]
EndedBy = Literal["cleared", "time", "hand", "removed"]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Trigger(_Body, frozen=True):
    """What calls a scene; an empty list stands for any.

    alarm   an alarm of ``devices``, of ``kinds`` of device, of ``rules`` (patterns like ``load.*``), of ``severities``;
            ``states``: raised (where none is named), cleared
    power   where a UPS's power comes from is one of ``states``
    event   the district or somebody over the API told of one of ``events`` (patterns: ``case.pressed``, ``case.*``) of one
            of ``severities``
    hand    only somebody who asks for it
    """

    on: Literal["alarm", "power", "event", "hand"]
    devices: list[str] = []
    kinds: list[str] = []
    rules: list[str] = []
    severities: list[str] = []
    states: list[str] = []
    events: list[str] = []


class SceneSet(_Body, frozen=True):
    """``scene.set``: a scene as it stands from now on.

    ``page`` may hold ``{lon} {lat} {edge} {device} {name} {rule} {severity} {state} {ref}``. ``minutes`` 0: until what called
    it is over. The higher ``priority`` has a display; of equal ones the newer call.
    """

    scene: str
    zh: str
    en: str
    enabled: bool
    priority: int
    trigger: Trigger
    displays: list[str]
    power_on: bool
    input: str
    page: str
    minutes: int


class SceneRemoved(_Body, frozen=True):
    """``scene.removed``: it is gone; what it holds is let go."""

    scene: str
    reason: Note


class SceneCalled(_Body, frozen=True):
    """``scene.called``: something happened (``key``, told in ``why``); ``until`` µs UTC, 0: until that is over."""

    scene: str
    key: str
    why: Note
    page: str
    until: int


class SceneEnded(_Body, frozen=True):
    """``scene.ended``: that call is over."""

    scene: str
    key: str
    by: EndedBy


class SceneShown(_Body, frozen=True):
    """``scene.shown``: a display shows a scene, cannot, or is back at what it showed before (``scene`` empty then)."""

    display: str
    scene: str
    key: str
    state: Literal["shown", "failed", "back"]
    page: str
    input: str
    reason: Note


class SceneRow(Row):
    """A scene of an edge; ``body`` is the JSON of its ``scene.set``; ``state``: kept or removed."""

    __tablename__ = "scene"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    scene: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    changed_at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class SceneCallRow(Row):
    """The newest call of a scene by one thing; ``state``: standing or ended."""

    __tablename__ = "scene_call"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    scene: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    why: Mapped[str] = mapped_column(Text)
    page: Mapped[str] = mapped_column(Text)
    called_at: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10))
    ended_by: Mapped[str | None] = mapped_column(String(10))
    __table_args__ = mark("projection")


class SceneShownRow(Row):
    """What a display was told last, by scenes."""

    __tablename__ = "scene_shown"
    edge: Mapped[str] = mapped_column(String(10), primary_key=True)
    display: Mapped[str] = mapped_column(String(20), primary_key=True)
    scene: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10))
    page: Mapped[str] = mapped_column(Text)
    input: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("projection")


class SceneBeforeRow(Row):
    """What a display showed before the first scene took it: power, input, page, as it said. Local; gone when it is back."""

    __tablename__ = "scene_before"
    display: Mapped[str] = mapped_column(String(20), primary_key=True)
    power: Mapped[str] = mapped_column(String(20))
    input: Mapped[str] = mapped_column(Text)
    page: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


def scene_subject(edge: str, scene: str) -> str:
    """The subject of a scene."""
    return f"scene:{edge}:{scene}"


def shown_subject(edge: str, display: str) -> str:
    """The subject of what scenes do with a display."""
    return f"scene-display:{edge}:{display}"


def register_scenes(to: Registry) -> None:
    """Kinds, projections, the local table."""
    to.entry_kind("scene.set", SceneSet, zh="场景设定", en="Scene set")
    to.entry_kind("scene.removed", SceneRemoved, zh="场景移除", en="Scene removed")
    to.entry_kind("scene.called", SceneCalled, zh="场景触发", en="Scene called")
    to.entry_kind("scene.ended", SceneEnded, zh="场景结束", en="Scene ended")
    to.entry_kind("scene.shown", SceneShown, zh="场景显示", en="Scene shown")
    to.projection("scenes", kinds=("scene.set", "scene.removed"), rows=(SceneRow,), apply=project_scenes)
    to.projection("scene_calls", kinds=("scene.called", "scene.ended"), rows=(SceneCallRow,), apply=project_calls)
    to.projection("scene_shown", kinds=("scene.shown",), rows=(SceneShownRow,), apply=project_shown)
    to.tables(SceneBeforeRow)


def project_scenes(tx: Connection, entries: Sequence[Entry]) -> None:
    """Scenes by (edge, scene)."""
    for entry in entries:
        if entry.kind == "scene.set":
            body = body_of(entry, SceneSet)
            packed = msgspec.json.encode(body, order="sorted").decode()
            upsert_rows(tx, SceneRow, [(entry.origin, body.scene, packed, "kept", entry.at)])
        else:
            gone = body_of(entry, SceneRemoved)
            _change(tx, SceneRow, entry, {"scene": gone.scene}, {"state": "removed", "changed_at": entry.at})


def project_calls(tx: Connection, entries: Sequence[Entry]) -> None:
    """Calls by (edge, scene, key)."""
    for entry in entries:
        if entry.kind == "scene.called":
            body = body_of(entry, SceneCalled)
            row = (entry.origin, body.scene, body.key, body.why, body.page, entry.at, body.until, "standing", None)
            upsert_rows(tx, SceneCallRow, [row])
        else:
            end = body_of(entry, SceneEnded)
            _change(
                tx, SceneCallRow, entry, {"scene": end.scene, "key": end.key}, {"state": "ended", "ended_by": end.by}
            )


def project_shown(tx: Connection, entries: Sequence[Entry]) -> None:
    """What displays were told last, by (edge, display)."""
    rows = []
    for entry in entries:
        body = body_of(entry, SceneShown)
        rows.append(
            (entry.origin, body.display, body.scene, body.key, body.state, body.page, body.input, body.reason, entry.at)
        )
    upsert_rows(tx, SceneShownRow, rows)


def _change(tx: Connection, row: type[Row], entry: Entry, key: dict[str, str], values: dict[str, Any]) -> None:
    columns = table(row).c
    which = [columns[name] == value for name, value in {"edge": entry.origin, **key}.items()]
    if tx.execute(update(table(row)).where(*which).values(**values)).rowcount == 0:
        raise BadInput(f"{entry.kind}: {entry.origin} has no {' '.join(key.values())}")
