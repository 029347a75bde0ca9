"""Scenes and calls of one edge: read and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select

from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotFound
from wanmi.journal.device_rows import DeviceRow
from wanmi.models import table
from wanmi.registry import Draft, NodeContext
from wanmi_edge.scenes.plan import Call, calls_on_event, fill_page, need_scene
from wanmi_edge.scenes.rows import (
    EndedBy,
    SceneCalled,
    SceneCallRow,
    SceneEnded,
    SceneRemoved,
    SceneRow,
    SceneSet,
    scene_subject,
)

HAND = "hand"


@dataclass(frozen=True)
class KeptScene:
    """A scene and since when it is set so, µs UTC."""

    scene: SceneSet
    changed_at: int


@dataclass(frozen=True)
class Place:
    """Where something happened, as a page's words."""

    lon_e7: int | None = None
    lat_e7: int | None = None
    ref: str = ""

    def words(self) -> dict[str, str]:
        """``lon`` and ``lat`` in degrees WGS-84, ``ref``."""
        degrees = {"lon": self.lon_e7, "lat": self.lat_e7}
        return {**{name: f"{e7 / 1e7:.7f}" for name, e7 in degrees.items() if e7 is not None}, "ref": self.ref}


class SceneBook:
    """What scenes stand, and what calls."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node

    def scenes(self) -> dict[str, KeptScene]:
        """Every scene that is kept, by name."""
        row = table(SceneRow)
        query = select(row).where(row.c.edge == self._node.code, row.c.state == "kept").order_by(row.c.scene)
        with self._node.store.reader() as tx:
            found = tx.execute(query).all()
        return {one.scene: KeptScene(msgspec.json.decode(one.body, type=SceneSet), one.changed_at) for one in found}

    def get(self, scene: str) -> SceneSet:
        """A scene by its name; NotFound."""
        kept = self.scenes().get(scene)
        if kept is None:
            raise NotFound(f"no scene {scene!r} at {self._node.code}; `wanmi scene list` shows them")
        return kept.scene

    def calls(self) -> list[Call]:
        """The calls that stand, oldest first."""
        with self._node.store.reader() as tx:
            return standing_calls(tx, self._node.code)

    def keep(self, body: SceneSet, actor: str | None) -> SceneSet:
        """Set a scene; its displays must be displays that are set."""
        need_scene(body)
        unknown = [one for one in body.displays if one not in self._displays()]
        if unknown:
            raise BadInput(
                f"scene {body.scene}: {', '.join(unknown)} are no displays here (device numbers, like D0001)"
            )
        self._append(body.scene, "scene.set", body, actor)
        return body

    def remove(self, scene: str, reason: str, actor: str | None) -> None:
        """Take a scene away; what it holds is let go."""
        self.get(scene)
        self._append(scene, "scene.removed", SceneRemoved(scene, reason), actor)

    def call(self, scene: str, why: str, place: Place, minutes: int | None, actor: str | None) -> Call:
        """Call a scene by hand; it stands until it is ended, or for ``minutes`` (None: the scene's own)."""
        draft, call = self.calling(self.get(scene), HAND, why or "by hand", place.words(), minutes, actor)
        self._node.journal.append(draft).result()
        return call

    def end(self, scene: str, actor: str | None) -> int:
        """End every call of a scene by hand; returns how many stood."""
        self.get(scene)
        standing = [one for one in self.calls() if one.scene == scene]
        drafts = [self.ending(one, "hand", actor) for one in standing]
        if drafts:
            self._node.journal.append(*drafts).result()
        return len(drafts)

    def tell_event(self, event: str, why: str, place: Place, actor: str | None, severity: str = "notice") -> list[Call]:
        """Somebody tells of an event (``case.pressed``): every scene that waits for it is called."""
        words = {**place.words(), "rule": event, "severity": severity}
        made = [
            self.calling(kept.scene, event_key(event, place.ref), why or event, words, None, actor)
            for kept in self.scenes().values()
            if kept.scene.enabled and calls_on_event(kept.scene.trigger, event, severity)
        ]
        if made:
            self._node.journal.append(*(draft for draft, _ in made)).result()
        return [call for _, call in made]

    def calling(
        self, scene: SceneSet, key: str, why: str, words: Mapping[str, str], minutes: int | None, actor: str | None = None,
    ) -> tuple[Draft, Call]:  # fmt: skip
        """The entry that calls a scene."""
        now, lasts = self._node.clock.now(), scene.minutes if minutes is None else minutes
        until = now + lasts * 60 * SECOND if lasts else 0
        page = fill_page(scene.page, {"edge": self._node.code, **words})
        body = SceneCalled(scene.scene, key, why[:2000], page, until)
        draft = Draft(kind="scene.called", subject=scene_subject(self._node.code, scene.scene), body=body, actor=actor)
        return draft, Call(scene.scene, key, body.why, page, now, until)

    def ending(self, call: Call, by: EndedBy, actor: str | None = None) -> Draft:
        """The entry that ends a call."""
        body = SceneEnded(call.scene, call.key, by)
        return Draft(kind="scene.ended", subject=scene_subject(self._node.code, call.scene), body=body, actor=actor)

    def _displays(self) -> set[str]:
        row = table(DeviceRow)
        query = select(row.c.device).where(
            row.c.edge == self._node.code, row.c.state == "kept", row.c.kind == "display"
        )
        with self._node.store.reader() as tx:
            return set(tx.execute(query).scalars())

    def _append(self, scene: str, kind: str, body: SceneSet | SceneRemoved, actor: str | None) -> None:
        draft = Draft(kind=kind, subject=scene_subject(self._node.code, scene), body=body, actor=actor)
        self._node.journal.append(draft).result()


def event_key(event: str, ref: str) -> str:
    """What names the calls by one event of one thing."""
    return f"event:{event}:{ref}"[:120]


def standing_calls(tx: Connection, edge: str) -> list[Call]:
    """The calls that stand at an edge, oldest first."""
    row = table(SceneCallRow)
    query = (
        select(row.c.scene, row.c.key, row.c.why, row.c.page, row.c.called_at, row.c.until)
        .where(row.c.edge == edge, row.c.state == "standing")
        .order_by(row.c.called_at, row.c.scene, row.c.key)
    )
    return [Call(*found) for found in tx.execute(query)]
