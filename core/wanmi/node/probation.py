"""An edge makes the settings changes that its district orders: staged, tried, confirmed or rolled back, one at a time.

What proves the uplink is the district's countersignature of an entry that was written with the new settings: it went up,
was durable there, and its acknowledgement came back. An open socket proves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from sqlalchemy import RowMapping, select

from wanmi import settings_kinds as kinds
from wanmi.journal.settings_rows import SettingsChangeRow
from wanmi.models import table
from wanmi.node.changing import alone, own, text_of
from wanmi.node.judging import Refused, staged_text
from wanmi.node.trial import Trial, read_trial, remove_trial, write_trial
from wanmi.registry import Draft, Health, NodeContext, Registry

if TYPE_CHECKING:
    from wanmi.node.node import Node

TICK = 0.5
"""Seconds between two looks at what was ordered, and at the proof."""
CALM = 5.0
"""Seconds that a start runs, and a task that failed works again, before a change is confirmed: what fails, fails by then."""
_ROW = table(SettingsChangeRow)


def register_probation(to: Registry) -> None:
    """The edge's task, and its line of health while a change is on trial."""
    to.task("settings", make_changes)
    to.probe("settings", trial_health)


async def make_changes(node: NodeContext) -> None:
    """The supervised task of an edge; other nodes have nothing to do here."""
    if node.role != "edge" or node.parent is None:
        return
    changes = Changes(own(node))
    while True:
        await asyncio.to_thread(changes.turn)
        await asyncio.sleep(TICK)


def trial_health(node: NodeContext) -> Sequence[Health]:
    """A warning while a change is on trial; nothing otherwise."""
    trial = read_trial(node.dir) if node.role == "edge" else None
    if trial is None:
        return []
    facts: dict[str, str | int] = {"change": trial.change_id, "phase": trial.phase, "probation_s": trial.probation}
    return [Health("settings", "warn", f"change {trial.change_id} of {trial.district} is on trial", facts)]


