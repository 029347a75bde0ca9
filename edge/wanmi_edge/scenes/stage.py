"""The stage: brings displays to what scenes want, step by step, and back to what was."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

import structlog
from sqlalchemy import Connection, delete, select

from wanmi.errors import BadInput, DeviceFault, WanmiError
from wanmi.models import table
from wanmi.registry import Draft, NodeContext
from wanmi.store import upsert_rows
from wanmi_edge.devices.devices import Devices
from wanmi_edge.scenes.book import SceneBook
from wanmi_edge.scenes.plan import BEFORE_AGAIN, Call, Goal, Seen, Step, goals, next_step
from wanmi_edge.scenes.rows import SceneBeforeRow, SceneShown, shown_subject
from wanmi_edge.scenes.watch import overdue

TICK = 0.5
RETRY = 5.0
"""Seconds between two tries of a command that a display refused."""
State = Literal["waiting", "shown", "failed", "back"]


@dataclass(frozen=True)
class Before:
    """What a display showed before scenes took it; empty where it did not say."""

    power: str
    input: str
    page: str

    def goal(self) -> Goal:
        """Back to that: off, or the input, or the page where the page is what the input shows."""
        if self.power in ("standby", "off"):
            return Goal("", "", "what was before", "off", "", "")
        shows_page = self.input in ("", "URL")
        return Goal("", "", "what was before", "", "" if shows_page else self.input, self.page if shows_page else "")


@dataclass
class Holding:
    """How far one display is with its goal."""

    goal: Goal
    told: set[str] = field(default_factory=set)
    state: State = "waiting"
    reason: str = ""
    told_at: float = 0.0
    tries_at: float = 0.0


class Stage:
    """One for each node. What it holds in memory can be lost: after a restart the displays are told again."""

    def __init__(self, devices: Devices) -> None:
        self.holdings: dict[str, Holding] = {}
        self._devices = devices
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._pos = -1
        self._is_idle = False
        self._log = structlog.get_logger("wanmi.scenes")

    async def run(self, node: NodeContext) -> None:
        """Look twice a second at what is wanted and at what is; each display goes its way in a task of its own."""
        self._devices.wire(node)
        try:
            while True:
                try:
                    await self.look(node)
                except WanmiError as error:
                    self._log.error("scenes_not_looked_at", why=str(error))
                await asyncio.sleep(TICK)
        finally:
            for task in self._under_way.values():
                task.cancel()
            self._under_way.clear()

    async def look(self, node: NodeContext) -> None:
        """End calls whose time is over; give each display that is not at something its next step."""
        pos = node.journal.pos
        if self._is_idle and pos == self._pos:
            return
        book = SceneBook(node)
        calls = await self._standing(node, book)
        befores = await asyncio.to_thread(_befores, node)
        self._pos, self._is_idle = pos, not calls and not befores
        if self._is_idle:
            self.holdings.clear()
            return
        scenes = await asyncio.to_thread(book.scenes)
        wanted = goals({name: kept.scene for name, kept in scenes.items()}, calls)
        for display in wanted.keys() | befores.keys():
            if display not in self._under_way:
                work = self._step(node, display, wanted.get(display), befores.get(display))
                self._under_way[display] = asyncio.create_task(work, name=f"scene {display}")

    async def _standing(self, node: NodeContext, book: SceneBook) -> list[Call]:
        """The calls that stand, those ended whose time is over."""
        calls = await asyncio.to_thread(book.calls)
        late = overdue(calls, node.clock.now())
        if late:
            await node.journal.append_async(*(book.ending(one, "time") for one in late))
        return [one for one in calls if one not in late]

    async def _step(self, node: NodeContext, display: str, wanted: Goal | None, before: Before | None) -> None:
        try:
            await self._forward(node, display, wanted, before)
        except WanmiError as error:
            self._log.error("scene_not_brought_forward", display=display, why=str(error))
        finally:
            self._under_way.pop(display, None)

    async def _forward(self, node: NodeContext, display: str, wanted: Goal | None, before: Before | None) -> None:
        """One display one step on."""
        seen = self._seen(node, display)
        if wanted is not None and before is None:
            if seen.trouble or seen.power in ("warming", "cooling"):
                self._holding(display, wanted).reason = next_step(wanted, seen, ()).reason
                return
            before = self._snapshot(display, seen)
            await asyncio.to_thread(_keep, node, display, before)
        goal = wanted if wanted is not None else (before or Before("", "", "")).goal()
        holding, now = self._holding(display, goal), node.clock.monotonic()
        if holding.state in ("shown", "failed") or now < holding.tries_at:
            return
        if "on" in holding.told and now - holding.told_at > BEFORE_AGAIN:
            holding.told.discard("on")
        step = next_step(goal, seen, holding.told)
        holding.reason = step.reason
        if step.command:
            await self._tell(node, display, holding, step)
        elif step.done:
            await self._arrived(node, display, holding, "shown" if goal.scene else "back")

    async def _tell(self, node: NodeContext, display: str, holding: Holding, step: Step) -> None:
        now = node.clock.monotonic()
        try:
            await self._devices.talk_of(display).command(step.command, step.args)
        except BadInput as error:
            holding.reason = str(error)
            await self._arrived(node, display, holding, "failed")
        except DeviceFault as error:
            holding.reason, holding.tries_at = str(error), now + RETRY
        else:
            holding.told.add(step.command)
            holding.told_at = now

    async def _arrived(
        self, node: NodeContext, display: str, holding: Holding, state: Literal["shown", "failed", "back"]
    ) -> None:
        """The display shows it, cannot, or is back: an entry; what was before is forgotten when it is back."""
        goal, is_back = holding.goal, not holding.goal.scene
        body = SceneShown(display, goal.scene, goal.key, state, goal.page, goal.input, holding.reason or goal.why)
        await node.journal.append_async(
            Draft(kind="scene.shown", subject=shown_subject(node.code, display), body=body),
            also=(lambda tx, _: _forget(tx, display)) if is_back else None,
        )
        holding.state = state
        if is_back:
            self.holdings.pop(display, None)

    def _holding(self, display: str, goal: Goal) -> Holding:
        """How far the display is; from the beginning when its goal is another one."""
        holding = self.holdings.get(display)
        if holding is None or holding.goal != goal:
            holding = self.holdings[display] = Holding(goal)
        return holding

    def _seen(self, node: NodeContext, display: str) -> Seen:
        post = self._devices.board.get(display)
        if post is None:
            return Seen(None, (), "it is switched off here, or removed")
        health = post.health(node.clock.now())
        commands = [one.name for one in post.driver.commands]
        trouble = "" if health.state in ("fine", "implausible") else health.reason or health.state
        return Seen(self._said(display, "power") or None, commands, trouble)

    def _snapshot(self, display: str, seen: Seen) -> Before:
        return Before(seen.power or "", self._said(display, "input"), self._said(display, "page"))

    def _said(self, display: str, name: str) -> str:
        """A word that the display said last; "" when it did not."""
        post = self._devices.board.get(display)
        part = post.parts.get("") if post is not None else None
        told = part.readings.get(name) if part is not None else None
        good = told is not None and told.reading.quality == "good" and isinstance(told.reading.value, str)
        return str(told.reading.value) if good and told is not None else ""


def _befores(node: NodeContext) -> dict[str, Before]:
    row = table(SceneBeforeRow)
    with node.store.reader() as tx:
        found = tx.execute(select(row.c.display, row.c.power, row.c.input, row.c.page)).all()
    return {display: Before(power, input, page) for display, power, input, page in found}


def _keep(node: NodeContext, display: str, before: Before) -> None:
    row = (display, before.power, before.input, before.page, node.clock.now())
    node.store.write(lambda tx: upsert_rows(tx, SceneBeforeRow, [row])).result()


def _forget(tx: Connection, display: str) -> None:
    row = table(SceneBeforeRow)
    tx.execute(delete(row).where(row.c.display == display))
