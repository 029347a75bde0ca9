"""Second factors of people: a secret for one-time codes, confirmed by a first code, and recovery codes used once each.

The secret is kept encrypted with the node's local key, the recovery codes as hashes; none of them is ever journaled.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import BigInteger, Connection, LargeBinary, String, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound
from wanmi.identity.people import Desk
from wanmi.identity.sessions import end_sessions_of
from wanmi.identity.totp import SECRET_BYTES, fitting_step
from wanmi.identity.units import person_id
from wanmi.models import Row, mark, table

if TYPE_CHECKING:
    from wanmi.identity.keys import NodeKeys

RECOVERY_CODES = 10
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_DOMAIN = b"wanmi/recovery/1\n"
_SECRET_DOMAIN = b"wanmi/totp/1\n"
NEVER = -1


class CodeDesk(Desk, Protocol):
    """What second factors need of a node besides: its local key."""

    keys: NodeKeys


class CodeRow(Row):
    """A person's secret, encrypted; ``confirmed_at`` 0 until a first code fitted; ``last_step`` is used up. µs UTC."""

    __tablename__ = "person_code"
    person: Mapped[str] = mapped_column(String(40), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[int] = mapped_column(BigInteger)
    confirmed_at: Mapped[int] = mapped_column(BigInteger)
    last_step: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = mark("local")


class RecoveryRow(Row):
    """A recovery code that is still good: the SHA-256 of its 80 random bits."""

    __tablename__ = "recovery_code"
    person: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    __table_args__ = mark("local")


@dataclass(frozen=True)
class CodeState:
    """Whether a person has a second factor, since when (µs UTC), and how many recovery codes are left."""

    confirmed_at: int
    recovery_left: int


def begin_enrolment(desk: CodeDesk, person: str) -> bytes:
    """The secret that a person (by id) is to put into their app, made anew unless one waits to be confirmed.

    Conflict when they have a second factor already: an administrator takes it away first.
    """
    fresh, now = desk.ids.token(SECRET_BYTES), desk.clock.now()

    def work(tx: Connection) -> bytes:
        row = _row(tx, person)
        if row is not None and row.confirmed_at:
            raise Conflict("there is a second factor already; an administrator can take it away")
        if row is not None:
            return _open(desk, person, row.secret)
        sealed = _seal(desk, person, fresh)
        tx.execute(
            insert(table(CodeRow)).values(person=person, secret=sealed, made_at=now, confirmed_at=0, last_step=NEVER)
        )
        return fresh

    return desk.store.write(work).result()


def confirm_enrolment(desk: CodeDesk, person: str, code: str) -> tuple[str, ...]:
    """Confirm with a first code; returns the recovery codes, the only time that they are seen.

    NotAllowed when the code does not fit, NotFound when nothing was begun.
    """
    recovery, now = tuple(_new_code(desk) for _ in range(RECOVERY_CODES)), desk.clock.now()

    def work(tx: Connection) -> None:
        row = _row(tx, person)
        if row is None or row.confirmed_at:
            raise NotFound("no second factor waits to be confirmed; begin again")
        step = fitting_step(_open(desk, person, row.secret), _plain(code), now, row.last_step)
        if step is None:
            raise NotAllowed("the code does not fit; look whether the phone's clock is right, and take the next one")
        codes = table(CodeRow)
        tx.execute(update(codes).where(codes.c.person == person).values(confirmed_at=now, last_step=step))
        tx.execute(delete(table(RecoveryRow)).where(table(RecoveryRow).c.person == person))
        tx.execute(insert(table(RecoveryRow)), [{"person": person, "digest": _digest(one)} for one in recovery])

    desk.store.write(work).result()
    return recovery


def take_code(desk: CodeDesk, person: str, given: str) -> bool:
    """Whether a code (of the app, or a recovery code) fits; it is used up with that, also for tries at the same time."""
    now, plain = desk.clock.now(), _plain(given)

    def work(tx: Connection) -> bool:
        row = _row(tx, person)
        if row is None or not row.confirmed_at:
            return False
        step = fitting_step(_open(desk, person, row.secret), plain, now, row.last_step)
        if step is not None:
            tx.execute(update(table(CodeRow)).where(table(CodeRow).c.person == person).values(last_step=step))
            return True
        spent = table(RecoveryRow).c
        of_it = (spent.person == person) & (spent.digest == _digest(plain))
        return tx.execute(delete(table(RecoveryRow)).where(of_it)).rowcount == 1

    return desk.store.write(work).result()


def code_state(desk: Desk, person: str) -> CodeState | None:
    """A person's second factor (by id); None when there is none that was confirmed."""
    with desk.store.reader() as tx:
        row = _row(tx, person)
        left = select(func.count()).select_from(table(RecoveryRow)).where(table(RecoveryRow).c.person == person)
        if row is None or not row.confirmed_at:
            return None
        return CodeState(row.confirmed_at, int(tx.execute(left).scalar_one()))


def remove_code(desk: Desk, login: str) -> None:
    """Take a person's second factor away (a lost phone) and end their sessions; NotFound for an unknown login."""

    def work(tx: Connection) -> None:
        person = person_id(tx, login)
        tx.execute(delete(table(CodeRow)).where(table(CodeRow).c.person == person))
        tx.execute(delete(table(RecoveryRow)).where(table(RecoveryRow).c.person == person))
        end_sessions_of(tx, person)

    desk.store.write(work).result()


def _row(tx: Connection, person: str) -> Any:
    codes = table(CodeRow)
    return tx.execute(select(codes).where(codes.c.person == person)).one_or_none()


def _plain(code: str) -> str:
    """A code as it is compared: blanks and hyphens out, letters large; nothing of a length that no code has."""
    plain = code.replace(" ", "").replace("-", "").upper() if len(code) <= 60 else ""
    return plain if plain.isascii() else ""


def _new_code(desk: Desk) -> str:
    """80 random bits in groups: ABCD-EFGH-JKLM-NPQR."""
    text = base64.b32encode(desk.ids.token(10)).decode()
    plain = text.translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _ALPHABET))
    return "-".join(plain[at : at + 4] for at in range(0, 16, 4))


def _digest(code: str) -> str:
    return hashlib.sha256(_DOMAIN + code.replace("-", "").encode()).hexdigest()


def _seal(desk: CodeDesk, person: str, secret: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = desk.ids.token(12)
    return nonce + ChaCha20Poly1305(desk.keys.local).encrypt(nonce, secret, _SECRET_DOMAIN + person.encode())


def _open(desk: CodeDesk, person: str, sealed: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        return ChaCha20Poly1305(desk.keys.local).decrypt(sealed[:12], sealed[12:], _SECRET_DOMAIN + person.encode())
    except InvalidTag:
        raise BadInput(
            "the second factor was sealed with another local key; an administrator takes it away: wanmi people totp"
        ) from None
