"""The outbox: every message with its state, a local table that only these functions write.

planned -> queued -> sending -> sent
                        |-> failed (is tried again at next_at) -> sending …
                        `-> dead (no more tries; a person may have it sent again)

``planned``: the deciding entry is not durable yet. ``sending`` is durable before the first byte leaves, ``sent``
is written only after the peer said so; what a crash left in ``sending`` is tried again with the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, Select, delete, func, select, tuple_, update

from wanmi.clock import SECOND
from wanmi.codes import Lang
from wanmi.errors import BadInput, Conflict, NotFound
from wanmi.models import table
from wanmi.store import insert_rows
from wanmi_messenger.book import Channel
from wanmi_messenger.rows import MessageRow

State = Literal["planned", "queued", "sending", "sent", "failed", "dead"]
STATES: tuple[State, ...] = ("planned", "queued", "sending", "sent", "failed", "dead")
WAITING = ("queued", "failed")
MOST = 500
"""Messages on one page at most."""
_ROW = table(MessageRow)
DAY = 86_400 * SECOND


@dataclass(frozen=True)
class Message:
    """A message as the outbox holds it; the columns are told in ``MessageRow``."""

    id: str
    decision: str
    rule: str
    about: str
    event: str
    template: str
    book: int
    person: str
    channel: Channel
    lane: str
    address: str
    lang: Lang
    title: str
    text: str
    urgent: bool
    state: State
    made_at: int
    next_at: int
    tried_at: int = 0
    done_at: int = 0
    tries: int = 0
    budget: int = 0
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a try ended: ``sent`` (the peer said so), ``again``, or ``never`` (no further try would help).

    ``code`` is a word without personal data, ``reason`` the peer's words. ``asked`` are the seconds of its Retry-After;
    with ``holds`` it means everybody, so that the lane pauses.
    """

    end: Literal["sent", "again", "never"]
    code: str
    reason: str = ""
    asked: int | None = None
    holds: bool = False


@dataclass(frozen=True)
class Page:
    """Messages, newest first; ``next`` is the cursor of the following page, None on the last one."""

    messages: tuple[Message, ...]
    next: str | None


def message_id(node: str, decision: str, person: str, channel: str) -> str:
    """The id of a message: the same whenever the same is decided again."""
    return "msg_" + hashlib.sha256(f"{node}\n{decision}\n{person}\n{channel}".encode()).hexdigest()[:26]


def lane_of(channel: Channel, address: str) -> str:
    """What sends the message: one lane a channel, and one a webhook endpoint, so that a slow one stops no other."""
    return f"webhook:{address}" if channel == "webhook" else channel


def plan(tx: Connection, decision: str, messages: Sequence[Message]) -> None:
    """Put down what is about to be decided, in place of an earlier attempt to decide it."""
    tx.execute(delete(_ROW).where(_ROW.c.decision == decision, _ROW.c.state == "planned"))
    ids = [one.id for one in messages]
    there = set(tx.execute(select(_ROW.c.id).where(_ROW.c.id.in_(ids))).scalars())
    add(tx, [one for one in messages if one.id not in there])


def add(tx: Connection, messages: Sequence[Message]) -> None:
    """Insert messages as they are."""
    names = [column.name for column in _ROW.columns]
    insert_rows(tx, MessageRow, [tuple(_cell(getattr(one, name)) for name in names) for one in messages])


def release(tx: Connection, decisions: Sequence[str]) -> int:
    """The decisions are durable: their messages may leave."""
    query = update(_ROW).where(_ROW.c.decision.in_(decisions), _ROW.c.state == "planned").values(state="queued")
    return tx.execute(query).rowcount


def recover(tx: Connection, now: int) -> int:
    """What a crash left in ``sending`` is tried again, with the same id: nobody knows whether the peer has it."""
    values = {"state": "failed", "next_at": now, "code": "interrupted", "reason": "the node stopped while it was sent"}
    return tx.execute(update(_ROW).where(_ROW.c.state == "sending").values(**values)).rowcount


def claim(tx: Connection, lane: str, now: int, *, urgent_only: bool) -> Message | None:
    """The next message of a lane that is due, marked ``sending``: nobody else gets it. None: nothing is due."""
    query = select(_ROW).where(_ROW.c.lane == lane, _ROW.c.state.in_(WAITING), _ROW.c.next_at <= now)
    if urgent_only:
        query = query.where(_ROW.c.urgent == 1)
    row = tx.execute(query.order_by(_ROW.c.urgent.desc(), _ROW.c.next_at, _ROW.c.made_at, _ROW.c.id).limit(1)).first()
    if row is None:
        return None
    claimed = replace(_message(row), state="sending", tries=row.tries + 1, tried_at=now)
    tx.execute(_one(row.id).values(state="sending", tries=claimed.tries, tried_at=now))
    return claimed


def settle(tx: Connection, message: Message, outcome: Outcome, now: int, wait: int | None) -> None:
    """Write down how a try ended; ``wait`` seconds to the next one, None: it was the last."""
    told = {"code": outcome.code[:60], "reason": outcome.reason.replace("\x00", "")[:300]}
    if outcome.end == "sent":
        values: dict[str, object] = {"state": "sent", "done_at": now, **told}
    elif wait is None:
        values = {"state": "dead", "done_at": now, **told}
    else:
        values = {"state": "failed", "next_at": now + wait * SECOND, **told}
    tx.execute(_one(message.id).where(_ROW.c.state == "sending").values(**values))


