"""Views of sealed data are journaled: who opened what, in which post, once an hour for each actor, subject and way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Connection, String, Text, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from wanmi.clock import SECOND
from wanmi.kinds import SealedViewed
from wanmi.models import Row, mark, table
from wanmi.registry import Draft, Stored

if TYPE_CHECKING:
    from wanmi.hookspecs import Actor
    from wanmi.registry import NodeContext

HOUR = 3600 * SECOND
_KEPT_HOURS = 48
OPENED = "opened"


class ViewRow(Row):
    """Views of the last days: what is journaled already. ``hour`` counts from 1970, UTC; ``subject`` ends with the way, if any."""

    __tablename__ = "sealed_view"
    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    actor: Mapped[str] = mapped_column(String(60), primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    __table_args__ = mark("local")


def note_view(node: NodeContext, actor: Actor, *, blobs: Sequence[str], subject: str, why: str = OPENED) -> bool:
    """Journal that somebody opens blobs, durably before this returns; False when this hour's view is there already.

    ``subject`` is what they belong to (empty: the first blob itself), ``why`` a word for how they are shown.

    Call it in a thread, before the content is given out: a view that cannot be journaled must not happen.
    """
    hour, of = node.clock.now() // HOUR, subject or f"blob:{blobs[0]}"
    views, kept = table(ViewRow), of if why == OPENED else f"{of} {why}"
    known = (views.c.hour == hour) & (views.c.actor == actor.id) & (views.c.subject == kept)
    with node.store.reader() as tx:
        if tx.execute(select(views.c.hour).where(known)).first() is not None:
            return False
    body = SealedViewed(list(blobs), of, why, actor.post)
    audience = (node.parent or node.code,)
    draft = Draft("sealed.viewed", f"viewed:{of}", body, audience=audience, actor=actor.id)
    try:
        node.journal.append(draft, also=_remember(hour, actor.id, kept)).result()
    except IntegrityError:
        return False
    return True


def _remember(hour: int, actor: str, subject: str) -> Callable[[Connection, list[Stored]], None]:
    """Remember the view with its entry; a second one of the same hour fails here, and its entry with it."""

    def work(tx: Connection, _stored: list[Stored]) -> None:
        views = table(ViewRow)
        tx.execute(delete(views).where(views.c.hour < hour - _KEPT_HOURS))
        tx.execute(insert(views).values(hour=hour, actor=actor, subject=subject))

    return work
