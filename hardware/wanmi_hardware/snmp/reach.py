"""From settings to an agent and its mailbox for traps: what every driver here does when it connects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from wanmi.devices import Place
from wanmi_hardware.snmp.agent import Agent, open_agent, shared_engine
from wanmi_hardware.snmp.settings import SnmpSettings
from wanmi_hardware.snmp.traps import Mailbox, TrapReceiver


@asynccontextmanager
async def reached(place: Place, settings: SnmpSettings) -> AsyncIterator[tuple[Agent, Mailbox | None, str]]:
    """The agent, its mailbox where traps are wanted, and why there are none although they are wanted."""
    agent = await open_agent(place, settings)
    try:
        if not settings.trap_port:
            yield agent, None, ""
            return
        receiver = trap_receiver(place, settings)
        box = Mailbox(settings, place.poke)
        await receiver.watch(box)
        try:
            yield agent, box, receiver.problem
        finally:
            receiver.forget(box)
    finally:
        agent.close()


def trap_receiver(place: Place, settings: SnmpSettings) -> TrapReceiver:
    """The loop's receiver for a port."""
    port = settings.trap_port
    make = partial(TrapReceiver, port, engine=partial(shared_engine, place, settings))
    receiver = place.shared(f"snmp-traps-{port}", make)
    if not isinstance(receiver, TrapReceiver):
        raise TypeError(f"the place's snmp-traps-{port} is something else")
    return receiver