def resend(tx: Connection, id: str, now: int, tries: int, new_id: str) -> tuple[Message, str]:
    """Let a message be sent again at once, with ``tries`` more tries; returns it as it was, and the id that is sent.

    One that failed or died keeps its id. Of one that was sent a copy with ``new_id`` is sent: its peer would
    drop the old id. Conflict while it is under way.
    """
    message = find(tx, id)
    if message.state == "sent":
        copy = replace(message, id=new_id, state="queued", made_at=now, next_at=now, tried_at=0, done_at=0, tries=0,
                       budget=tries, code="", reason="")  # fmt: skip
        add(tx, [copy])
        return message, new_id
    if message.state in ("planned", "sending"):
        raise Conflict(f"message {id} is {message.state}; wait until the try has ended")
    tx.execute(_one(id).values(state="queued", next_at=now, done_at=0, budget=message.tries + tries))
    return message, id


def drop(tx: Connection, id: str, now: int) -> Message:
    """Have no more tries: the message is dead. Conflict for one that is under way or done. Returns it as it was."""
    message = find(tx, id)
    if message.state not in WAITING:
        raise Conflict(f"message {id} is {message.state}; only one that waits can be dropped")
    tx.execute(_one(id).values(state="dead", done_at=now, code="dropped", reason="dropped by a person"))
    return message


def find(tx: Connection, id: str) -> Message:
    """A message; NotFound when there is none."""
    row = tx.execute(select(_ROW).where(_ROW.c.id == id)).first()
    if row is None:
        raise NotFound(f"no message {id} is in the outbox; `wanmi messages list` shows what is")
    return _message(row)


def list_messages(
    tx: Connection, *, state: str = "", channel: str = "", about: str = "", cursor: str = "", limit: int = 50
) -> Page:
    """A page of messages, newest first; BadInput for a bad filter, cursor or limit."""
    if not 1 <= limit <= MOST:
        raise BadInput(f"limit {limit}: must be 1 to {MOST}")
    if state and state not in STATES:
        raise BadInput(f"state {state!r}: is one of {', '.join(STATES)}")
    query = select(_ROW).order_by(_ROW.c.made_at.desc(), _ROW.c.id.desc()).limit(limit + 1)
    for column, wanted in ((_ROW.c.state, state), (_ROW.c.channel, channel), (_ROW.c.about, about)):
        query = query.where(column == wanted) if wanted else query
    rows = tx.execute(_after(query, cursor)).all()
    page = tuple(_message(row) for row in rows[:limit])
    return Page(page, f"{page[-1].made_at}.{page[-1].id}" if len(rows) > limit else None)


def purge(tx: Connection, before: int) -> int:
    """Forget what was done, or was never decided, before ``before`` (µs UTC)."""
    done = (_ROW.c.state.in_(("sent", "dead")), _ROW.c.done_at < before)
    gone = tx.execute(delete(_ROW).where(*done)).rowcount
    return gone + tx.execute(delete(_ROW).where(_ROW.c.state == "planned", _ROW.c.made_at < before)).rowcount


def tried_since(tx: Connection, lane: str, since: int) -> list[int]:
    """When a lane tried since then: what its cap must remember over a restart."""
    return list(tx.execute(select(_ROW.c.tried_at).where(_ROW.c.lane == lane, _ROW.c.tried_at > since)).scalars())


def counts(tx: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """By lane and state: how many messages, and when the oldest was made; finished ones left out but the dead."""
    query = select(_ROW.c.lane, _ROW.c.state, func.count(), func.min(_ROW.c.made_at)).where(_ROW.c.state != "sent")
    return {
        (lane, state): (n, oldest) for lane, state, n, oldest in tx.execute(query.group_by(_ROW.c.lane, _ROW.c.state))
    }


def failures(tx: Connection) -> list[tuple[str, str, int]]:
    """Lane, code and count of what failed or died, most first."""
    query = select(_ROW.c.lane, _ROW.c.code, func.count().label("n")).where(_ROW.c.state.in_(("failed", "dead")))
    ordered = query.group_by(_ROW.c.lane, _ROW.c.code).order_by(func.count().desc(), _ROW.c.lane, _ROW.c.code)
    return [(lane, code, n) for lane, code, n in tx.execute(ordered)]


def _after(query: Select[Any], cursor: str) -> Select[Any]:
    if not cursor:
        return query
    made_at, _, id = cursor.partition(".")
    if not (made_at.isascii() and made_at.isdigit() and len(made_at) < 18 and id):
        raise BadInput(f"cursor {cursor[:40]!r}: is not one that a page gave")
    return query.where(tuple_(_ROW.c.made_at, _ROW.c.id) < (int(made_at), id))


def _one(id: str) -> Any:
    return update(_ROW).where(_ROW.c.id == id)


def _message(row: Any) -> Message:
    return Message(**{**row._mapping, "urgent": bool(row.urgent)})


def _cell(value: object) -> object:
    return int(value) if isinstance(value, bool) else value
