"""``wanmi terminal ask`` on a terminal that is not set up; ``asked|approve|deny|code`` at a node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, call, print_json, print_rows
from wanmi.cli.shared import Dir as NodeDir
from wanmi.clock import SystemClock, iso
from wanmi.ids import SystemIds
from wanmi.reports.asks import AskAnswer
from wanmi_terminal.asking import ask as ask_broker
from wanmi_terminal.asking import begin_asking, refused, settle
from wanmi_terminal.broker import BrokerUrl
from wanmi_terminal.field import APP
from wanmi_terminal.telling import LEFT, told

Request = Annotated[str, typer.Argument(metavar="ID", help="Its id, as `asked` lists it.")]


def add_admission(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (ask, asked, approve, deny, code):
        app.command()(command)


def ask(
    where: Annotated[Path, typer.Argument(metavar="TDIR", help="The directory of the terminal to be.")],
    broker: Annotated[str, typer.Option(help="The edge's broker: mqtts://host:8883.")],
    ca: Annotated[Path | None, typer.Option(help="The CA that the broker's certificate is checked against.")] = None,
    code: Annotated[str, typer.Option(help="The one-time code, if the edge wants one.")] = "",
    model: Annotated[str, typer.Option(help="What the terminal is.")] = "command line",
    again: Annotated[bool, typer.Option("--again", help="With new keys: after it was denied, or expired.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the district's decision.")] = 600.0,
) -> None:
    """Ask an edge to be admitted; wait until its district has decided, and set the terminal up."""
    with told():
        ids = SystemIds()
        url = BrokerUrl.parse(broker, ca)
        asking = begin_asking(where, model, ids, SystemClock().now(), again=again)
        typer.echo(f"request {asking.key_id}, fingerprint {asking.fingerprint}")

        def tell(answer: AskAnswer) -> None:
            if answer.status in ("pending", "busy"):
                waits = "waits for the district" if answer.status == "pending" else "too many ask just now; asking on"
                typer.echo(waits, err=True)

        answer = ask_broker(asking, url, asking.message(APP, code), wait, tell)
        if answer is None:
            typer.echo("not decided yet: the same command goes on asking", err=True)
            raise typer.Exit(LEFT)
        if answer.status != "approved":
            raise refused(answer)
        home = settle(asking, asking.open(answer), broker, ca, ids)
        typer.echo(f"admitted as {home.terminal}; `wanmi terminal run {where}`")


def asked(
    dir: NodeDir,
    all: Annotated[bool, typer.Option("--all", help="Those that were decided or expired, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Terminals that ask to be admitted: compare the fingerprint with the terminal's screen."""
    found = call(dir, "terminal.asked", {"all": all})["asked"]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], one["fingerprint"], one["model"], one["edge"], iso(one["asked_at"])[:19] + "Z", one["state"], one["terminal"] or one["reason"])
        for one in found
    ]  # fmt: skip
    print_rows(("id", "fingerprint", "model", "edge", "asked at", "state", ""), rows)


def approve(
    dir: NodeDir,
    id: Request,
    terminal: Annotated[str, typer.Option("--id", help="T210102-0001; the next free one if none.")] = "",
    holder: Annotated[str, typer.Option(help="Who carries it: a person's id.")] = "",
    unit: Annotated[str, typer.Option(help="The unit that it belongs to.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="It had this id with a key that is lost.")] = False,
) -> None:
    """Admit a terminal that asked, at its district."""
    args = {"id": id, "terminal": terminal, "holder": holder, "unit": unit, "replace": replace}
    typer.echo(f"admitted as {call(dir, 'terminal.approve', args)['terminal']}")


def deny(dir: NodeDir, id: Request, reason: Annotated[str, typer.Option(help="Why; the terminal shows it.")]) -> None:
    """Turn a terminal away that asked, at its district."""
    call(dir, "terminal.deny", {"id": id, "reason": reason})
    typer.echo(f"denied {id}")


def code(dir: NodeDir, hours: Annotated[int, typer.Option(help="For how long it is good.")] = 24) -> None:
    """Make a one-time code at an edge, with which one new terminal may ask."""
    made = call(dir, "terminal.code", {"hours": hours})
    typer.echo(f"{made['code']}  until {iso(made['expires_at'])[:19]}Z")
    if made["open"] == "off":
        typer.echo("this edge takes no requests: `wanmi settings set DIR edge.asks.open=code`", err=True)
