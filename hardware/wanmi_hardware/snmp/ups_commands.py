"""What a UPS can be told: an orderly shutdown of its load, calling that off, a battery test. By UPS-MIB, else PowerNet."""

from __future__ import annotations

from collections.abc import Mapping

from wanmi.errors import DeviceRefused
from wanmi_hardware.snmp.agent import Agent
from wanmi_hardware.snmp.values import Oid, Var

_UPS: Oid = (1, 3, 6, 1, 2, 1, 33, 1)
_TEST_ID: Oid = (*_UPS, 7, 1, 0)
_SPIN_LOCK: Oid = (*_UPS, 7, 2, 0)
_QUICK_TEST: Oid = (*_UPS, 7, 7, 3)
_ABORT_TEST: Oid = (*_UPS, 7, 7, 2)
_SHUTDOWN_TYPE: Oid = (*_UPS, 8, 1, 0)
_SHUTDOWN_AFTER: Oid = (*_UPS, 8, 2, 0)
_APC_TEST: Oid = (1, 3, 6, 1, 4, 1, 318, 1, 1, 1, 7, 2, 2, 0)
OUTPUT = 1
DAY = 86_400


async def give(agent: Agent, name: str, args: Mapping[str, str]) -> str:
    """Give a command; what the UPS answers, in words. DeviceRefused when it will not or cannot."""
    if name == "shutdown":
        return await _shut_down(agent, args.get("seconds", ""))
    if name == "shutdown-abort":
        return await _call_off(agent)
    if name == "test":
        return await _test(agent)
    if name == "test-abort":
        return await _stop_test(agent)
    raise DeviceRefused(f"{agent.where}: there is no command {name}")


async def _shut_down(agent: Agent, seconds: str) -> str:
    text = seconds.strip()
    if not text.isascii() or not text.isdigit() or int(text) > DAY:
        raise DeviceRefused(f"{agent.where}: seconds is {seconds!r}; a whole number from 0 to {DAY} is needed")
    await _need(agent, _SHUTDOWN_AFTER, "upsShutdownAfterDelay")
    # The type first: an agent that refuses it must not be left counting down for its whole self.
    await agent.set(((_SHUTDOWN_TYPE, Var("integer", OUTPUT)),))
    await agent.set(((_SHUTDOWN_AFTER, Var("integer", int(text))),))
    left = (await agent.get([_SHUTDOWN_AFTER])).get(_SHUTDOWN_AFTER)
    counting = left.number() if left is not None else None
    if counting is None or counting < 0:
        raise DeviceRefused(f"{agent.where}: took the shutdown and does not count down; look at the UPS itself")
    return f"the output goes off in {counting:g} s"


async def _call_off(agent: Agent) -> str:
    await _need(agent, _SHUTDOWN_AFTER, "upsShutdownAfterDelay")
    await agent.set(((_SHUTDOWN_AFTER, Var("integer", -1)),))
    return "no shutdown is pending"


async def _test(agent: Agent) -> str:
    found = await agent.get([_SPIN_LOCK, _TEST_ID, _APC_TEST])
    lock = found[_SPIN_LOCK].value if _SPIN_LOCK in found else None
    if _TEST_ID in found:
        # RFC 1628: the spin lock is written with the value read, in the same question, against two managers at once.
        guard = ((_SPIN_LOCK, Var("integer", lock)),) if isinstance(lock, int) else ()
        await agent.set((*guard, (_TEST_ID, Var("oid", _QUICK_TEST))))
        return "a quick battery test is asked for; test.result tells how it went"
    if _APC_TEST in found:
        await agent.set(((_APC_TEST, Var("integer", 2)),))
        return "a self-test is asked for; test.result tells how it went"
    raise DeviceRefused(f"{agent.where}: this agent has no battery test (upsTestId, upsAdvTestDiagnostics)")


async def _stop_test(agent: Agent) -> str:
    await _need(agent, _TEST_ID, "upsTestId")
    await agent.set(((_TEST_ID, Var("oid", _ABORT_TEST)),))
    return "the test is stopped"


async def _need(agent: Agent, oid: Oid, name: str) -> None:
    if oid not in await agent.get([oid]):
        raise DeviceRefused(f"{agent.where}: this agent has no {name}, so it cannot be told; use the UPS's own page")
