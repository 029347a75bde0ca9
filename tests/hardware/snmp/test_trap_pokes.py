"""The edge's side of a trap: the device is asked at once, long before its time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from support.snmp_agents import PLAIN, free_port, own_agent, place, snmptrap
from wanmi.clock import SystemClock
from wanmi.devices import Contact, Pace, Sample
from wanmi.ids import SystemIds
from wanmi_edge.devices.talking import Talk
from wanmi_hardware.snmp import ups


class Hearer:
    """Keeps what is heard."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.came = asyncio.Event()

    async def heard(self, sample: Sample) -> None:
        self.samples.append(sample)
        self.came.set()

    async def looked(self) -> None:
        pass


def test_a_trap_has_its_device_asked_at_once() -> None:
    async def talk() -> list[list[str]]:
        port, hearer = free_port(), Hearer()
        node = cast(Any, SimpleNamespace(clock=SystemClock(), ids=SystemIds()))
        driver = replace(ups.DRIVER, every=3600.0)
        post = cast(
            Any, SimpleNamespace(driver=driver, contact=Contact(), failures=0, tries_again_at=0, put=lambda *_: None)
        )
        async with own_agent(dict(PLAIN)) as (_, agent):
            wanted = ups.UpsSettings.model_validate({"address": "127.0.0.1", "port": agent, "trap_port": port})
            talking = Talk(node, place(), post, wanted, hearer, Pace())
            talking._luck = lambda: 0.0  # type: ignore[method-assign]
            running = asyncio.create_task(talking.run())
            await asyncio.wait_for(hearer.came.wait(), 20)
            hearer.came.clear()
            await asyncio.to_thread(snmptrap, port, "-v2c", "-c", "public", "0 1.3.6.1.2.1.33.2.1")
            await asyncio.wait_for(hearer.came.wait(), 20)
            running.cancel()
            await asyncio.wait((running,))
        return [[event.kind for event in sample.events] for sample in hearer.samples]

    assert asyncio.run(talk()) == [[], ["trap.on_battery"]]
