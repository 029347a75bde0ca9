"""/api/v1/messages: the outbox, sending one again, dropping it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request

from wanmi.registry import NodeContext
from wanmi.web import Keeping, Once, caller_of, needs
from wanmi.web.bounds import Id
from wanmi_messenger import outbox
from wanmi_messenger.actions import AlsoSent, drop_message, send_again
from wanmi_messenger.shown import READ, SEND, MessageOut, message_out

StateName = Literal["", "planned", "queued", "sending", "sent", "failed", "dead"]
ChannelName = Literal["", "smtp", "sms", "webhook"]


@dataclass(frozen=True)
class MessagesOut:
    """A page of messages; ``next`` is the cursor of the following page."""

    messages: list[MessageOut]
    next: str | None


@dataclass(frozen=True)
class QueuedOut:
    """The id of the message that is sent: the same one, or the copy of one that was sent already."""

    id: Id


def _keep(once: Once) -> AlsoSent:
    return lambda tx, id: once.keep(tx, QueuedOut(id))


def build_api(node: NodeContext) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["messages"])

    @router.get("")
    @needs(READ)
    def messages(
        state: StateName = "",
        channel: ChannelName = "",
        about: Annotated[str, Query(max_length=300, description="a subject, such as case:NUMBER")] = "",
        cursor: Annotated[str, Query(max_length=80)] = "",
        limit: Annotated[int, Query(ge=1, le=outbox.MOST)] = 50,
    ) -> MessagesOut:
        """Messages, newest first. Follow ``next`` to the last page."""
        with node.store.reader() as tx:
            page = outbox.list_messages(tx, state=state, channel=channel, about=about, cursor=cursor, limit=limit)
        return MessagesOut([message_out(one) for one in page.messages], page.next)

    @router.get("/{id}")
    @needs(READ)
    def message(id: Id) -> MessageOut:
        """One message."""
        with node.store.reader() as tx:
            return message_out(outbox.find(tx, id))

    @router.post("/{id}/resend")
    @needs(SEND)
    def resend(request: Request, once: Keeping, id: Id) -> QueuedOut:
        """Send it again at once; 409 while it is under way."""
        return QueuedOut(send_again(node, id, caller_of(request).actor, _keep(once)))

    @router.post("/{id}/drop")
    @needs(SEND)
    def drop(request: Request, once: Keeping, id: Id) -> QueuedOut:
        """Have no more tries of it; 409 unless it waits."""
        drop_message(node, id, caller_of(request).actor, _keep(once))
        return QueuedOut(id)

    return router
