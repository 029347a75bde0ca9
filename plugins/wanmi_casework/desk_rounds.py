"""The rounds of an ask: decide, append, and decide again on the case as it is when somebody was faster.

Written once for threads and for the event loop: ``rounds`` yields what to append and is told what became of it, and
``play`` and ``play_async`` do the appending.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from wanmi.errors import Conflict, WanmiError
from wanmi.registry import Draft, Stored
from wanmi.store import Store
from wanmi_casework.desk_keys import AskKey, earlier_answer

TRIES = 5


@dataclass(frozen=True)
class Made:
    """What an ask made: (subject, version) pairs, and the entries unless it made them earlier under the same key."""

    pairs: tuple[tuple[str, int], ...]
    stored: tuple[Stored, ...] = ()


Rounds = Generator[list[Draft], list[Stored], Made]


def rounds(store: Store, ask: AskKey, deciding: Callable[[bool], list[Draft]]) -> Rounds:
    """Yield what ``deciding`` drafts until it is written; or what the same ask made before.

    ``deciding(fresh)`` may first work on what is at hand; who is refused or beaten by another writer then is asked
    again on the case as it is: an ask that named the version it looked at is told who was first.
    """
    if ask.key:
        ask.check()
    for attempt in range(1, TRIES + 1):
        earlier = earlier_answer(store, ask) if ask.key else None
        if earlier is not None:
            return Made(tuple(earlier))
        try:
            stored = yield deciding(attempt > 1)
        except (WanmiError, IntegrityError) as error:
            if attempt == TRIES or (attempt > 1 and isinstance(error, WanmiError) and not is_race(error)):
                raise
            continue
        pairs = tuple((one.entry.subject, one.entry.version) for one in stored if one.entry is not None)
        return Made(pairs, tuple(stored))
    raise Conflict("the case changes faster than it can be worked; look at it again")


def play(asked: Rounds, append: Callable[[list[Draft]], list[Stored]]) -> Made:
    """Play the rounds in a thread."""
    try:
        drafts = next(asked)
        while True:
            try:
                stored = append(drafts)
            except (WanmiError, IntegrityError) as error:
                drafts = asked.throw(error)
            else:
                drafts = asked.send(stored)
    except StopIteration as end:
        return _made(end)


async def play_async(asked: Rounds, append: Callable[[list[Draft]], Awaitable[list[Stored]]]) -> Made:
    """Play the rounds in the event loop."""
    try:
        drafts = next(asked)
        while True:
            try:
                stored = await append(drafts)
            except (WanmiError, IntegrityError) as error:
                drafts = asked.throw(error)
            else:
                drafts = asked.send(stored)
    except StopIteration as end:
        return _made(end)


def is_race(error: WanmiError) -> bool:
    """Whether the journal refused because another entry came in between (then it is decided anew)."""
    return isinstance(error, Conflict) and "somebody else wrote first" in str(error)


def _made(end: StopIteration) -> Made:
    made = end.value
    assert isinstance(made, Made)  # noqa: S101 - what rounds return
    return made
