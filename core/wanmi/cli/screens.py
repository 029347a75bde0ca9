"""``wanmi tui``: the technicians' screens, in this terminal or in a browser on this machine."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from wanmi.errors import NeedsExtra


def add_to(app: typer.Typer) -> None:
    """Add ``wanmi tui`` to the root."""
    app.command()(tui)


def tui(
    url: Annotated[
        list[str], typer.Option("--url", help="A node's address, https://HOST:PORT; given once for each node.")
    ],
    token_file: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="File with the token, or a line for each node; else WANMI_TOKEN, else it is asked for."
        ),
    ] = "",
    ca: Annotated[
        str, typer.Option(metavar="FILE", help="The nodes' own CA (PEM), to check their certificates with.")
    ] = "",
    lang: Annotated[str, typer.Option(help="zh or en; default: the terminal's language. F2 changes it.")] = "",
    serve: Annotated[
        bool, typer.Option("--serve", help="In a browser on this machine, at an address that works once.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of --serve on loopback; 0 takes a free one.", min=0, max=65535)] = 0,
) -> None:
    """The technicians' screens: links, devices, alarms, refused reports, the journal; over the nodes' HTTP API."""
    # The core imports no package beside it: the name is looked up when it is wanted.
    try:
        run = import_module("wanmi_tui.run")
        wanted = run.Wanted(tuple(url), token_file, ca, lang)
        if serve:
            import_module("wanmi_tui.serve").serve(wanted, port)
        else:
            run.run_tui(wanted)
    except ModuleNotFoundError as error:
        raise NeedsExtra("tui", error.name or "wanmi_tui") from error