class Changes:
    """An edge's changes, in the order in which the district ordered them. Made once a start; ``turn`` is idempotent:
    what it decides is in the file first, then in the journal: a journal that takes nothing now holds up no roll-back.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._seen = -1
        self._failed_at: dict[str, float] = {}
        self._trial = read_trial(node.dir)
        self._log = structlog.get_logger("wanmi.settings").bind(node=node.code)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, and nothing waits."""
        return self._trial is None and self._seen == self._node.journal.news("settings.ordered")

    def turn(self) -> None:
        """Do what is next."""
        trial = self._trial
        if trial is None:
            self._take_next()
        elif trial.phase == "staged":
            self._apply(trial)
        elif trial.phase == "trying":
            self._try(trial)
        elif trial.phase == "confirmed":
            self._end(trial, "confirmed")
        else:
            self._roll_back(trial)

    def _take_next(self) -> None:
        news = self._node.journal.news("settings.ordered")
        if news == self._seen:
            return
        row = self._waiting()
        if row is None:
            self._seen = news
        elif row["state"] == "tried":
            name = (row["district"], row["change_id"])
            self._say(
                name, "rolled_back", reason="what was on trial is not known here any more; node.toml stands as it is"
            )
        else:
            self._stage(row)

    def _stage(self, row: RowMapping) -> None:
        """Lay the change beside the settings in force, or refuse it."""
        name = (row["district"], row["change_id"])
        try:
            self._refuse_late(row)
            with alone(self._node):
                text = text_of(self._node)
                changes = msgspec.json.decode(row["changes"], type=list[kinds.SettingChange])
                after = staged_text(self._node, text, changes)
                actor = row["ordered_by"] or row["district"]
                self._keep(Trial(*name, actor, "staged", text, after, row["probation"], failing=self._failing()))
        except Refused as refused:
            self._log.warning("settings_refused", change=row["change_id"], reasons=refused.reasons)
            self._say(name, "refused", reasons=refused.reasons)

    def _refuse_late(self, row: RowMapping) -> None:
        if row["state"] == "ordered" and self._node.clock.now() > row["expires_at"]:
            raise Refused(["it came after the time up to which it was to be begun"])

    def _apply(self, trial: Trial) -> None:
        self._say(trial.name, "staged")
        self._keep(trial.to("trying"))
        self._node.restart(f"change {trial.change_id} of the settings")

    def _try(self, trial: Trial) -> None:
        if not self._is_started_with(trial):
            self._node.restart(f"change {trial.change_id} of the settings")
            return
        runs = self._node.clock.monotonic() - self._node.opened
        failing = self._newly_failing(trial)
        if self._proof(trial) is not None and not failing and runs >= min(CALM, trial.probation / 2):
            self._keep(trial.to("confirmed"))
        elif runs > trial.probation:
            self._keep(trial.to("giving_up", _why(trial, failing)))
        else:
            self._say(trial.name, "tried")

    def _roll_back(self, trial: Trial) -> None:
        if self._is_started_with(trial):
            self._node.restart(f"change {trial.change_id} of the settings is rolled back")
        else:
            self._end(trial, "rolled_back", reason=trial.reason[: kinds.LONGEST_REASON])

    def _end(self, trial: Trial, state: kinds.State, **said: Any) -> None:
        seq = self._proof(trial)
        self._say(trial.name, state, **({"seq": seq or 0} if state == "confirmed" else said))
        remove_trial(self._node.dir)
        self._trial = None
        self._seen = -1
        self._log.info("settings_change_ended", change=trial.change_id, state=state, reason=trial.reason)

    def _is_started_with(self, trial: Trial) -> bool:
        """Whether this process began with the new settings."""
        began = self._node.trial
        return began is not None and began.phase == "trying" and began.name == trial.name

    def _proof(self, trial: Trial) -> int | None:
        """Up to where the district has countersigned, once that holds the entry that the new settings' start wrote."""
        row = self._row(trial.name)
        cosign = self._node.journal.best_cosign(self._node.code, by=trial.district)
        if row is None or row["tried_seq"] is None or cosign is None or cosign.seq < row["tried_seq"]:
            return None
        return cosign.seq

    def _failing(self) -> tuple[str, ...]:
        return tuple(state.name for state in self._node.task_states() if state.failures)

    def _newly_failing(self, trial: Trial) -> list[str]:
        """Tasks that the change may have broken: between two failures one runs for a moment, which tells nothing."""
        now = self._node.clock.monotonic()
        self._failed_at |= {state.name: now for state in self._node.task_states() if state.state == "waiting"}
        recent = {name for name, at in self._failed_at.items() if now - at < CALM}
        return sorted(recent - set(trial.failing))

    def _keep(self, trial: Trial) -> None:
        write_trial(self._node.dir, trial)
        self._trial = trial

    def _say(self, name: tuple[str, str], state: kinds.State, **said: Any) -> None:
        """Journal how far the change is, once."""
        row = self._row(name)
        if row is not None and kinds.RANK[state] <= kinds.RANK.get(row["state"], 0):
            return
        district, change_id = name
        body = {"change_id": change_id, **said}
        subject = kinds.change_subject(district, change_id)
        self._node.journal.append(Draft(f"settings.{state}", subject, body, (district,))).result()

    def _waiting(self) -> RowMapping | None:
        """The oldest change of this edge's district that has not ended."""
        mine = (_ROW.c.district == self._node.parent) & (_ROW.c.edge == self._node.code)
        open_ = mine & _ROW.c.state.in_(("ordered", "staged", "tried")) & _ROW.c.ordered_at.is_not(None)
        query = select(_ROW).where(open_).order_by(_ROW.c.ordered_at, _ROW.c.change_id).limit(1)
        with self._node.store.reader() as tx:
            return tx.execute(query).mappings().first()

    def _row(self, name: tuple[str, str]) -> RowMapping | None:
        district, change_id = name
        mine = (_ROW.c.district == district) & (_ROW.c.edge == self._node.code) & (_ROW.c.change_id == change_id)
        with self._node.store.reader() as tx:
            return tx.execute(select(_ROW).where(mine)).mappings().first()


def _why(trial: Trial, failing: Sequence[str]) -> str:
    if failing:
        return f"failed with the new settings for {trial.probation} s: {', '.join(failing)}"
    return f"{trial.district} countersigned nothing of the new settings' start within {trial.probation} s"
