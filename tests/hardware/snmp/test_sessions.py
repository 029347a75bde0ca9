"""A UPS over time and an agent that fails: an outage through snmpsim, and faults by an agent of our own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from support.snmp_agents import PLAIN, UPS, OwnAgent, as_snmprec, free_port, own_agent, place, snmpsim
from wanmi.devices import CALM, Sample, step
from wanmi.errors import DeviceFault, DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.snmp import ups
from wanmi_hardware.snmp.values import Oid, Var

CHARGE, SOURCE, BATTERY, SECONDS = (*UPS, 2, 4, 0), (*UPS, 4, 1, 0), (*UPS, 2, 1, 0), (*UPS, 2, 2, 0)
NAMED = {(1, 3, 6, 1, 2, 1, 1, 5, 0): Var("octets", b"rack-7"), **PLAIN}
SECOND = 1_000_000


def settings(port: int, **more: object) -> ups.UpsSettings:
    return ups.UpsSettings.model_validate({"address": "127.0.0.1", "port": port, "timeout": 0.3, **more})


@asynccontextmanager
async def polled(wanted: ups.UpsSettings) -> AsyncIterator[tuple[ups.UpsSession, Callable[[], Awaitable[Sample]]]]:
    async with ups.connect(place(), wanted) as session, aclosing(session.samples()) as coming:
        yield session, lambda: anext(coming)


def value(sample: Sample, name: str) -> object:
    return next((one.value for one in sample.readings if one.name == name), None)


def outage(charge: int, source: int, battery: int, seconds: int) -> Mapping[Oid, Var]:
    numbers = {CHARGE: charge, SOURCE: source, BATTERY: battery, SECONDS: seconds, (*UPS, 2, 3, 0): charge // 2}
    mains = 230 if source == 3 else 0
    return {
        **{oid: Var("integer", number) for oid, number in numbers.items()},
        (*UPS, 3, 3, 1, 3, 1): Var("integer", mains),
    }


STAGES = [
    (97, 3, 2, 0, "mains"),
    (95, 5, 2, 20, "battery"),
    (60, 5, 2, 900, "battery"),
    (18, 5, 3, 2400, "low"),
    (22, 3, 2, 0, "mains"),
]


def test_an_outage_through_snmpsim(tmp_path: Path) -> None:
    """On battery, draining, low, back: the recording is changed under a running snmpsim, stage after stage."""
    data = tmp_path / "data"
    data.mkdir()
    for n, (*stage, _) in enumerate(STAGES):
        (data / f"stage{n}.snmprec").write_text(as_snmprec({**NAMED, **outage(*stage)}))

    async def watch(port: int) -> list[tuple[object, object]]:
        seen = []
        for n in range(len(STAGES)):
            async with polled(settings(port, community=f"stage{n}", timeout=2)) as (_, poll):
                sample = await poll()
                seen.append((value(sample, "power.state"), value(sample, "input.1.voltage")))
        return seen

    with snmpsim(data, tmp_path) as port:
        seen = asyncio.run(watch(port))
    assert seen == [(stage[-1], 230.0 if stage[1] == 3 else 0.0) for stage in STAGES]


def test_an_outage_raises_and_clears_the_default_alarms() -> None:
    """One session throughout; rules are run as the edge runs them, with time that is moved."""
    changes: list[tuple[int, str, str]] = []

    async def watch() -> None:
        states = {rule.name: CALM for rule in ups.RULES}
        async with own_agent(dict(NAMED)) as (agent, port), polled(settings(port)) as (_, poll):
            for n in range(30):
                *stage, _ = STAGES[n // 6]
                agent.objects.update(outage(*stage))
                readings = {one.name: one for one in (await poll()).readings}
                for rule in ups.RULES:
                    now = n * 10 * SECOND
                    states[rule.name], change = step(rule, states[rule.name], readings.get(rule.reading), now)
                    if change:
                        changes.append((n * 10, rule.name, change))

    asyncio.run(watch())
    assert [change for change in changes if change[1] in ("on_battery", "low_battery")] == [
        (70, "on_battery", "raised"),
        (180, "low_battery", "raised"),
        (270, "on_battery", "cleared"),
        (270, "low_battery", "cleared"),
    ]
    assert (200, "minutes_short", "raised") in changes


def test_losing_contact_is_never_battery() -> None:
    async def lose() -> None:
        async with own_agent(dict(NAMED)) as (agent, port), polled(settings(port)) as (_, poll):
            assert value(await poll(), "power.state") == "mains"
            agent.silent = True
            with pytest.raises(DeviceUnreachable, match=r"no answer in 2 × 0\.3 s.*community is wrong"):
                await poll()

    asyncio.run(lose())


def test_a_port_where_nobody_listens_is_told_at_once() -> None:
    async def ask() -> None:
        began = time.monotonic()
        async with polled(settings(free_port(), timeout=5)) as (_, poll):
            with pytest.raises(DeviceUnreachable, match="nothing listens on this UDP port"):
                await poll()
        assert time.monotonic() - began < 4

    asyncio.run(ask())


def test_an_agent_that_dies_in_the_middle_of_a_walk() -> None:
    async def ask() -> None:
        many = {**NAMED, **{(*UPS, 99, n): Var("integer", n) for n in range(100)}}
        async with own_agent(many) as (agent, port), polled(settings(port)) as (_, poll):
            agent.dies_after = 3
            with pytest.raises(DeviceUnreachable, match="no answer"):
                await poll()
            assert [one.type for one in agent.asked[:4]] == ["get", "bulk", "bulk", "bulk"]
            agent.dies_after = None
            assert value(await _again(port), "power.state") == "mains"

    asyncio.run(ask())


async def _again(port: int) -> Sample:
    async with polled(settings(port)) as (_, poll):
        return await poll()


def test_wrong_types_from_one_poll_to_the_next() -> None:
    async def ask() -> None:
        async with own_agent(dict(NAMED)) as (agent, port), polled(settings(port)) as (_, poll):
            await poll()
            agent.objects.update({CHARGE: Var("octets", b"\xff\xfe"), SOURCE: Var("oid", (1, 3)), BATTERY: Var("null")})
            sample = await poll()
            assert value(sample, "battery.charge") is None
            assert value(sample, "power.state") == "mains"  # no alarm on_battery, 0 s on battery

    asyncio.run(ask())


def test_an_agent_that_takes_few_objects_at_once() -> None:
    async def ask() -> list[int]:
        async with own_agent(dict(NAMED)) as (agent, port), polled(settings(port)) as (_, poll):
            agent.most = 4
            await poll()
            agent.asked.clear()
            sample = await poll()
            await poll()
            assert value(sample, "battery.charge") == 97.0
            return [len(pdu.vars) for pdu in agent.asked]

    sizes = asyncio.run(ask())
    assert sizes[0] > 4, "the first question was too big"
    assert max(sizes[2:]) <= 4, "and was asked smaller ever after"


def test_a_late_answer_counts_and_a_slow_agent_delays_no_other() -> None:
    async def ask() -> float:
        async with own_agent(dict(NAMED)) as (slow, first), own_agent(dict(NAMED)) as (_, second):
            slow.slow = 0.4  # after the first try's time is over, before the second's
            began = time.monotonic()
            late = asyncio.create_task(_again(first))
            await _again(second)
            fast = time.monotonic() - began
            assert value(await late, "power.state") == "mains"
            return fast

    assert asyncio.run(ask()) < 0.4


def test_garbage_is_told_as_such() -> None:
    async def ask() -> None:
        async with own_agent(dict(NAMED)) as (agent, port), polled(settings(port)) as (_, poll):
            agent.garbage = b"HTTP/1.1 400 Bad Request"
            with pytest.raises(DeviceGarbled, match="not an SNMP message"):
                await poll()

    asyncio.run(ask())


def test_an_agent_that_walks_in_a_circle_is_asked_by_name() -> None:
    class Circle(OwnAgent):
        def answer(self, pdu, version):  # type: ignore[no-untyped-def]
            said = super().answer(pdu, version)
            return said if pdu.type == "get" else type(said)("response", pdu.request, 0, 0, (said.vars[0],) * 2)

    async def ask() -> Sample:
        async with own_agent(dict(NAMED)) as (agent, port):
            agent.__class__ = Circle
            return await _again(port)

    sample = asyncio.run(ask())
    assert value(sample, "power.state") == "mains"
    assert value(sample, "output.1.load") == 41.0


def test_alarms_are_walked_only_when_there_are_some() -> None:
    async def ask() -> list[str]:
        async with own_agent(dict(NAMED)) as (agent, port), polled(settings(port)) as (_, poll):
            await poll()
            agent.asked.clear()
            await poll()
            assert {one.type for one in agent.asked} == {"get"}
            agent.objects[(*UPS, 6, 1, 0)] = Var("integer", 1)
            agent.objects[(*UPS, 6, 2, 1, 2, 5)] = Var("oid", (*UPS, 6, 3, 16))
            return [one.name for one in (await poll()).readings if one.value == "yes"]

    assert asyncio.run(ask()) == ["alarm.fan_failure"]


def test_an_orderly_shutdown_and_its_calling_off() -> None:
    shutdown = {(*UPS, 8, 1, 0): Var("integer", 2), (*UPS, 8, 2, 0): Var("integer", -1)}

    async def give() -> tuple[list[str], list[tuple[Oid, Var]]]:
        async with own_agent({**NAMED, **shutdown}) as (agent, port), polled(settings(port)) as (session, _):
            down = await session.command("shutdown", {"seconds": "120"})
            return [down, await session.command("shutdown-abort", {})], agent.written

    told, written = asyncio.run(give())
    assert told == ["the output goes off in 120 s", "no shutdown is pending"]
    assert [(oid[-2], var.value) for oid, var in written] == [(1, 1), (2, 120), (2, -1)]


@pytest.mark.parametrize("seconds", ["", "-1", "soon", "86401", "1.5", "٣"])
def test_a_shutdown_needs_a_time(seconds: str) -> None:
    async def give() -> None:
        async with own_agent(dict(NAMED)) as (agent, port), polled(settings(port)) as (session, _):
            with pytest.raises(DeviceRefused, match="a whole number from 0 to 86400"):
                await session.command("shutdown", {"seconds": seconds})
            assert not agent.written

    asyncio.run(give())


def test_what_an_agent_cannot_do_is_told() -> None:
    async def give() -> list[str]:
        told = []
        async with own_agent(dict(NAMED)) as (_, port), polled(settings(port)) as (session, _poll):
            for name, args in (("shutdown", {"seconds": "5"}), ("test", {}), ("test-abort", {}), ("dance", {})):
                with pytest.raises(DeviceFault) as refused:
                    await session.command(name, args)
                told.append(str(refused.value).split(": ", 1)[1])
        return told

    assert [words.split(",")[0] for words in asyncio.run(give())] == [
        "this agent has no upsShutdownAfterDelay",
        "this agent has no battery test (upsTestId",
        "this agent has no upsTestId",
        "there is no command dance",
    ]


def test_a_battery_test_takes_the_spin_lock() -> None:
    test = {(*UPS, 7, 1, 0): Var("oid", (*UPS, 7, 7, 1)), (*UPS, 7, 2, 0): Var("integer", 206)}

    async def give() -> list[tuple[Oid, Var]]:
        async with own_agent({**NAMED, **test}) as (agent, port), polled(settings(port)) as (session, _):
            await session.command("test", {})
            return agent.written

    assert asyncio.run(give()) == [
        ((*UPS, 7, 2, 0), Var("integer", 206)),
        ((*UPS, 7, 1, 0), Var("oid", (*UPS, 7, 7, 3))),
    ]


def test_an_alarm_table_that_runs_in_a_circle_hides_only_itself() -> None:
    class Circle(OwnAgent):
        def answer(self, pdu, version):  # type: ignore[no-untyped-def]
            said = super().answer(pdu, version)
            broken = pdu.type == "bulk" and pdu.vars[0][0][: len(UPS) + 1] == (*UPS, 6)
            return type(said)("response", pdu.request, 0, 0, (said.vars[0],) * 2) if broken else said

    async def ask() -> Sample:
        alarm = {(*UPS, 6, 1, 0): Var("integer", 1), (*UPS, 6, 2, 1, 2, 5): Var("oid", (*UPS, 6, 3, 16))}
        async with own_agent({**NAMED, **alarm}) as (agent, port):
            agent.__class__ = Circle
            return await _again(port)

    sample = asyncio.run(ask())
    assert value(sample, "power.state") == "mains"
    assert value(sample, "alarms.count") == 1.0
    assert value(sample, "alarm.fan_failure") is None


def test_a_ups_of_another_mib_by_a_map_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "x"\nsource = "y"\n[[read]]\nquantity = "battery.charge"\noid = "1.3.6.1.4.1.7.1.0"\n')

    async def ask() -> Sample:
        one = {(1, 3, 6, 1, 4, 1, 7, 1, 0): Var("integer", 55)}
        async with own_agent(one) as (_, port), polled(settings(port, map=path)) as (_session, poll):
            return await poll()

    assert value(asyncio.run(ask()), "battery.charge") == 55.0
    with pytest.raises(ValidationError, match="cannot be read"):
        settings(161, map=tmp_path / "none.toml")
