"""``wanmi wall …``, run on the PC behind a display."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="A display's PC: open the pages that its edge names.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="Its settings, wall.toml.")]

EXAMPLE = """\
# A wall: the PC behind a display. `wanmi wall run wall.toml` keeps it; docs/devices/displays.md explains each line.
wall = "{wall}"
broker = "{broker}"
password_file = "wall.password"
{ca}allow = [{allow}]
# start = "https://…"
# browser = ["chromium", "--kiosk", "{{url}}"]
# power_on = ["xset", "dpms", "force", "on"]
# power_off = ["xset", "dpms", "force", "off"]
"""


@app.command()
def run(file: File) -> None:
    """Keep the wall until it is told to end (SIGTERM, Ctrl-C)."""
    from wanmi_hardware.wall.agent import WallAgent
    from wanmi_hardware.wall.settings import read_settings

    agent, stop = WallAgent(read_settings(file)), threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    agent.run(stop)


@app.command()
def check(file: File, url: Annotated[str, typer.Argument(help="A page to try against the list.")] = "") -> None:
    """Read the settings and say what they mean; opens nothing."""
    from wanmi_hardware.wall.settings import read_settings

    settings = read_settings(file)
    address = settings.address()
    typer.echo(f"{settings.wall} at {address.url}; shows {', '.join(settings.allow)} by {settings.browser[0]}")
    if url:
        typer.echo(f"allowed: {settings.need_allowed(url)}")


@app.command()
def init(
    file: File,
    wall: Annotated[str, typer.Option(help="The name that `wanmi walls admit` gave.")],
    broker: Annotated[str, typer.Option(help="mqtts://host:port of the edge's broker.")],
    allow: Annotated[list[str], typer.Option(help="A page that may be shown, once for each.")],
    ca: Annotated[str, typer.Option(help="The file with the edge's authority.")] = "",
) -> None:
    """Write settings to begin with; the password is a line on standard input."""
    import sys

    from wanmi.errors import Conflict
    from wanmi_hardware.wall.settings import read_settings

    if file.exists():
        raise Conflict(f"{file} is there already")
    secret = file.parent / "wall.password"
    secret.touch(mode=0o600)
    secret.write_text(sys.stdin.readline().strip() + "\n", encoding="utf-8")
    quoted = ", ".join(f'"{one}"' for one in allow)
    line = f'ca_file = "{ca}"\n' if ca else ""
    file.write_text(EXAMPLE.format(wall=wall, broker=broker, allow=quoted, ca=line), encoding="utf-8")
    read_settings(file)
    typer.echo(f"wrote {file}; try `wanmi wall check {file}`, then `wanmi wall run {file}`")
