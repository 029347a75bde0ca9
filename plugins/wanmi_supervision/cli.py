"""``wanmi orders …``: what the city orders of its districts, and what they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.clock import SECOND
from wanmi.errors import BadInput

app = typer.Typer(help="Orders between city and district.", no_args_is_help=True)
ZONE = ZoneInfo("Asia/Shanghai")

Actor = Annotated[str, typer.Option("--actor", help="Who does it: a person's id.", show_default=False)]
Post = Annotated[str, typer.Option("--post", help="The post held.", show_default=False)]
Id = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id.", show_default=False)]
Opinion = Annotated[str, typer.Option("--opinion", help="In words.")]


@app.command("list")
def list_(
    dir: Dir,
    state: Annotated[str, typer.Option("--state", help="open, late, answered or closed.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="hand_down, press, check or take_over.")] = "",
    district: Annotated[str, typer.Option("--district", help="A district's code.")] = "",
    case: Annotated[str, typer.Option("--case", help="A case's number, of either side.")] = "",
    as_json: AsJson = False,
) -> None:
    """Orders, newest first."""
    args = {"state": state, "kind": kind, "district": district, "case": case, "limit": 200}
    found = call(dir, "order.list", args)["orders"]
    if as_json:
        print_json(found)
        return
    head = ("order", "kind", "district", "state", "reply by", "case", "district's case", "answer")
    print_rows(head, [_row(one) for one in found])


@app.command()
def issue(  # noqa: PLR0913, PLR0917 - the options of a command
    dir: Dir,
    kind: Annotated[str, typer.Argument(help="hand_down, press, check or take_over.", show_default=False)],
    number: Annotated[str, typer.Argument(help="The case: the city's to hand down, else the district's.")],
    demand: Annotated[str, typer.Option("--demand", help="What is wanted, in words.", show_default=False)],
    reply_by: Annotated[str, typer.Option("--reply-by", help="Local time, 2026-11-24 18:00.", show_default=False)],
    actor: Actor,
    post: Post,
    district: Annotated[str, typer.Option("--district", help="Instead of the one by matter or place.")] = "",
    press: Annotated[str, typer.Option("--press", help="Why: overdue, leader or important.")] = "",
    level: Annotated[str, typer.Option("--level", help="normal, urgent or critical.")] = "normal",
) -> None:
    """Give an order."""
    which = "case" if kind == "hand_down" else "district_case"
    args = {
        "kind": kind, which: number, "demand": demand, "reply_by": _time(reply_by), "district": district,
        "press": press or None, "level": level, "actor": actor, "post": post,
    }  # fmt: skip
    made = call(dir, "order.issue", args)
    typer.echo(f"order {made['order_id']} to {made['district']}")


@app.command()
def answer(
    dir: Dir,
    order: Id,
    answer: Annotated[str, typer.Argument(help="answered, given_up or kept.", show_default=False)],
    opinion: Opinion,
    actor: Actor,
    post: Post,
) -> None:
    """Answer an order of the city."""
    args = {"order": order, "answer": answer, "opinion": opinion, "actor": actor, "post": post}
    typer.echo(f"order {order} is {call(dir, 'order.answer', args)['state']}")


@app.command()
def close(
    dir: Dir,
    order: Id,
    result: Annotated[str, typer.Argument(help="done or withdrawn.", show_default=False)],
    actor: Actor,
    post: Post,
    opinion: Opinion = "",
) -> None:
    """End an order."""
    args = {"order": order, "result": result, "opinion": opinion, "actor": actor, "post": post}
    typer.echo(f"order {order} is {call(dir, 'order.close', args)['state']}")


@app.command()
def counters(dir: Dir, as_json: AsJson = False) -> None:
    """What every district has open, overdue, pressed, returned, reopened, and its orders that wait."""
    found = call(dir, "supervision.counters", {})["counters"]
    if as_json:
        print_json(found)
        return
    print_rows(tuple(found[0]) if found else (), [tuple(one.values()) for one in found])


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    by = datetime.fromtimestamp(one["reply_by"] // SECOND, ZONE).strftime("%Y-%m-%d %H:%M")
    theirs = one["accepted_case"] or one["district_case"]
    return (one["order_id"], one["kind"], one["district"], one["state"], by, one["case"], theirs, one["answer"])


def _time(text: str) -> int:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text!r} is no time like 2026-11-24 18:00") from None
    return int((local if local.tzinfo else local.replace(tzinfo=ZONE)).timestamp()) * SECOND
