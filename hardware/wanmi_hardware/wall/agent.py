"""The agent: takes orders from its own topic, obeys those that its settings allow, says how it is."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import structlog

from wanmi import __version__
from wanmi.devices import walls
from wanmi.devices.walls import WallOrder, WallStatus
from wanmi.errors import BadInput, NotAllowed, WanmiError
from wanmi.mqtt import MqttClient, Session
from wanmi_hardware.wall.browser import Browser, run_program
from wanmi_hardware.wall.settings import WallSettings

LOOK = 0.2
"""Seconds between two looks at the browser."""


class WallAgent:
    """One wall, from its start to the end of ``run``."""

    def __init__(self, settings: WallSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._log = structlog.get_logger("wanmi.wall").bind(wall=settings.wall)
        self._browser = Browser(settings.browser, monotonic)
        self._power: Literal["on", "off", "unknown"] = "unknown"
        self._answered = WallOrder("", "reload")
        self._reason = ""
        self._said: WallStatus | None = None
        self._said_at = 0.0
        self._connections = 0
        gone = walls.encode(WallStatus(settings.wall, "gone", reason="the connection broke"))
        self._topic = walls.STATUSES.format(settings.wall)
        session = Session(
            settings.wall, subscriptions=(walls.ORDERS.format(settings.wall),), expiry=0, keepalive=15, retry_max=10,
            will=(self._topic, gone),
        )  # fmt: skip
        self._client = MqttClient(settings.address(), session)

    def run(self, stop: threading.Event) -> None:
        """Obey until ``stop``; then close the browser and say that the wall is gone."""
        self._open_first()
        self._client.start()
        try:
            while not stop.is_set():
                self._step()
        finally:
            self._browser.close()
            self._publish(WallStatus(self._settings.wall, "gone", reason="the agent was ended"))
            self._client.stop()

    def status(self) -> WallStatus:
        """How the wall is now."""
        settings = self._settings
        return WallStatus(
            settings.wall, "up", self._browser.page, self._power, "running" if self._browser.runs else "ended",
            self._answered.id, done=bool(self._answered.id) and not self._reason, reason=self._reason,
            orders=self._orders(), allows=settings.allow, version=__version__,
        )  # fmt: skip

    # -- parts --------------------------------------------------------------------------------------------

    def _step(self) -> None:
        for message in self._client.take(10, LOOK):
            self._heard(message.payload)
            message.ack()
        self._browser.look()
        self._tell()

    def _heard(self, payload: bytes) -> None:
        try:
            order = walls.read_order(payload)
        except BadInput as error:
            self._log.warning("order_not_read", why=str(error))
            return
        if order.id and order.id == self._answered.id:
            return
        self._answered = order
        try:
            self._reason = self._obey(order)
        except WanmiError as error:
            self._reason = str(error)
        self._log.info("order", name=order.name, url=order.url[:200], reason=self._reason)

    def _obey(self, order: WallOrder) -> str:
        """Do it; the reason when it could not be done."""
        if order.name == "show":
            return self._show(order.url)
        if order.name == "reload":
            return self._browser.show(self._browser.page) if self._browser.page else "no page is shown"
        command = self._settings.power_on if order.name == "on" else self._settings.power_off
        if not command:
            raise NotAllowed(f"this wall has no program to switch its screen {order.name}: set power_{order.name}")
        wrong = run_program(command)
        if not wrong:
            self._power = "on" if order.name == "on" else "off"
        return wrong

    def _show(self, url: str) -> str:
        self._settings.need_allowed(url)
        wrong = self._browser.show(url)
        if not wrong:
            self._remember(url)
        return wrong

    def _remember(self, url: str) -> None:
        """A page that cannot be kept (a full disk) is shown all the same."""
        try:
            remember(self._settings.state, url)
        except OSError as error:
            self._log.warning("page_not_kept", file=str(self._settings.state), why=error.strerror)

    def _open_first(self) -> None:
        """The page shown last, or the first of the settings; one that is not allowed any more is left out."""
        for url in (remembered(self._settings.state), self._settings.start):
            try:
                if url:
                    self._browser.show(self._settings.need_allowed(url))
                    return
            except NotAllowed as error:
                self._log.warning("page_not_opened", why=str(error))

    def _orders(self) -> tuple[str, ...]:
        settings = self._settings
        switches = (("on", settings.power_on), ("off", settings.power_off))
        return ("show", "reload", *(name for name, command in switches if command))

    def _tell(self) -> None:
        """Say how it is when that changed, on a new connection, and every half minute."""
        status, now = self.status(), self._monotonic()
        new = self._client.connections != self._connections
        if not new and status == self._said and now - self._said_at < walls.BEAT_SECONDS:
            return
        connections = self._client.connections
        if self._client.connected and self._publish(status):
            self._said, self._said_at, self._connections = status, now, connections

    def _publish(self, status: WallStatus) -> bool:
        return self._client.publish(self._topic, walls.encode(status), expiry=walls.STATUS_SECONDS, retain=True)


def remember(file: Path, url: str) -> None:
    """Keep the page on disk, whole or not at all."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(json.dumps({"page": url}) + "\n", encoding="utf-8")
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    temporary.replace(file)


def remembered(file: Path) -> str:
    """The page of last time; "" when there is none."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return str(kept["page"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
