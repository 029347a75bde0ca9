"""``wanmi people units|shifts|totp|sessions …``: what belongs to people besides their login."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.errors import BadInput

Login = Annotated[str, typer.Argument(help="Login name.")]
Code = Annotated[str, typer.Argument(help="The unit's code.")]

units = typer.Typer(help="Departments and who belongs to which.", no_args_is_help=True)
shifts = typer.Typer(help="Who is on duty when; times are local, 2026-11-24T08:00.", no_args_is_help=True)
totp = typer.Typer(help="Second factors: one-time codes of an authenticator app.", no_args_is_help=True)
sessions = typer.Typer(help="Live logins.", no_args_is_help=True)
locks = typer.Typer(help="Who is locked out.", no_args_is_help=True)

_DAY = 24 * 3600 * 1_000_000


@units.command("list")
def list_units(dir: Dir, as_json: AsJson = False) -> None:
    """Every unit with its people."""
    found = call(dir, "people.units", {})["units"]
    if as_json:
        print_json(found)
        return
    rows = [(one["code"], one["name"], "" if one["active"] else "closed", ", ".join(one["members"])) for one in found]
    print_rows(("code", "name", "state", "people"), rows)


@units.command("add")
def add_unit(dir: Dir, code: Code, name: Annotated[str, typer.Argument(help="Name on screens.")]) -> None:
    """Add a unit."""
    call(dir, "people.unit_add", {"code": code, "name": name})
    print(f"added unit {code}")


@units.command("join")
def join_unit(dir: Dir, login: Login, code: Code) -> None:
    """Put a person into a unit; their sessions end."""
    call(dir, "people.unit", {"login": login, "code": code})
    print(f"{login} belongs to {code}")


@units.command("leave")
def leave_unit(dir: Dir, login: Login) -> None:
    """Take a person out of their unit; their sessions end."""
    call(dir, "people.unit", {"login": login, "code": None})
    print(f"{login} belongs to no unit")


@units.command("close")
def close_unit(dir: Dir, code: Code) -> None:
    """Give a unit no more people."""
    call(dir, "people.unit_active", {"code": code, "active": False})
    print(f"closed unit {code}")


@units.command("open")
def open_unit(dir: Dir, code: Code) -> None:
    """Let a unit that was closed have people again."""
    call(dir, "people.unit_active", {"code": code, "active": True})
    print(f"opened unit {code}")


@shifts.command("list")
def list_shifts(
    dir: Dir, day: Annotated[str, typer.Option(help="A local day; left out: all.")] = "", as_json: AsJson = False
) -> None:
    """The shifts of a day, or all."""
    since, until = (0, 2**53 - 1) if not day else (_micros(day), _micros(day) + _DAY)
    found = call(dir, "people.shifts", {"since": since, "until": until})["shifts"]
    if as_json:
        print_json(found)
        return
    rows = [(s["id"], s["login"], s["name"], s["post"], _local(s["starts_at"]), _local(s["ends_at"])) for s in found]
    print_rows(("id", "login", "name", "post", "from", "to"), rows)


@shifts.command("add")
def add_shift(
    dir: Dir,
    login: Login,
    post: Annotated[str, typer.Argument(help="One of the person's posts.")],
    start: Annotated[str, typer.Argument(help="Local time: 2026-11-24T08:00.")],
    end: Annotated[str, typer.Argument(help="Local time: 2026-11-24T16:00.")],
) -> None:
    """Put a person on duty."""
    args = {"login": login, "post": post, "starts_at": _micros(start), "ends_at": _micros(end)}
    print(f"added shift {call(dir, 'people.shift_add', args)['id']}")


@shifts.command("remove")
def remove_shift(dir: Dir, id: Annotated[str, typer.Argument(help="The shift's id, from the list.")]) -> None:
    """Take a shift off the roster."""
    call(dir, "people.shift_remove", {"id": id})
    print(f"removed shift {id}")


@totp.command("show")
def show_totp(dir: Dir, login: Login) -> None:
    """Whether a person has a second factor, and how many recovery codes are left."""
    state = call(dir, "people.totp", {"login": login})["second_factor"]
    print("none" if state is None else f"since {_local(state['confirmed_at'])}, {state['recovery_left']} codes left")


@totp.command("begin")
def begin_totp(dir: Dir, login: Login) -> None:
    """Make a secret for a person's app and print its address; it counts once confirmed."""
    print(call(dir, "people.totp_begin", {"login": login})["uri"])


@totp.command("confirm")
def confirm_totp(
    dir: Dir, login: Login, code: Annotated[str, typer.Argument(help="The code that the app shows.")]
) -> None:
    """Confirm the secret with a first code and print the recovery codes."""
    for one in call(dir, "people.totp_confirm", {"login": login, "code": code})["recovery"]:
        print(one)


@totp.command("remove")
def remove_totp(dir: Dir, login: Login) -> None:
    """Take a person's second factor away (a lost phone); their sessions end."""
    call(dir, "people.totp_remove", {"login": login})
    print(f"{login} has no second factor now")


@sessions.command("list")
def list_sessions(
    dir: Dir, login: Annotated[str, typer.Option(help="Of this person only.")] = "", as_json: AsJson = False
) -> None:
    """Live sessions, newest first."""
    found = call(dir, "people.sessions", {"login": login})["sessions"]
    if as_json:
        print_json(found)
        return
    rows = [(s["id"], s["login"], s["post"], _local(s["made_at"]), _local(s["expires_at"])) for s in found]
    print_rows(("id", "login", "post", "since", "until"), rows)


@sessions.command("end")
def end_session(dir: Dir, id: Annotated[str, typer.Argument(help="The session's id, from the list.")]) -> None:
    """End a session."""
    call(dir, "people.session_end", {"id": id})
    print(f"ended session {id}")


@locks.command("list")
def list_locks(dir: Dir, as_json: AsJson = False) -> None:
    """Who is locked out, until when, why."""
    found = call(dir, "people.locks", {})["locks"]
    if as_json:
        print_json(found)
        return
    print_rows(("login", "until", "why"), [(one["login"], _local(one["locked_until"]), one["reason"]) for one in found])


def _micros(local: str) -> int:
    from wanmi.codes import CITY_ZONE

    try:
        at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(CITY_ZONE))
    except ValueError as error:
        raise BadInput(f"time {local[:40]!r}: write it as 2026-11-24T08:00") from error
    return int(at.timestamp()) * 1_000_000


def _local(at: int) -> str:
    from wanmi.codes import CITY_ZONE

    return datetime.fromtimestamp(at / 1_000_000, ZoneInfo(CITY_ZONE)).strftime("%Y-%m-%d %H:%M")
