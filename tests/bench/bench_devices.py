"""What polling costs an edge: 50 UPS units by SNMP at 10 s each, in CPU time of this process.

The agents are one small process of their own, so that only the polling side is counted. The floor is the same number of
questions and answers through bare sockets, without a driver; beside it, what pysnmp takes for the same question.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import socket
import time
from contextlib import AsyncExitStack, aclosing
from multiprocessing.connection import Connection
from typing import Any

from support.snmp_agents import place, recordings, variables
from wanmi_hardware.snmp import ups
from wanmi_hardware.snmp.ber import Message, Pdu, decode, encode
from wanmi_hardware.snmp.values import Var

UNITS = 50
EVERY = 10.0
ROUNDS = 30
NAME = "eaton-93e-80"
PYSNMP_ROUNDS = 20


def serve(told: Connection) -> None:
    """An agent with a recorded three-phase UPS, until killed."""
    from support.snmp_agents import OwnAgent

    async def run() -> None:
        loop = asyncio.get_running_loop()
        made = lambda: OwnAgent(variables(recordings()[NAME]))  # noqa: E731
        transport, agent = await loop.create_datagram_endpoint(made, local_addr=("127.0.0.1", 0))
        agent.asked = _Forgetful()
        told.send(transport.get_extra_info("sockname")[1])
        await asyncio.sleep(3600)

    asyncio.run(run())


class _Forgetful(list):  # type: ignore[type-arg]
    """Keeps nothing."""

    def append(self, item: object) -> None:
        """Not kept."""


async def poll(port: int) -> tuple[float, int, float]:
    """CPU seconds of one poll of one UPS, readings in it, and CPU seconds of learning one."""
    settings = ups.UpsSettings.model_validate({"address": "127.0.0.1", "port": port})
    async with AsyncExitStack() as opened:
        sessions = [await opened.enter_async_context(ups.connect(place(), settings)) for _ in range(UNITS)]
        coming = [await opened.enter_async_context(aclosing(session.samples())) for session in sessions]
        began = time.process_time()
        await asyncio.gather(*(anext(one) for one in coming))
        learning = (time.process_time() - began) / UNITS
        began = time.process_time()
        for _ in range(ROUNDS):
            samples = await asyncio.gather(*(anext(one) for one in coming))
        took = (time.process_time() - began) / UNITS / ROUNDS
        return took, len(samples[0].readings), learning


def plan(port: int) -> list[Any]:
    """What a poll asks for."""

    async def learn() -> list[Any]:
        settings = ups.UpsSettings.model_validate({"address": "127.0.0.1", "port": port})
        async with ups.connect(place(), settings) as session:
            await session.identify()
            return session._plan[False]

    return asyncio.run(learn())


def bare(port: int, oids: list[Any], rounds: int = 500) -> float:
    """CPU seconds of one poll's questions through a bare socket: encode, send, receive, decode."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.connect(("127.0.0.1", port))
        began = time.process_time()
        for number in range(rounds):
            for start in range(0, len(oids), 30):
                pairs = tuple((oid, Var("null")) for oid in oids[start : start + 30])
                opened.send(encode(Message(1, b"public", Pdu("get", number, 0, 0, pairs))))
                decode(opened.recv(65_535))
        return (time.process_time() - began) / rounds


async def by_pysnmp(port: int, oids: list[Any]) -> float:
    """CPU seconds of one poll's questions by pysnmp, v2c, one engine, no MIB looked up."""
    from pysnmp.hlapi.v3arch.asyncio import CommunityData, ContextData, SnmpEngine, UdpTransportTarget, get_cmd
    from pysnmp.smi.rfc1902 import ObjectIdentity, ObjectType

    engine, community, context = SnmpEngine(), CommunityData("public"), ContextData()
    target = await UdpTransportTarget.create(("127.0.0.1", port))
    began = 0.0
    for number in range(PYSNMP_ROUNDS + 1):
        if number == 1:  # the first fills pysnmp's caches
            began = time.process_time()
        for start in range(0, len(oids), 30):
            asked = [ObjectType(ObjectIdentity(".".join(map(str, oid)))) for oid in oids[start : start + 30]]
            error, *_ = await get_cmd(engine, community, target, context, *asked, lookupMib=False)
            assert error is None, error
    engine.close_dispatcher()
    return (time.process_time() - began) / PYSNMP_ROUNDS


def run() -> list[dict[str, Any]]:
    """The figures."""
    mine, theirs = multiprocessing.Pipe()
    agent = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    agent.start()
    port = mine.recv()
    try:
        took, readings, learning = asyncio.run(poll(port))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        oids = plan(port)
        floor, pysnmp = bare(port, oids), asyncio.run(by_pysnmp(port, oids))
    finally:
        agent.kill()
        agent.join()
    share = 100 * UNITS / EVERY
    return [
        {
            "name": f"{UNITS} UPS at {EVERY:g} s ({len(oids)} objects, {readings} readings each)",
            "value": took * share,
            "unit": "% of a core",
            "floor": floor * share,
            "floor_name": "bare socket",
            "goal": 5.0,
        },
        {
            "name": "the same questions by pysnmp, without readings",
            "value": pysnmp * share,
            "unit": "% of a core",
            "floor": floor * share,
            "floor_name": "bare socket",
            "goal": None,
        },
        {"name": "learning a UPS: walks and first readings", "value": learning * 1000, "unit": "ms", "goal": None},
        {"name": f"memory with {UNITS} UPS sessions", "value": memory, "unit": "MiB", "goal": 120.0},
    ]
