"""API tokens for machines: shown once when made, kept as hashes, with scopes.

A scope names one resource and what may be done with it (``cases:read``, ``hotline:events``): give a machine just
those. The wide ones hold many: ``read`` every scope that ends in ``:read``, ``write`` those and every other one,
``admin`` also what only administrators see.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import BigInteger, Connection, String, Text, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotFound
from wanmi.identity.people import Desk
from wanmi.models import Row, mark, table

Scope = str
Wide = Literal["read", "write", "admin"]
WIDE: tuple[Wide, ...] = get_args(Wide)
"""The scopes that hold others; each holds what stands before it."""
SCOPES: tuple[Scope, ...] = (
    *WIDE,
    "alarms:write",
    "cases:read",
    "cases:step",
    "codes:read",
    "devices:read",
    "devices:write",
    "evidence:read",
    "hotline:events",
    "hotline:read",
    "journal:read",
    "messages:read",
    "messages:write",
    "nodes:read",
    "orders:read",
    "orders:write",
    "people:read",
    "profile:read",
    "reports:write",
    "tasks:read",
    "tasks:write",
)
"""Every scope that the core knows; a plugin's rights may bring more."""
_SECRET = re.compile(r"wanmi_(t[0-9a-f]{12})_[A-Za-z0-9_-]{43}")


class TokenRow(Row):
    """A machine's token; ``digest`` is the SHA-256 of the secret, ``scopes`` a JSON list. Times µs UTC."""

    __tablename__ = "api_token"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(Text)
    made_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = mark("local")


@dataclass(frozen=True)
class Token:
    """A token as lists show it: never its secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    made_at: int
    expires_at: int | None
    revoked_at: int | None


@dataclass(frozen=True)
class NewToken:
    """A token just made: the only time that its secret is seen."""

    token: Token
    secret: str


def add_token(
    desk: Desk, *, name: str, scopes: Iterable[str], lifetime: int | None = None, more: Iterable[str] = ()
) -> NewToken:
    """Make a token for a machine; ``lifetime`` in seconds, None for ever. BadInput for an unknown scope.

    ``more``: scopes that plugins bring.
    """
    wanted = _check_scopes(scopes, sorted({*SCOPES, *more} - {""}, key=lambda one: (one not in WIDE, one)))
    if not name.strip():
        raise BadInput("a token needs a name that tells which machine holds it")
    now = desk.clock.now()
    expires_at = None if lifetime is None else now + lifetime * SECOND
    token = Token("t" + desk.ids.token(6).hex(), name.strip(), wanted, now, expires_at, None)
    secret = f"wanmi_{token.id}_{base64.urlsafe_b64encode(desk.ids.token(32)).rstrip(b'=').decode()}"
    row = {
        "id": token.id,
        "name": token.name,
        "digest": _digest(secret),
        "scopes": json.dumps(wanted),
        "made_at": now,
        "expires_at": expires_at,
    }

    def work(tx: Connection) -> None:
        tx.execute(insert(table(TokenRow)).values(row))

    desk.store.write(work).result()
    return NewToken(token, secret)


def revoke_token(desk: Desk, token_id: str) -> None:
    """The token is worthless from now on; NotFound for an unknown id. Revoking twice changes nothing."""
    tokens, now = table(TokenRow), desk.clock.now()

    def work(tx: Connection) -> None:
        if tx.execute(select(tokens.c.id).where(tokens.c.id == token_id)).one_or_none() is None:
            raise NotFound(f"token {token_id}: no such token; `wanmi token list` shows the ids")
        live = (tokens.c.id == token_id) & tokens.c.revoked_at.is_(None)
        tx.execute(update(tokens).where(live).values(revoked_at=now))

    desk.store.write(work).result()


def list_tokens(desk: Desk) -> list[Token]:
    """Every token ever made here, by id."""
    tokens = table(TokenRow)
    with desk.store.reader() as tx:
        return [_token(row) for row in tx.execute(select(tokens).order_by(tokens.c.id))]


def find_token(desk: Desk, secret: str) -> Token | None:
    """The live token with that secret; None when it is unknown, expired or revoked."""
    if not _SECRET.fullmatch(secret):
        return None
    digest = _digest(secret)
    kept = desk.store.kept("token", TokenRow)
    token: Token | None = kept.get(digest, desk.clock.monotonic(), lambda: _read_token(desk, digest))
    if token is None or token.revoked_at is not None:
        return None
    expired = token.expires_at is not None and token.expires_at <= desk.clock.now()
    return None if expired else token


def _read_token(desk: Desk, digest: str) -> Token | None:
    tokens = table(TokenRow)
    with desk.store.reader() as tx:
        row = tx.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
    return None if row is None else _token(row)


def scope_holds(held: Iterable[str], needed: Scope) -> bool:
    """Whether the scopes reach as far as the one needed: itself, or a wide one that holds it."""
    rank = WIDE.index(width_of(needed))
    return any(scope == needed or (scope in WIDE and WIDE.index(scope) >= rank) for scope in held)


def width_of(scope: Scope) -> Wide:
    """The least wide scope that holds a scope: read for ``…:read``, else write; admin only itself."""
    if scope in WIDE:
        return scope
    return "read" if scope.endswith(":read") else "write"


def _check_scopes(scopes: Iterable[str], known: list[str]) -> tuple[Scope, ...]:
    wanted = tuple(dict.fromkeys(scopes))
    if not wanted or any(scope not in known for scope in wanted):
        raise BadInput(f"scopes {', '.join(wanted) or '(none)'}: name at least one of {', '.join(known)}")
    return wanted


def _token(row: Any) -> Token:
    return Token(row.id, row.name, tuple(json.loads(row.scopes)), row.made_at, row.expires_at, row.revoked_at)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
