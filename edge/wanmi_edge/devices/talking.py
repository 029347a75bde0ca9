"""Talking to one device: a task of its own, with deadline, back-off and circuit breaker. A dead device delays no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Protocol

import structlog

from wanmi.clock import SECOND
from wanmi.devices import DeviceSettings, Driver, Identity, Pace, Place, Sample, Session
from wanmi.errors import DeviceFault, DeviceRefused, DeviceUnreachable
from wanmi.registry import NodeContext
from wanmi_edge.devices.board import Post

WAKE = 1.0
"""Seconds between two looks of a silent device's task at its health."""


class Hearer(Protocol):
    """Who is told what a device says."""

    async def heard(self, sample: Sample) -> None:
        """A sample, already on the board."""
        ...

    async def looked(self) -> None:
        """Nothing came: time has passed, health may have changed."""
        ...


class Talk:
    """Keeps one device's session: opens it, takes its samples, opens it again when it fails."""

    def __init__(
        self, node: NodeContext, place: Place, post: Post, settings: DeviceSettings, hearer: Hearer, pace: Pace
    ) -> None:
        self._node = node
        # a session that is spoken to by its device (a trap) asks for the next sample at once
        self._place = replace(place, poke=self.poke)
        self._post = post
        self._settings = settings
        self._hearer = hearer
        self._pace = pace
        self._session: Session | None = None
        self._poke = asyncio.Event()

    @property
    def driver(self) -> Driver:
        """Its driver."""
        return self._post.driver

    async def run(self) -> None:
        """For as long as the device is set; only cancelling ends it."""
        await asyncio.sleep(self._luck() * min(self.driver.every, 5.0))
        while True:
            try:
                await self._once()
            except DeviceFault as error:
                await self._failed(error)
            except Exception as error:  # noqa: BLE001 - the border to a supervised task: a driver's fault is its device's
                structlog.get_logger("wanmi.devices").exception("driver_failed", driver=self.driver.name)
                await self._failed(
                    DeviceUnreachable(f"driver {self.driver.name} failed: {type(error).__name__}: {error}")
                )
            await self._rest()

    async def command(self, name: str, args: Mapping[str, str]) -> str:
        """Tell the device something, within the driver's deadline; the next sample is asked for at once."""
        if self._session is None:
            raise DeviceUnreachable(self._post.contact.reason or "there is no connection to the device now")
        try:
            answer = await asyncio.wait_for(self._session.command(name, args), self.driver.deadline)
        except TimeoutError:
            raise DeviceUnreachable(f"no answer to {name} within {self.driver.deadline:g} s") from None
        self.poke()
        return answer

    def poke(self) -> None:
        """Ask for the next sample now (a trap came, a command was given)."""
        self._poke.set()

    async def _once(self) -> None:
        driver = self.driver
        async with AsyncExitStack() as opened:
            try:
                async with asyncio.timeout(driver.deadline):
                    session = await opened.enter_async_context(driver.connect(self._place, self._settings))
            except TimeoutError:
                raise DeviceUnreachable(f"not connected within {driver.deadline:g} s") from None
            self._session = session
            opened.callback(self._let_go)
            samples = await opened.enter_async_context(aclosing(_closable(session.samples())))
            while True:
                sample = await self._next(samples)
                self._post.put(sample, self._node.clock.now())
                await self._hearer.heard(sample)
                if driver.every:
                    await self._pause(driver.every * (0.95 + 0.1 * self._luck()))

    def _let_go(self) -> None:
        self._session = None

    async def _next(self, samples: AsyncIterator[Sample]) -> Sample:
        """The next sample in time; a device that speaks by itself may be silent until it counts as stale."""
        driver = self.driver
        patience = driver.deadline if driver.every else driver.stale_after or None
        coming = asyncio.ensure_future(anext(samples))
        try:
            return await asyncio.wait_for(self._watched(coming), patience)
        except TimeoutError:
            raise DeviceUnreachable(f"silent for {patience:g} s") from None
        except StopAsyncIteration:
            raise DeviceUnreachable("the device ended the conversation") from None
        finally:
            if coming.cancel():
                # a generator that still runs cannot be closed: its fault would hide that this task was cancelled
                await asyncio.wait([coming])

    async def _watched(self, coming: asyncio.Future[Sample]) -> Sample:
        """Wait for a sample, and let the hearer look at the time meanwhile."""
        while True:
            done, _ = await asyncio.wait([coming], timeout=WAKE)
            if done:
                return coming.result()
            await self._hearer.looked()

    async def _failed(self, error: DeviceFault) -> None:
        post = self._post
        post.failures += 1
        state = "refused" if isinstance(error, DeviceRefused) else "unreachable"
        post.contact = post.contact.failed("refused" if state == "refused" else "unreachable", str(error))
        await self._hearer.looked()

    async def _rest(self) -> None:
        delay = self._pace.delay(self._post.failures, self._luck())
        self._post.tries_again_at = self._node.clock.now() + round(delay * SECOND)
        await self._pause(delay)
        self._post.tries_again_at = 0

    async def _pause(self, seconds: float) -> None:
        """Sleep, unless somebody pokes; the hearer looks at the time about once a second."""
        until = self._node.clock.monotonic() + seconds
        while (left := until - self._node.clock.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._poke.wait(), min(left, WAKE))
            except TimeoutError:
                await self._hearer.looked()
                continue
            self._poke.clear()
            return

    def _luck(self) -> float:
        return int.from_bytes(self._node.ids.token(2), "big") / 65_536


async def try_device(place: Place, driver: Driver, settings: DeviceSettings) -> tuple[Identity, Sample]:
    """The connection test: connect, ask who it is, take one sample. Raises DeviceFault that says what is wrong."""
    async with AsyncExitStack() as opened:
        step = "connect"
        try:
            async with asyncio.timeout(driver.deadline):
                session = await opened.enter_async_context(driver.connect(place, settings))
            step = "say who it is"
            identity = await asyncio.wait_for(session.identify(), driver.deadline)
            step = "say anything"
            samples = await opened.enter_async_context(aclosing(_closable(session.samples())))
            return identity, await asyncio.wait_for(anext(samples), max(driver.deadline, min(driver.stale_after, 30.0)))
        except TimeoutError:
            raise DeviceUnreachable(f"it did not {step} within {driver.deadline:g} s") from None
        except StopAsyncIteration:
            raise DeviceUnreachable("it ended the conversation without saying anything") from None
        except OSError as error:
            raise DeviceUnreachable(f"it cannot be reached: {error.strerror or error}") from error


async def _closable(samples: AsyncIterator[Sample]) -> AsyncGenerator[Sample, None]:
    async for sample in samples:
        yield sample
