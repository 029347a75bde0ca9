"""What the plugin registers, and what its routes, tasks and health share in one node."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from wanmi.registry import Draft, Health, NodeContext, Registry, Stored, Tier
from wanmi_hotline.board import Board
from wanmi_hotline.projecting import register_calls
from wanmi_hotline.settings import HotlineSettings

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wanmi.mqtt import MqttClient
    from wanmi_hotline.asterisk import Asterisk
    from wanmi_hotline.intake import Intake

DESK = ("operator", "shift_leader")
CENTRES: tuple[Tier, ...] = ("city", "district")


class Hotline:
    """The working parts of one node, made when they are first needed."""

    def __init__(self) -> None:
        self.board = Board()
        self.client: MqttClient | None = None
        self.asterisk: Asterisk | None = None
        self._intake: Intake | None = None

    def intake(self, node: NodeContext) -> Intake:
        """The one way in."""
        if self._intake is None:
            from wanmi_hotline.intake import Intake

            self._intake = Intake(node, self.board)
        return self._intake


def add_parts(to: Registry) -> None:
    """Fill the registry."""
    hotline = Hotline()
    register_calls(to)
    to.section("hotline", HotlineSettings)
    _rights(to)
    to.reactor("hotline.forget", kinds=("person.erased",), decide=forget)
    to.router("/api/v1/hotline", partial(_api, hotline))
    to.router("", partial(_pages, hotline))
    to.page("/hotline", zh="呼叫受理", en="Hotline", order=15)
    to.task("hotline.bell", hotline.board.ring)
    to.task("hotline.mqtt", partial(_listen, hotline))
    to.task("hotline.asterisk", partial(_asterisk, hotline))
    to.probe("hotline", partial(_health, hotline))


def _rights(to: Registry) -> None:
    to.right(
        "hotline.events", zh="报送话务事件", en="Tell events of calls", scope="hotline:events", posts=(), tiers=CENTRES
    )
    to.right("hotline.work", zh="受理来电", en="Take calls", scope="", posts=DESK, tiers=CENTRES)
    to.right(
        "hotline.read", zh="看通话记录", en="Read calls, not who called", scope="hotline:read",
        posts=(*DESK, "assessor", "supervisor"), tiers=CENTRES,
    )  # fmt: skip
    to.right(
        "hotline.caller", zh="看来电人与录音", en="See who called, hear recordings", scope="",
        posts=(*DESK, "supervisor"), tiers=CENTRES,
    )  # fmt: skip


def forget(node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:  # noqa: ARG001 - a reactor
    """Forget whose call it was when who called is erased."""
    from wanmi_hotline.callers import forget_numbers

    forget_numbers(node)
    return []


def _api(hotline: Hotline, node: NodeContext) -> APIRouter:
    from wanmi_hotline.api import api_routes

    return api_routes(node, hotline)


def _pages(hotline: Hotline, node: NodeContext) -> APIRouter:
    from wanmi_hotline.pages import page_routes

    return page_routes(node, hotline)


async def _listen(hotline: Hotline, node: NodeContext) -> None:
    settings = node.settings.section("hotline", HotlineSettings)
    if not settings.broker:
        return
    from wanmi_hotline.listening import Listener

    listener = Listener(node, hotline.intake(node), settings)
    hotline.client = listener.client
    await listener.run()


async def _asterisk(hotline: Hotline, node: NodeContext) -> None:
    settings = node.settings.section("hotline", HotlineSettings).asterisk
    if not settings.host:
        return
    from wanmi_hotline.asterisk import Asterisk

    asterisk = hotline.asterisk = hotline.asterisk or Asterisk(node, hotline.intake(node), settings)
    await asterisk.run()


def _health(hotline: Hotline, node: NodeContext) -> Sequence[Health]:
    from wanmi_hotline.health import lines

    return lines(hotline, node)


def blobs_of(node: NodeContext, number: str) -> list[str]:
    """The sealed blobs of the calls of a number in any spelling, and of their reports."""
    from wanmi_hotline.callers import blobs_of_number, number_digest
    from wanmi_hotline.numbers import normalise

    found = normalise(number, node.settings.section("hotline", HotlineSettings).area)
    return [] if found is None else blobs_of_number(node, number_digest(node, found))
