"""``wanmi device …``: what is connected to an edge."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.errors import BadInput

app = typer.Typer(help="Devices of an edge: add, test, list, show, remove.", no_args_is_help=True)

Driver = Annotated[str, typer.Argument(help="The driver; `wanmi device drivers DIR` lists them.")]
Device = Annotated[str, typer.Argument(help="The device's number or name.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", "-s", metavar="KEY=VALUE", help="A setting of the driver, once for each.")
]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="KEY", help="A secret setting: its value is a line on standard input."),
]
Point = Annotated[str, typer.Option("--at", metavar="LON,LAT", help="Where it stands, degrees WGS-84.")]


@app.command()
def drivers(
    dir: Dir,
    driver: Annotated[str, typer.Argument(help="Only this one, with its settings.")] = "",
    as_json: AsJson = False,
) -> None:
    """What can be connected."""
    found = call(dir, "device.drivers", {})["drivers"]
    found = [one for one in found if driver in ("", one["name"])]
    if as_json:
        print_json(found)
    elif driver and found:
        _print_driver(found[0])
    else:
        rows = [(d["name"], d["kind"], d["zh"], d["en"], "yes" if d["finds"] else "") for d in found]
        print_rows(("driver", "kind", "", "what", "finds"), rows)


@app.command()
def add(
    dir: Dir, driver: Driver, name: Annotated[str, typer.Argument(help="Its name.")],
    settings: Settings = None, secrets: Secrets = None, at: Point = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """Add a device."""
    ask = {"driver": driver, "name": name, "settings": _settings(settings, secrets), **point_of(at)}
    _print_device(call(dir, "device.add", ask), as_json)


@app.command("set")
def set_(
    dir: Dir, device: Device, settings: Settings = None, secrets: Secrets = None,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is talked to.")] = None,
    at: Point = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """Set a device otherwise; it keeps its number and what is not named."""
    ask = {"device": device, "settings": _settings(settings, secrets), "name": name, "enabled": on, **point_of(at)}
    _print_device(call(dir, "device.set", ask), as_json)


@app.command("list")
def list_(dir: Dir, as_json: AsJson = False) -> None:
    """Every device with its health."""
    found = call(dir, "device.list", {})["devices"]
    if as_json:
        print_json(found)
        return
    rows = [(d["id"], d["name"], d["driver"], d["state"], d["reason"], _ago(d["seen_at"])) for d in found]
    print_rows(("device", "name", "driver", "state", "why", "seen"), rows)


@app.command()
def show(dir: Dir, device: Device, as_json: AsJson = False) -> None:
    """One device: settings, health, readings with what the device really said."""
    _print_device(call(dir, "device.show", {"device": device}), as_json)


@app.command()
def remove(dir: Dir, device: Device, reason: Annotated[str, typer.Option(help="Why.")] = "") -> None:
    """Take a device away; its number is never given again."""
    gone = call(dir, "device.remove", {"device": device, "reason": reason})
    typer.echo(f"removed {gone['id']} {gone['name']}")


@app.command("test")
def try_(
    dir: Dir, device: Annotated[str, typer.Argument(help="A device that is set, or a driver (with --set).")],
    settings: Settings = None, secrets: Secrets = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Connect, ask who it is, take one sample; says what is wrong. Sets nothing."""
    given = _settings(settings, secrets)
    ask: dict[str, Any] = {"driver": device, "settings": given} if given else {"device": device}
    said = call(dir, "device.test", ask)
    if as_json:
        print_json(said)
        return
    who = " ".join(v for v in said["identity"].values() if v) or "it does not say who it is"
    typer.echo(f"reached: {who}")
    _print_readings(said["readings"], said["fixes"])


