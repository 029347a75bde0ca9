"""Admin actions of devices, for the command line: over the admin socket while the node runs, directly when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import msgspec

from wanmi.errors import BadInput
from wanmi.registry import AdminResult, NodeContext, Progress
from wanmi_edge.devices.book import Device, DeviceBook, Wanted
from wanmi_edge.devices.devices import Devices
from wanmi_edge.devices.views import view_device, view_driver, view_found, view_reading

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]
Run = Callable[[NodeContext, Args], Items]
T = TypeVar("T")
CLI_ACTOR = "cli"


class _Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    driver: str
    name: str
    settings: dict[str, str] = {}
    enabled: bool = True
    lon_e7: int | None = None
    lat_e7: int | None = None
    device: str = ""


class _Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    device: str
    name: str | None = None
    settings: dict[str, str] = {}
    enabled: bool | None = None
    lon_e7: int | None = None
    lat_e7: int | None = None


class _One(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    device: str
    reason: str = ""


class _Find(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    driver: str
    where: str = ""


class _Tell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    device: str
    command: str
    args: dict[str, str] = {}


def device_actions(devices: Devices) -> list[tuple[str, Run, str]]:
    """Name, function and help of each."""
    return [
        ("device.drivers", partial(_drivers, devices), "what can be connected, with its settings"),
        ("device.add", partial(_add, devices), "add a device"),
        ("device.set", partial(_change, devices), "set a device otherwise"),
        ("device.list", partial(_list, devices), "the devices, with their health"),
        ("device.show", partial(_show, devices), "one device with its readings"),
        ("device.remove", partial(_remove, devices), "take a device away"),
        ("device.test", partial(_test, devices), "try settings, or a device that is set"),
        ("device.discover", partial(_discover, devices), "look for devices"),
        ("device.command", partial(_command, devices), "tell a device to do something"),
    ]


def _drivers(_devices: Devices, node: NodeContext, _args: Args) -> Items:
    yield {"drivers": [_plain(view_driver(one)) for one in node.registry.drivers.values()]}


def _add(devices: Devices, node: NodeContext, args: Args) -> Items:
    ask = _read(args, _Set)
    wanted = Wanted(ask.driver, ask.name, ask.settings, ask.enabled, ask.lon_e7, ask.lat_e7)
    yield _shown(devices, node, _book(devices, node).add(wanted, None))


def _change(devices: Devices, node: NodeContext, args: Args) -> Items:
    ask, book = _read(args, _Change), _book(devices, node)
    now = book.get(ask.device)
    wanted = Wanted(
        driver=now.driver,
        name=now.name if ask.name is None else ask.name,
        settings={**now.settings, **ask.settings},
        enabled=now.enabled if ask.enabled is None else ask.enabled,
        lon_e7=now.lon_e7 if ask.lon_e7 is None else ask.lon_e7,
        lat_e7=now.lat_e7 if ask.lat_e7 is None else ask.lat_e7,
    )
    yield _shown(devices, node, book.change(now.id, wanted, None))


def _list(devices: Devices, node: NodeContext, _args: Args) -> Items:
    yield {"devices": [_shown(devices, node, one) for one in _book(devices, node).all()]}


def _show(devices: Devices, node: NodeContext, args: Args) -> Items:
    yield _shown(devices, node, _book(devices, node).get(_read(args, _One).device))


def _remove(devices: Devices, node: NodeContext, args: Args) -> Items:
    ask = _read(args, _One)
    yield _shown(devices, node, _book(devices, node).remove(ask.device, ask.reason, None))


def _test(devices: Devices, node: NodeContext, args: Args) -> Items:
    """``device`` names one that is set; else ``driver`` and ``settings``."""
    book = _book(devices, node)
    if args.get("device"):
        device = book.get(str(args["device"]))
        driver, given = book.driver(device.driver), book.secret_settings(device)
    else:
        ask = _read({**args, "name": "test"}, _Set)
        driver, given = book.driver(ask.driver), ask.settings
    identity, sample = _in_loop(devices, devices.try_settings(node, driver, given))
    now = node.clock.now()
    yield {
        "identity": _plain(identity),
        "readings": [_plain(view_reading(driver, one, now)) for one in sample.readings],
        "fixes": [_plain(one) for one in sample.fixes],
    }


def _discover(devices: Devices, node: NodeContext, args: Args) -> Items:
    ask = _read(args, _Find)
    yield Progress(0, 0, f"looking for {ask.driver} {ask.where}".rstrip())
    found = _in_loop(devices, devices.discover(node, _book(devices, node).driver(ask.driver), ask.where))
    yield {"found": [_plain(view_found(one)) for one in found]}


def _command(devices: Devices, node: NodeContext, args: Args) -> Items:
    ask, book = _read(args, _Tell), _book(devices, node)
    yield {"answer": _in_loop(devices, devices.talk_of(book.get(ask.device).id).command(ask.command, ask.args))}


def _shown(devices: Devices, node: NodeContext, device: Device) -> dict[str, Any]:
    return _plain(view_device(node, devices, device))


def _book(devices: Devices, node: NodeContext) -> DeviceBook:
    devices.wire(node)
    return devices.book or DeviceBook(node)


def _in_loop(devices: Devices, work: Coroutine[Any, Any, T]) -> T:
    """Run in the node's loop while it runs (sessions share what lives there), else in one of its own."""
    loop = devices.loop
    if loop is None:
        return asyncio.run(work)
    return asyncio.run_coroutine_threadsafe(work, loop).result()


def _read(args: Args, shape: type[T]) -> T:
    try:
        return msgspec.convert(dict(args), shape)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from None


def _plain(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(value)
    return found
