"""An agent as a driver wants it: many objects in few questions, walks that end, what is missing left out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from wanmi.devices import Place
from wanmi.errors import DeviceGarbled
from wanmi_hardware.snmp.asker import GENERAL_ERROR, NO_SUCH_NAME, NOTHING, TOO_BIG, Answer, Asker, refusal
from wanmi_hardware.snmp.ber import Pairs
from wanmi_hardware.snmp.community import CommunityAsker
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.usm import Engine, UsmAsker
from wanmi_hardware.snmp.values import Oid, Var, is_under, oid_text

REPEAT = 25
"""Variables of one GETBULK answer: 25 fit a datagram of 1,472 bytes with room for long texts."""
WALK_LIMIT = 4_000
"""Objects of one walk; an agent with more under one root is asked for less."""


class Agent:
    """Objects of one agent by OID. Not for use by two tasks at once."""

    def __init__(self, asker: Asker, batch: int) -> None:
        self._asker = asker
        self._batch = batch

    @property
    def where(self) -> str:
        """Address and port."""
        return self._asker.where

    async def get(self, oids: Sequence[Oid]) -> dict[Oid, Var]:
        """What the agent has of ``oids``; what it has not is left out, and so is what nobody asked for.

        A question that is too big is halved, and the smaller size kept; an object that the agent stumbles over
        (noSuchName of v1, genErr) is left out and the rest asked again.
        """
        found: dict[Oid, Var] = {}
        left = list(dict.fromkeys(oids))
        while left:
            asked, left = left[: self._batch], left[self._batch :]
            answer = await self._asker.ask("get", tuple((oid, NOTHING) for oid in asked))
            if not answer.status:
                wanted = set(asked)
                found.update((oid, var) for oid, var in answer.vars if oid in wanted and not var.is_absent)
            elif answer.status in (NO_SUCH_NAME, GENERAL_ERROR) and 1 <= answer.index <= len(asked):
                left = asked[: answer.index - 1] + asked[answer.index :] + left
            elif answer.status in (TOO_BIG, NO_SUCH_NAME, GENERAL_ERROR):
                left = self._smaller(asked) + left
            else:
                raise refusal(self.where, answer, tuple(asked))
        return found

    def _smaller(self, asked: list[Oid]) -> list[Oid]:
        """What to ask again in smaller questions: nothing when it was one object already."""
        if len(asked) == 1:
            return []
        self._batch = (len(asked) + 1) // 2
        return asked

    async def walk(self, root: Oid, limit: int = WALK_LIMIT) -> dict[Oid, Var]:
        """Everything under ``root``, at most ``limit`` objects. DeviceGarbled when the agent runs in a circle."""
        found: dict[Oid, Var] = {}
        at = root
        while len(found) < limit:
            answer = await self._next(at)
            if answer.status:
                if answer.status == NO_SUCH_NAME:
                    return found
                raise refusal(self.where, answer, (at,))
            last = at
            for oid, var in answer.vars:
                if not is_under(oid, root) or var.type == "end":
                    return found
                if oid <= last:
                    raise DeviceGarbled(f"{self.where}: walks in a circle at {oid_text(oid)}; its agent is broken")
                found[oid] = var
                last = oid
            if last == at:
                return found
            at = last
        return found

    async def _next(self, at: Oid) -> Answer:
        if self._asker.bulk:
            answer = await self._asker.ask("bulk", ((at, NOTHING),), REPEAT)
            if answer.status not in (TOO_BIG, GENERAL_ERROR):
                return answer
        return await self._asker.ask("next", ((at, NOTHING),))

    async def set(self, pairs: Pairs) -> None:
        """Write; DeviceRefused with the agent's reason when it will not."""
        answer = await self._asker.ask("set", pairs)
        if answer.status:
            raise refusal(self.where, answer, tuple(oid for oid, _ in pairs))

    def close(self) -> None:
        """Let go of the way to the agent."""
        self._asker.close()


async def open_agent(place: Place, settings: SnmpSettings) -> Agent:
    """The agent at the settings' address; v3 goes by the loop's one engine."""
    if settings.version != "3":
        return Agent(await CommunityAsker.open(settings), settings.batch)
    return Agent(await UsmAsker.open(settings, shared_engine(place, settings)), settings.batch)


def shared_engine(place: Place, settings: SnmpSettings) -> Engine:
    """The loop's v3 engine, made when first needed; a second one only where a user name has two passwords."""
    for number in count(1):
        engine = place.shared(f"snmp-engine-{number}", Engine)
        if not isinstance(engine, Engine):
            raise TypeError(f"the place's snmp-engine-{number} is something else")
        if engine.takes(settings):
            return engine
    raise AssertionError("count() ends")
