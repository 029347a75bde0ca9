"""信使服务: what entries decide is told to people by mail, short message and webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi.hookspecs import hookimpl

if TYPE_CHECKING:
    from wanmi.registry import Registry


@hookimpl
def register(to: Registry) -> None:
    """Kinds, tables, reactors, the sending task, its health; actions, commands, the API and a page."""
    from wanmi_messenger import actions, kinds, rows
    from wanmi_messenger.api import build_api
    from wanmi_messenger.book import EVENTS
    from wanmi_messenger.commands import commands
    from wanmi_messenger.deciding import DECIDE, RELEASE, project_books
    from wanmi_messenger.messenger import PROBE, Messenger
    from wanmi_messenger.page import build_page
    from wanmi_messenger.settings import MessengerSettings
    from wanmi_messenger.shown import READ, READERS, SEND, SENDERS

    messenger = Messenger()
    to.section("messenger", MessengerSettings)
    to.entry_kind("message.queued", kinds.MessageQueued, zh="消息入队", en="Message queued")
    to.entry_kind("message.handled", kinds.MessageHandled, zh="消息人工处理", en="Message handled by a person")
    to.entry_kind("message.book_activated", kinds.BookActivated, zh="消息规则启用", en="Message book activated")
    to.tables(rows.AddressRow, rows.DutyRow, rows.MessageRow)
    to.projection("message_books", kinds=("message.book_activated",), rows=(rows.BookRow,), apply=project_books)
    to.reactor(DECIDE, kinds=EVENTS, decide=messenger.decide)
    to.reactor(RELEASE, kinds=("message.queued",), decide=messenger.release)
    to.task("messenger", messenger.run)
    to.probe(PROBE, messenger)
    for name, run, help in actions.ACTIONS:
        to.action(name, run, help=help)
    to.command("messages", commands, help="Messages to people: the outbox, addresses, the roster, the book.")
    to.right(READ, zh="看消息", en="Read messages", scope="messages:read", posts=READERS)
    to.right(SEND, zh="重发与放弃消息", en="Send messages again, drop them", scope="messages:write", posts=SENDERS)
    to.router("/api/v1/messages", build_api)
    to.router("", build_page)
    to.page("/messages", zh="信使", en="Messages", order=70)
