"""/api/v1: people, units, shifts, locks and sessions for administrators; one's own sessions and second factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from wanmi.errors import NotFound
from wanmi.identity import Shift, Unit, list_people, list_shifts, list_units, on_duty
from wanmi.identity.codes import begin_enrolment, code_state, confirm_enrolment, remove_code
from wanmi.identity.locks import LONGEST_LOCK, Lock, list_locks, lock_person, release_person
from wanmi.identity.sessions import SessionLine, list_sessions, revoke_session
from wanmi.identity.totp import otpauth_uri, qr_svg, secret_text
from wanmi.registry import NodeContext
from wanmi.web.bounds import Id
from wanmi.web.callers import Reading, needs
from wanmi.web.idempotency import Keeping

_MOST = 2**53 - 1


@dataclass(frozen=True)
class PersonOut:
    """A person; ``locked_until`` µs UTC or null, ``second_factor`` whether one is confirmed."""

    id: str
    login: str
    name: str
    posts: list[str]
    unit: str | None
    active: bool
    locked_until: int | None
    second_factor: bool


@dataclass(frozen=True)
class EnrolmentOut:
    """What an authenticator app needs: the secret in Base32, its address, and the address as a QR picture (SVG)."""

    secret: str
    uri: str
    svg: str


class LockIn(BaseModel):
    """For how long to lock somebody out, and why."""

    model_config = ConfigDict(extra="forbid")

    seconds: int = Field(ge=1, le=LONGEST_LOCK)
    reason: str = Field(default="", max_length=200)


class CodeIn(BaseModel):
    """A one-time code."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=60)


Time = Annotated[int, Query(ge=0, le=_MOST, description="µs UTC")]


def people_routes(node: NodeContext) -> APIRouter:
    """Routes under /api/v1 about people."""
    router = APIRouter(tags=["people"])
    _reading(router, node)
    _changing(router, node)
    return router


def _reading(router: APIRouter, node: NodeContext) -> None:
    @router.get("/people")
    @needs("people.read")
    def people(_caller: Reading) -> list[PersonOut]:
        """Everybody who may log in here, by login."""
        return people_out(node)

    @router.get("/units")
    @needs("people.read")
    def units(_caller: Reading) -> list[Unit]:
        """The departments with the logins of their people."""
        return list_units(node)

    @router.get("/shifts")
    @needs("people.read")
    def shifts(_caller: Reading, since: Time = 0, until: Time = _MOST) -> list[Shift]:
        """The shifts that touch a time."""
        return list_shifts(node, since, until)

    @router.get("/duty")
    @needs("duty.read")
    def duty(_caller: Reading, post: Id = "") -> list[Shift]:
        """Who is on duty now, in a post when one is named."""
        return on_duty(node, node.clock.now(), (post,) if post else ())

    @router.get("/people/locks")
    @needs("people.read")
    def locks(_caller: Reading) -> list[Lock]:
        """Who is locked out now."""
        return list_locks(node)


def _changing(router: APIRouter, node: NodeContext) -> None:
    @router.post("/people/{login}/lock")
    @needs("people.write")
    def lock(_caller: Reading, once: Keeping, login: Id, wanted: LockIn) -> Lock:
        """Lock somebody out for a time; their sessions end."""
        return lock_person(node, login, wanted.seconds, wanted.reason, once.keep)

    @router.post("/people/{login}/release", status_code=204, response_class=Response)
    @needs("people.write")
    def release(_caller: Reading, login: Id) -> None:
        """Open a login that was locked out."""
        release_person(node, login)

    @router.delete("/people/{login}/code", status_code=204, response_class=Response)
    @needs("people.write")
    def take_code_away(_caller: Reading, login: Id) -> None:
        """Take somebody's second factor away (a lost phone); their sessions end."""
        remove_code(node, login)

    @router.get("/people/sessions")
    @needs("people.write")
    def all_sessions(_caller: Reading) -> list[SessionLine]:
        """Every live session."""
        return list_sessions(node)

    @router.delete("/people/sessions/{session}", status_code=204, response_class=Response)
    @needs("people.write")
    def end_any(_caller: Reading, session: Id) -> None:
        """End a session."""
        revoke_session(node, session)


def self_routes(node: NodeContext) -> APIRouter:
    """Routes under /api/v1/self: what everybody may see and change of their own."""
    router = APIRouter(tags=["self"], prefix="/self")

    @router.get("/sessions")
    @needs("self")
    def sessions(caller: Reading) -> list[SessionLine]:
        """One's own live sessions."""
        return list_sessions(node, caller.actor.id)

    @router.delete("/sessions/{session}", status_code=204, response_class=Response)
    @needs("self")
    def end_own(caller: Reading, session: Id) -> None:
        """End one of one's own sessions."""
        revoke_session(node, session, caller.actor.id)

    @router.post("/code")
    @needs("self")
    def begin(caller: Reading) -> EnrolmentOut:
        """Begin to enrol a second factor; it counts once a first code has confirmed it."""
        return enrolment_out(node, caller.actor.id)

    @router.post("/code/confirm")
    @needs("self")
    def confirm(caller: Reading, given: CodeIn) -> list[str]:
        """Confirm with a first code; answers the recovery codes, the only time that they are seen."""
        return list(confirm_enrolment(node, caller.actor.id, given.code))

    return router


def people_out(node: NodeContext) -> list[PersonOut]:
    """Everybody with unit, lock and second factor."""
    unit_by_login = {login: unit.code for unit in list_units(node) for login in unit.members}
    until = {lock.login: lock.locked_until for lock in list_locks(node)}
    return [
        PersonOut(
            one.id,
            one.login,
            one.name,
            list(one.posts),
            unit_by_login.get(one.login),
            one.active,
            until.get(one.login),
            code_state(node, one.id) is not None,
        )
        for one in list_people(node)
    ]


def enrolment_out(node: NodeContext, person: str) -> EnrolmentOut:
    """The secret of a person (by id) as text, address and picture."""
    login = next((one.login for one in list_people(node) if one.id == person), "")
    if not login:
        raise NotFound("nobody here has this id; log in again")
    key = begin_enrolment(node, person)
    uri = otpauth_uri(key, issuer=f"Wanmi {node.code}", account=login)
    return EnrolmentOut(secret_text(key), uri, qr_svg(uri))
