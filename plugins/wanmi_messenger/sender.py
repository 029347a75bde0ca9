"""The sender: a thread a lane, one try at a time; everything is durable before and after it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from sqlalchemy import Connection

from wanmi.clock import SECOND
from wanmi.registry import NodeContext
from wanmi_messenger import outbox
from wanmi_messenger.deadline import Tries
from wanmi_messenger.mail import MailChannel
from wanmi_messenger.outbox import DAY, Message, Outcome
from wanmi_messenger.pacing import LONGEST_ASKED, MINUTE, BackOff, RateCap, quiet_until
from wanmi_messenger.settings import ChannelSettings, MessengerSettings
from wanmi_messenger.sms import SmsChannel
from wanmi_messenger.webhook import WebhookChannel

LOOK = 1.0
"""Seconds after which a lane looks for itself; a released message wakes it."""
CLEAN = 3600.0
"""Seconds between two looks for what may be forgotten."""


class Sends(Protocol):
    """A channel: one try, bounded in time, that raises nothing for what its peer does."""

    def send(self, message: Message, now: int) -> Outcome:
        """Try to send the message; ``now`` is µs UTC."""
        ...


@dataclass
class Lane:
    """What goes one way, one message after the other; ``held_until`` µs UTC is what its peer asked for."""

    name: str
    settings: ChannelSettings
    channel: Sends
    cap: RateCap
    held_until: int = 0
    wake: threading.Event = field(default_factory=threading.Event)


class Sender:
    """Sends a node's outbox."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._settings = settings = node.settings.section("messenger", MessengerSettings)
        self._back_off = BackOff(settings.first_delay, settings.longest_delay, settings.tries)
        self._stopping = threading.Event()
        self.tries = Tries()
        self.lanes = tuple(self._lane(*one) for one in _channels(node, settings, self.tries))
        self._log = structlog.get_logger("wanmi.messenger").bind(node=node.code)

    def recover(self) -> int:
        """Before the first try: what a crash left half sent may be tried again."""
        now = self._node.clock.now()
        count = self._node.store.write(lambda tx: outbox.recover(tx, now)).result()
        if count:
            self._log.warning("messages_interrupted", count=count)
        return count

    def run_due(self) -> int:
        """Send what is due in every lane, in the caller's thread; returns how many tries were made."""
        count = 0
        for lane in self.lanes:
            while self.step(lane):
                count += 1
        return count

    def step(self, lane: Lane) -> bool:
        """One try, when the lane has a message that is due and may send it now."""
        now = self._node.clock.now()
        if self._stopping.is_set() or max(lane.held_until, lane.cap.free_at(now)) > now:
            return False
        quiet = quiet_until(now, lane.settings.quiet) is not None
        message = self._node.store.write(lambda tx: outbox.claim(tx, lane.name, now, urgent_only=quiet)).result()
        if message is None:
            return False
        lane.cap.note(now)
        self._settle(lane, message, lane.channel.send(message, now))
        return True

    async def run(self) -> None:
        """Follow every lane until cancelled; a lane that raises ends them all, the supervisor starts them again."""
        self.recover()
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(max(1, len(self.lanes)), "messenger")
        following = [loop.run_in_executor(pool, self._follow, lane) for lane in self.lanes]
        try:
            await asyncio.gather(self._clean(), *following)
        finally:
            self.stop()
            await asyncio.to_thread(pool.shutdown)

    def stop(self) -> None:
        """End every try and every thread."""
        self._stopping.set()
        self.tries.stop()
        self.wake()

    def wake(self) -> None:
        """Something new is queued."""
        for lane in self.lanes:
            lane.wake.set()

    def _follow(self, lane: Lane) -> None:
        while not self._stopping.is_set():
            lane.wake.clear()
            if not self.step(lane):
                lane.wake.wait(LOOK)

    def _settle(self, lane: Lane, message: Message, outcome: Outcome) -> None:
        now, wait = self._node.clock.now(), self._wait(message, outcome)
        if outcome.holds:
            lane.held_until = now + min(outcome.asked or 0, LONGEST_ASKED) * SECOND
        self._node.store.write(lambda tx: outbox.settle(tx, message, outcome, now, wait)).result()
        said = self._log.info if outcome.end == "sent" else self._log.warning
        said(
            "message_tried", message=message.id, lane=lane.name, tries=message.tries, end=outcome.end, code=outcome.code
        )

    def _wait(self, message: Message, outcome: Outcome) -> int | None:
        """Seconds to the next try; None when there is none. A try that the node's stop ended is made again at once."""
        if outcome.code == "interrupted":
            return 0
        if outcome.end != "again" or message.tries >= message.budget:
            return None
        chance = int.from_bytes(self._node.ids.token(2), "big")
        return self._back_off.delay(message.tries, outcome.asked, chance)

    async def _clean(self) -> None:
        while True:
            await asyncio.wrap_future(self._node.store.write(self._purge))
            await asyncio.sleep(CLEAN)

    def _purge(self, tx: Connection) -> int:
        return outbox.purge(tx, self._node.clock.now() - self._settings.keep_days * DAY)

    def _lane(self, name: str, settings: ChannelSettings, channel: Sends) -> Lane:
        with self._node.store.reader() as tx:
            tried = outbox.tried_since(tx, name, self._node.clock.now() - MINUTE)
        return Lane(name, settings, channel, RateCap(settings.per_minute, tried))


def _channels(
    node: NodeContext, settings: MessengerSettings, tries: Tries
) -> Sequence[tuple[str, ChannelSettings, Sends]]:
    """The lanes that the settings have."""
    found: list[tuple[str, ChannelSettings, Sends]] = []
    if settings.smtp is not None:
        found.append(("smtp", settings.smtp, MailChannel(settings.smtp, node.dir, tries)))
    if settings.sms is not None:
        secret = node.dir / settings.sms.secret_file if settings.sms.secret_file else None
        found.append(("sms", settings.sms, SmsChannel(settings.sms, secret, tries)))
    for name, one in settings.webhooks.items():
        found.append((f"webhook:{name}", one, WebhookChannel(one, node.dir / one.secret_file, tries)))
    return found
