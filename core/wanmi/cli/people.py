"""``wanmi people …``: who may log in, with which posts."""

from __future__ import annotations

from typing import Annotated

import typer

from wanmi.cli.people_more import locks, sessions, shifts, totp, units
from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows, read_password

app = typer.Typer(
    help="People who may log in at a node; passwords come from the terminal or standard input.", no_args_is_help=True
)

app.add_typer(units, name="units")
app.add_typer(shifts, name="shifts")
app.add_typer(totp, name="totp")
app.add_typer(sessions, name="sessions")
app.add_typer(locks, name="locks")

Login = Annotated[str, typer.Argument(help="Login name.")]
Posts = Annotated[list[str], typer.Option("--post", help="A post, given once for each: operator, dispatcher, …")]


@app.command()
def add(dir: Dir, login: Login, post: Posts, name: Annotated[str, typer.Option(help="Name on screens.")] = "") -> None:
    """Add a person."""
    args = {"login": login, "name": name or login, "posts": post, "password": read_password(login)}
    person = call(dir, "people.add", args)
    print(f"added {person['login']} ({', '.join(person['posts'])}), id {person['id']}")


@app.command("list")
def list_(dir: Dir, as_json: AsJson = False) -> None:
    """Everybody."""
    people = call(dir, "people.list", {})["people"]
    if as_json:
        print_json(people)
        return
    rows = [(one["login"], one["name"], ", ".join(one["posts"]), "" if one["active"] else "no") for one in people]
    print_rows(("login", "name", "posts", "may log in"), rows)


@app.command()
def passwd(dir: Dir, login: Login) -> None:
    """Give a person a new password; their sessions end."""
    call(dir, "people.password", {"login": login, "password": read_password(login)})
    print(f"{login} has a new password")


@app.command()
def posts(dir: Dir, login: Login, post: Posts) -> None:
    """Give a person other posts; their sessions end."""
    call(dir, "people.posts", {"login": login, "posts": post})
    print(f"{login} is now {', '.join(post)}")


@app.command()
def lock(
    dir: Dir,
    login: Login,
    hours: Annotated[float, typer.Option(help="For how long; 0: until unlocked.", min=0, max=8760)] = 0,
    reason: Annotated[str, typer.Option(help="Why, for the list of locks.")] = "",
) -> None:
    """Let a person log in no longer, or not for some hours; their sessions end."""
    if hours:
        call(dir, "people.lock", {"login": login, "seconds": max(1, int(hours * 3600)), "reason": reason})
        print(f"{login} may not log in for {hours:g} hours")
        return
    call(dir, "people.active", {"login": login, "active": False})
    print(f"{login} may no longer log in")


@app.command()
def unlock(dir: Dir, login: Login) -> None:
    """Let a person log in again, whatever locked them out."""
    call(dir, "people.active", {"login": login, "active": True})
    call(dir, "people.release", {"login": login})
    print(f"{login} may log in")
