"""Admin actions about people: units, shifts, locks, one-time codes, sessions; and the table of rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from wanmi import identity
from wanmi.errors import BadInput, NotFound
from wanmi.identity.codes import begin_enrolment, code_state, confirm_enrolment, remove_code
from wanmi.identity.locks import list_locks, lock_person, release_person
from wanmi.identity.rights import register_rights
from wanmi.identity.sessions import list_sessions, revoke_session
from wanmi.identity.totp import otpauth_uri, secret_text
from wanmi.identity.units import set_unit_active
from wanmi.node.recorded import register_recorded
from wanmi.registry import AdminResult, NodeContext, Progress, Registry

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]


def register_people(to: Registry) -> None:
    """Register the rights, the kinds that tell of changed settings, and the actions."""
    register_rights(to)
    register_recorded(to)
    to.action("people.units", _units, help="the units with their people")
    to.action("people.unit_add", _add_unit, help="add a unit")
    to.action("people.unit_active", _unit_active, help="open a unit for people, or close it")
    to.action("people.unit", _set_unit, help="put a person into a unit, or into none")
    to.action("people.shifts", _shifts, help="the shifts of a time")
    to.action("people.shift_add", _add_shift, help="put a person on duty")
    to.action("people.shift_remove", _remove_shift, help="take a shift off the roster")
    to.action("people.locks", _locks, help="who is locked out")
    to.action("people.lock", _lock, help="lock a person out for a time")
    to.action("people.release", _release, help="open a login that was locked out")
    to.action("people.totp", _totp, help="whether a person has a second factor")
    to.action("people.totp_begin", _begin_totp, help="begin a person's second factor")
    to.action("people.totp_confirm", _confirm_totp, help="confirm it with a first code")
    to.action("people.totp_remove", _remove_totp, help="take a person's second factor away")
    to.action("people.sessions", _sessions, help="live sessions")
    to.action("people.session_end", _end_session, help="end a session")


def _units(node: NodeContext, _args: Args) -> Items:
    yield {"units": [asdict(unit) for unit in identity.list_units(node)]}


def _add_unit(node: NodeContext, args: Args) -> Items:
    yield asdict(identity.add_unit(node, code=_text(args, "code"), name=_text(args, "name")))


def _unit_active(node: NodeContext, args: Args) -> Items:
    set_unit_active(node, _text(args, "code"), bool(args.get("active")))
    yield {"code": args["code"], "active": bool(args.get("active"))}


def _set_unit(node: NodeContext, args: Args) -> Items:
    code = args.get("code")
    identity.set_unit(node, _text(args, "login"), str(code) if code else None)
    yield {"login": args["login"], "unit": str(code) if code else None}


def _shifts(node: NodeContext, args: Args) -> Items:
    yield {"shifts": [asdict(s) for s in identity.list_shifts(node, _number(args, "since"), _number(args, "until"))]}


def _add_shift(node: NodeContext, args: Args) -> Items:
    shift = identity.add_shift(
        node,
        login=_text(args, "login"),
        post=_text(args, "post"),
        starts_at=_number(args, "starts_at"),
        ends_at=_number(args, "ends_at"),
    )
    yield asdict(shift)


def _remove_shift(node: NodeContext, args: Args) -> Items:
    identity.remove_shift(node, _text(args, "id"))
    yield {"id": args["id"]}


def _locks(node: NodeContext, _args: Args) -> Items:
    yield {"locks": [asdict(lock) for lock in list_locks(node)]}


def _lock(node: NodeContext, args: Args) -> Items:
    yield asdict(lock_person(node, _text(args, "login"), _number(args, "seconds"), str(args.get("reason") or "")))


def _release(node: NodeContext, args: Args) -> Items:
    release_person(node, _text(args, "login"))
    yield {"login": args["login"]}


def _totp(node: NodeContext, args: Args) -> Items:
    state = code_state(node, _person(node, args).id)
    yield {"login": args["login"], "second_factor": None if state is None else asdict(state)}


def _begin_totp(node: NodeContext, args: Args) -> Items:
    person = _person(node, args)
    key = begin_enrolment(node, person.id)
    uri = otpauth_uri(key, issuer=f"Wanmi {node.code}", account=person.login)
    yield {"login": person.login, "secret": secret_text(key), "uri": uri}


def _confirm_totp(node: NodeContext, args: Args) -> Items:
    yield {"recovery": list(confirm_enrolment(node, _person(node, args).id, _text(args, "code")))}


def _remove_totp(node: NodeContext, args: Args) -> Items:
    remove_code(node, _text(args, "login"))
    yield {"login": args["login"]}


def _sessions(node: NodeContext, args: Args) -> Items:
    person = _person(node, args).id if args.get("login") else None
    yield {"sessions": [asdict(one) for one in list_sessions(node, person)]}


def _end_session(node: NodeContext, args: Args) -> Items:
    revoke_session(node, _text(args, "id"))
    yield {"id": args["id"]}


def _person(node: NodeContext, args: Args) -> identity.Person:
    login = _text(args, "login")
    found = next((one for one in identity.list_people(node) if one.login == login), None)
    if found is None:
        raise NotFound(f"nobody here has the login {login[:60]}; `wanmi people list` shows who has one")
    return found


def _text(args: Args, name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(f"argument {name} is missing or no text")
    return value


def _number(args: Args, name: str) -> int:
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput(f"argument {name} is missing or no whole number")
    return value
