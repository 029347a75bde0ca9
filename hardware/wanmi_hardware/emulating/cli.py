"""``wanmi emulate …``: devices that are not there, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from wanmi_hardware.emulating.receiver import Walk

app = typer.Typer(help="Devices that are not there: to try a node out, to practise an outage.", no_args_is_help=True)

HOME = "123.4290,41.7968"
"""The middle of Shenyang, degrees WGS-84."""
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port on loopback.")]


@app.command()
def ups(
    port: Port = 1161,
    name: Annotated[str, typer.Option(help="Its name.")] = "ups-emulated",
    community: Annotated[str, typer.Option(help="The community that it answers to.")] = "public",
    fails_after: Annotated[float, typer.Option(help="Seconds until the mains fail; 0: never.", min=0)] = 0,
    fails_for: Annotated[float, typer.Option(help="Seconds that an outage lasts.", min=1)] = 120,
    every: Annotated[float, typer.Option(help="Seconds from one outage to the next; 0: only one.", min=0)] = 0,
    minutes: Annotated[float, typer.Option(help="Minutes that a full battery lasts.", min=0.1)] = 20,
) -> None:
    """A UPS that speaks SNMP (RFC 1628)."""
    from wanmi_hardware.emulating.running import Outage, run_ups
    from wanmi_hardware.emulating.ups_unit import Unit

    outage = Outage(fails_after, fails_for, every) if fails_after else None
    typer.echo(f"UPS {name} on udp 127.0.0.1:{port}, community {community}")
    _run(run_ups(Unit(name, minutes), community, port, outage))


@app.command()
def gnss(
    link: Annotated[Path, typer.Argument(help="Where the port shall appear: a link to a pseudo terminal.")],
    at: Annotated[str, typer.Option(metavar="LON,LAT", help="The middle of its walk, degrees WGS-84.")] = HOME,
    radius: Annotated[float, typer.Option(help="Metres; 0: it stands still.", min=0)] = 0,
) -> None:  # fmt: skip
    """A receiver that says NMEA 0183 on a serial port."""
    from wanmi.clock import SystemClock
    from wanmi_hardware.emulating.running import run_receiver

    typer.echo(f"receiver on {link}")
    _run(run_receiver(link, _walk(at, radius), SystemClock().now()))


@app.command()
def vehicle(
    port: Annotated[int, typer.Argument(min=1, max=65535, help="The gateway's port on loopback.")],
    phone: Annotated[str, typer.Option(help="The terminal's number, as the gateway approves it.")] = "13900000001",
    plate: Annotated[str, typer.Option(help="The plate.")] = "辽A12345",
    at: Annotated[str, typer.Option(metavar="LON,LAT", help="The middle of its round, degrees WGS-84.")] = HOME,
    radius: Annotated[float, typer.Option(help="Metres.", min=0)] = 300,
    every: Annotated[float, typer.Option(help="Seconds between two positions.", min=0.1)] = 5,
    panics_after: Annotated[
        float, typer.Option(help="Seconds until its panic button is pressed; 0: never.", min=0)
    ] = 0,
) -> None:
    """A city vehicle whose terminal speaks JT/T 808-2013; it dials again when the line goes."""
    from wanmi.clock import SystemClock
    from wanmi_hardware.emulating.running import run_vehicle
    from wanmi_hardware.emulating.vehicle import Vehicle

    typer.echo(f"vehicle {phone} to tcp 127.0.0.1:{port}")
    _run(run_vehicle(Vehicle(phone, plate, _walk(at, radius), SystemClock(), panics_after), port, every))


@app.command()
def display(
    port: Port = 4352,
    password: Annotated[str, typer.Option(help="What a client has to know; empty: nothing.")] = "",
    warms: Annotated[float, typer.Option(help="Seconds that its lamp takes to be ready.", min=0)] = 20,
) -> None:
    """A display that speaks PJLink class 2, with a lamp that takes its time."""
    from wanmi_hardware.emulating.running import run_display

    typer.echo(f"display on tcp 127.0.0.1:{port}")
    _run(run_display(port, password, warms))


def _walk(at: str, radius: float) -> Walk:
    from wanmi.coords import parse_degrees
    from wanmi.errors import BadInput
    from wanmi_hardware.emulating.receiver import Walk

    lon, sign, lat = at.partition(",")
    if not sign:
        raise BadInput(f"{at!r}: give LON,LAT in degrees")
    return Walk(parse_degrees(lon) / 1e7, parse_degrees(lat) / 1e7, radius)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Until Ctrl-C or SIGTERM."""
    import signal

    async def stopped() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
