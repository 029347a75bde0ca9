"""``wanmi messages …``: the outbox, addresses, the roster, the book, webhook secrets."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.clock import SECOND
from wanmi.errors import BadInput
from wanmi_messenger.facts import local_time
from wanmi_messenger.pacing import ZONE

app = typer.Typer(help="Messages to people.", no_args_is_help=True)
book = typer.Typer(help="The book: rules and templates.", no_args_is_help=True)
app.add_typer(book, name="book")

Id = Annotated[str, typer.Argument(metavar="ID", help="The message's id.", show_default=False)]
File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, show_default=False)]
Lang = Annotated[str, typer.Option("--lang", help="zh or en.")]


@app.command("list")
def list_(
    dir: Dir,
    state: Annotated[str, typer.Option("--state", help="queued, sending, sent, failed or dead.")] = "",
    channel: Annotated[str, typer.Option("--channel", help="smtp, sms or webhook.")] = "",
    about: Annotated[str, typer.Option("--about", help="A subject, such as case:NUMBER.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 50,
    as_json: AsJson = False,
) -> None:
    """The outbox, newest first."""
    args = {"state": state, "channel": channel, "about": about, "limit": limit}
    found = call(dir, "message.list", args)["messages"]
    if as_json:
        print_json(found)
        return
    head = ("id", "made", "state", "lane", "person", "about", "tries", "code", "reason")
    print_rows(head, [_row(one) for one in found])


@app.command()
def resend(dir: Dir, id: Id) -> None:
    """Send a message again at once; one that was sent leaves as a copy with a new id."""
    typer.echo(f"queued {call(dir, 'message.resend', {'id': id})['id']}")


@app.command()
def drop(dir: Dir, id: Id) -> None:
    """Have no more tries of a message."""
    typer.echo(f"dropped {call(dir, 'message.drop', {'id': id})['id']}")


@app.command("test")
def send_test(dir: Dir, channel: str, address: str, lang: Lang = "zh") -> None:
    """Queue a test message; of a webhook the address is its name in the settings."""
    typer.echo(f"queued {call(dir, 'message.test', {'channel': channel, 'address': address, 'lang': lang})['id']}")


@app.command()
def addresses(dir: Dir, file: File) -> None:
    """Replace all addresses by those of a CSV file: person,channel,address,lang."""
    typer.echo(f"addresses: {call(dir, 'message.addresses', {'text': _text(file)})['addresses']}")


@app.command()
def roster(dir: Dir, file: File) -> None:
    """Replace the roster from now on by that of a CSV file: person,post,unit,from,to (local times)."""
    typer.echo(f"duties: {call(dir, 'message.roster', {'text': _text(file)})['duties']}")


@app.command("on-duty")
def on_duty(
    dir: Dir,
    post: Annotated[str, typer.Option("--post")] = "",
    unit: Annotated[str, typer.Option("--unit")] = "",
    at: Annotated[str, typer.Option("--at", help="Local time, 2026-11-24 08:00; default: now.")] = "",
    as_json: AsJson = False,
) -> None:
    """Who is on duty."""
    found = call(dir, "message.on_duty", {"post": post, "unit": unit, "at": _time(at) if at else 0})
    if as_json:
        print_json(found)
        return
    rows = [
        (one["post"], one["unit"], one["person"], local_time(one["begins_at"]), local_time(one["ends_at"]))
        for one in found["duties"]
    ]
    print_rows(("post", "unit", "person", "from", "to"), rows)


@app.command()
def rotate(
    dir: Dir,
    name: Annotated[str, typer.Argument(metavar="WEBHOOK", show_default=False)],
    overlap: Annotated[
        int, typer.Option("--overlap", help="Hours that the old secret signs too.", min=0, max=720)
    ] = 24,
) -> None:
    """Make a webhook's new signing secret and show it, once."""
    made = call(dir, "message.rotate", {"name": name, "overlap": overlap * 3600})
    typer.echo(made["secret"])
    typer.echo(f"the old one signs too until {made['old_until']}", err=True)


@book.command("print")
def print_(dir: Dir) -> None:
    """The book that holds now, as TOML."""
    found = call(dir, "message.book", {})
    typer.echo(found["text"])
    typer.echo(f"version {found['version']}, digest {found['digest']}", err=True)


@book.command()
def check(file: File) -> None:
    """Check a book; nothing is activated."""
    from wanmi_messenger.book import read_book

    found = read_book(_text(file))
    typer.echo(f"good: {len(found.rules)} rules, {len(found.templates)} templates, digest {found.digest}")


@book.command()
def activate(dir: Dir, file: File) -> None:
    """Let a book hold from now on; an entry says so."""
    typer.echo(f"version {call(dir, 'message.activate', {'text': _text(file)})['version']}")


@book.command()
def preview(
    dir: Dir,
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", show_default=False)],
    lang: Lang = "zh",
    file: Annotated[Path | None, typer.Option("--file", help="A book that is not active yet.", exists=True)] = None,
) -> None:
    """What a template says about an example."""
    args = {"template": template, "lang": lang, "text": _text(file) if file else ""}
    said = call(dir, "message.preview", args)
    typer.echo(f"{said['title']}\n\n{said['text']}")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    shown = ("state", "lane", "person", "about", "tries", "code", "reason")
    return (one["id"], local_time(one["made_at"]), *(one[name] for name in shown))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: is not UTF-8: {error}") from error


def _time(text: str) -> int:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text!r} is no time like 2026-11-24 08:00") from None
    return int((local if local.tzinfo else local.replace(tzinfo=ZONE)).timestamp()) * SECOND