@app.command()
def find(
    dir: Dir, driver: Driver,
    where: Annotated[str, typer.Argument(help="Where to look: 10.0.0.0/28, or nothing for what is plugged in.")] = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Look for devices."""
    found = call(dir, "device.discover", {"driver": driver, "where": where})["found"]
    if as_json:
        print_json(found)
        return
    rows = [
        (f["driver"], f["name"], " ".join(f"-s {k}={v}" for k, v in f["settings"].items()), f["why"]) for f in found
    ]
    print_rows(("driver", "name", "settings", "why"), rows)


@app.command()
def tell(
    dir: Dir, device: Device, command: Annotated[str, typer.Argument(help="What to do.")],
    args: Annotated[list[str] | None, typer.Option("--arg", "-a", metavar="KEY=VALUE", help="An argument.")] = None,
) -> None:  # fmt: skip
    """Tell a device to do something."""
    typer.echo(
        call(dir, "device.command", {"device": device, "command": command, "args": _pairs(args or [])})["answer"]
    )


def _settings(plain: list[str] | None, secrets: list[str] | None) -> dict[str, str]:
    import sys

    given = _pairs(plain or [])
    for key in secrets or []:
        if sys.stdin.isatty():
            given[key] = str(typer.prompt(key, hide_input=True, err=True))
        else:
            given[key] = sys.stdin.readline().rstrip("\r\n")
    return given


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for one in given:
        key, sign, value = one.partition("=")
        if not sign or not key:
            raise BadInput(f"{one!r}: give KEY=VALUE")
        pairs[key] = value
    return pairs


def point_of(at: str) -> dict[str, int]:
    """``--at LON,LAT`` as coordinates of 1e-7 degree; empty when it is not given."""
    if not at:
        return {}
    from wanmi.coords import parse_degrees

    lon, sign, lat = at.partition(",")
    if not sign:
        raise BadInput(f"{at!r}: give LON,LAT in degrees")
    return {"lon_e7": parse_degrees(lon), "lat_e7": parse_degrees(lat)}


def _ago(at: int) -> str:
    from wanmi.clock import iso

    return iso(at) if at else "never"


def _print_device(device: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(device)
        return
    typer.echo(
        f"{device['id']}  {device['name']}  ({device['driver']})  {device['state']}: {device['reason'] or 'no complaint'}"
    )
    for key, value in device["settings"].items():
        typer.echo(f"  {key} = {value}")
    for key in device["secrets"]:
        typer.echo(f"  {key} = (secret)")
    for part in device["parts"]:
        typer.echo(f"\n{part['part'] or 'readings'}, last at {_ago(device['seen_at'])}")
        _print_readings(part["readings"], [part["fix"]] if part["fix"] else [])


def _print_readings(readings: list[dict[str, Any]], fixes: list[dict[str, Any]]) -> None:
    rows = [(r["name"], _value(r), r["quality"], r["raw"], r["zh"], r["en"]) for r in readings]
    if rows or not fixes:
        print_rows(("reading", "value", "quality", "raw", "", "what"), rows)
    for fix in fixes:
        typer.echo(f"fix: {fix['state']} {_degrees(fix['lon_e7'])} {_degrees(fix['lat_e7'])} {fix['reason']}".rstrip())


def _value(reading: dict[str, Any]) -> str:
    if reading["value"] is None:
        return "unknown"
    value = reading["value"]
    return f"{value:g} {reading['unit']}".rstrip() if isinstance(value, float | int) else str(value)


def _degrees(e7: int | None) -> str:
    return "" if e7 is None else f"{e7 / 1e7:.6f}"


def _print_driver(driver: dict[str, Any]) -> None:
    typer.echo(f"{driver['name']}: {driver['zh']} / {driver['en']}")
    rows = [
        (
            s["name"],
            "secret" if s["secret"] else "must" if s["required"] else s["default"],
            s["help"].replace("\n", " "),
        )
        for s in driver["settings"]
    ]
    print_rows(("setting", "default", "what it is"), rows)
    for one in driver["commands"]:
        typer.echo(f"command {one['name']} {' '.join(one['args'])}: {one['en']}{' (risky)' if one['risky'] else ''}")
