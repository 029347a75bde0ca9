"""``wanmi scene …``: what displays show when something happens."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.errors import BadInput
from wanmi_edge.devices.cli import point_of

app = typer.Typer(help="Scenes: what displays show when something happens.", no_args_is_help=True)
Scene = Annotated[str, typer.Argument(help="The scene's name.")]
Why = Annotated[str, typer.Option(help="Why, for whoever looks.")]
Ref = Annotated[str, typer.Option(help="A number for the page, like that of a case.")]
At = Annotated[str, typer.Option("--at", metavar="LON,LAT", help="Where, degrees WGS-84.")]


@app.command("list")
def list_(dir: Dir, as_json: AsJson = False) -> None:
    """Scenes with what called them; displays with the scene that has them, and why."""
    found = call(dir, "scene.list", {})
    if as_json:
        print_json(found)
        return
    rows = [
        (s["name"], s["priority"], s["on"] if s["enabled"] else "off", " ".join(s["displays"]), "; ".join(c["why"] for c in s["calls"]))
        for s in found["scenes"]
    ]  # fmt: skip
    print_rows(("scene", "priority", "on", "displays", "called by"), rows)
    held = [
        (d["display"], d["scene"] or "-", d["state"], d["reason"], d["page"] or d["input"]) for d in found["displays"]
    ]
    if held:
        print_rows(("display", "scene", "state", "why", "shows"), held)


@app.command("set")
def set_(
    dir: Dir, file: Annotated[Path, typer.Argument(help="The scene as TOML; docs/devices/displays.md shows one.")],
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Set a scene from a file."""
    try:
        body = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: {error}") from error
    made = call(dir, "scene.set", body)
    if as_json:
        print_json(made)
    else:
        typer.echo(f"set {made['name']}: priority {made['priority']}, on {made['on']}, {' '.join(made['displays'])}")


@app.command()
def remove(dir: Dir, scene: Scene, reason: Annotated[str, typer.Option(help="Why.")] = "") -> None:
    """Take a scene away; the displays that it has go back."""
    typer.echo(f"removed {call(dir, 'scene.remove', {'scene': scene, 'reason': reason})['removed']}")


@app.command("call")
def call_(
    dir: Dir, scene: Scene, why: Why = "", ref: Ref = "", at: At = "",
    minutes: Annotated[int | None, typer.Option(help="For how long; else as the scene says.")] = None,
) -> None:  # fmt: skip
    """Call a scene by hand."""
    made = call(dir, "scene.call", {"scene": scene, "why": why, "ref": ref, "minutes": minutes, **point_of(at)})
    typer.echo(f"called: {made['page'] or scene}")


@app.command()
def end(dir: Dir, scene: Scene) -> None:
    """End every call of a scene; its displays go back."""
    typer.echo(f"ended {call(dir, 'scene.end', {'scene': scene})['ended']} calls")


@app.command()
def event(
    dir: Dir, event: Annotated[str, typer.Argument(help="What happened, like case.pressed.")],
    why: Why = "", ref: Ref = "", at: At = "",
) -> None:  # fmt: skip
    """Tell of an event; scenes that wait for it are called."""
    made = call(dir, "scene.event", {"event": event, "why": why, "ref": ref, **point_of(at)})["calls"]
    typer.echo(f"{len(made)} scenes called")
