"""What people do with messages: look at them, send one again or drop it, try a channel, say who is on duty."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Literal, cast

from sqlalchemy import Connection

from wanmi.clock import SECOND, iso
from wanmi.codes import Lang
from wanmi.entries import Entry
from wanmi.errors import BadInput, Conflict
from wanmi.hookspecs import Actor
from wanmi.registry import AdminResult, Draft, NodeContext, Progress, Stored
from wanmi_messenger import outbox, roster
from wanmi_messenger.book import read_book
from wanmi_messenger.deciding import audience, running_book, write
from wanmi_messenger.facts import EXAMPLE, facts
from wanmi_messenger.kinds import BookActivated, MessageHandled
from wanmi_messenger.messenger import messenger_of
from wanmi_messenger.outbox import Message
from wanmi_messenger.settings import MessengerSettings
from wanmi_messenger.signing import rotate as rotate_secret
from wanmi_messenger.wording import render

Args = Mapping[str, Any]
Items = Iterator[Progress | AdminResult]
TEST = "message.test"
Act = Literal["resend", "drop"]


AlsoSent = Callable[[Connection, str], None]
"""Local writes with what was done to a message, given the id that it has now."""


def nothing_more(_tx: Connection, _id: str) -> None:
    """No more writes."""


def list_messages(node: NodeContext, args: Args) -> Items:
    """``message.list``: a page of messages, newest first, by ``state``, ``channel``, ``about``."""
    with node.store.reader() as tx:
        page = outbox.list_messages(
            tx,
            state=str(args.get("state") or ""),
            channel=str(args.get("channel") or ""),
            about=str(args.get("about") or ""),
            cursor=str(args.get("cursor") or ""),
            limit=int(args.get("limit") or 50),
        )
    yield {"messages": [asdict(one) for one in page.messages], "next": page.next}


def resend(node: NodeContext, args: Args) -> Items:
    """``message.resend``: send message ``id`` again at once."""
    yield {"id": send_again(node, str(args["id"]), None)}


def drop(node: NodeContext, args: Args) -> Items:
    """``message.drop``: no more tries of message ``id``."""
    drop_message(node, str(args["id"]), None)
    yield {"id": args["id"]}


def test(node: NodeContext, args: Args) -> Items:
    """``message.test``: queue a test message to ``address`` by ``channel``, to see that it arrives."""
    channel, address, lang = str(args["channel"]), str(args["address"]), str(args.get("lang") or "zh")
    (to,) = roster.read_addresses(f"person,channel,address,lang\ntest,{channel},{address},{lang}\n")
    decision = f"test:{node.ids.token(8).hex()}"
    entry = Entry(1, node.code, 0, node.clock.now(), "*", TEST, 1, decision, 0, None, "", None, {}, "")
    message = write(node, running_book(node), "test", to, decision, entry, None)
    if message.lane not in open_lanes(node):
        raise BadInput(f"channel {message.lane} is not in the settings; add it to [messenger] in node.toml")
    node.store.write(lambda tx: outbox.add(tx, [message])).result()
    messenger_of(node).wake()
    yield {"id": message.id}


def load_addresses(node: NodeContext, args: Args) -> Items:
    """``message.addresses``: the addresses of CSV ``text`` and no others."""
    found = roster.read_addresses(str(args["text"]))
    node.store.write(lambda tx: roster.replace_addresses(tx, found)).result()
    yield {"addresses": len(found)}


def load_roster(node: NodeContext, args: Args) -> Items:
    """``message.roster``: the duties of CSV ``text`` from now on."""
    found, now = roster.read_roster(str(args["text"])), node.clock.now()
    yield {"duties": node.store.write(lambda tx: roster.replace_roster(tx, found, now)).result()}


def on_duty(node: NodeContext, args: Args) -> Items:
    """``message.on_duty``: who is on duty at ``at`` (µs UTC, now when left out), by ``post`` and ``unit``."""
    at = int(args.get("at") or node.clock.now())
    with node.store.reader() as tx:
        found = roster.on_duty(tx, at, str(args.get("post") or ""), str(args.get("unit") or ""))
    yield {"at": at, "duties": [asdict(one) for one in found]}


def show_book(node: NodeContext, _args: Args) -> Items:
    """``message.book``: the book that holds now."""
    book = running_book(node)
    yield {"version": book.version, "digest": book.digest, "text": book.text}


def activate_book(node: NodeContext, args: Args) -> Items:
    """``message.activate``: the rules and templates of TOML ``text`` hold from now on (an entry says so)."""
    text = str(args["text"])
    read_book(text)
    body = BookActivated(hashlib.sha256(text.encode()).hexdigest(), text)
    (stored,) = node.journal.append(Draft("message.book_activated", book_subject(node), body, audience(node))).result()
    yield {"version": _version(stored), "digest": body.digest}


def preview(node: NodeContext, args: Args) -> Items:
    """``message.preview``: what ``template`` says in ``lang`` about an example, of TOML ``text`` or of the book."""
    book = read_book(str(args["text"])) if args.get("text") else running_book(node)
    lang = cast(Lang, args.get("lang") or "zh")
    words = book.template(str(args["template"]), lang)
    about = f"case:{EXAMPLE['number']}"
    values = facts(node, "case.stepped", about, node.clock.now(), EXAMPLE, None, lang)
    yield {"title": render(words.subject, values), "text": render(words.text, values).strip()}


def rotate(node: NodeContext, args: Args) -> Items:
    """``message.rotate``: a new secret for webhook ``name``; the one before signs too for ``overlap`` seconds."""
    settings, name = node.settings.section("messenger", MessengerSettings), str(args["name"])
    if name not in settings.webhooks:
        raise BadInput(f"no webhook {name} is in the settings; there are {', '.join(settings.webhooks) or 'none'}")
    overlap = int(args.get("overlap", 86_400))
    if not 0 <= overlap <= 30 * 86_400:
        raise BadInput("overlap: 0 to 30 days, in seconds")
    now = node.clock.now()
    secret = rotate_secret(node.dir / settings.webhooks[name].secret_file, node.ids, now, overlap)
    yield {"secret": secret.text, "old_until": iso(now + overlap * SECOND)}


def send_again(node: NodeContext, id: str, actor: Actor | None, also: AlsoSent = nothing_more) -> str:
    """Send a message again at once, and journal who asked; with the writes of ``also``. Returns the id that is sent."""
    now, tries = node.clock.now(), node.settings.section("messenger", MessengerSettings).tries
    new_id = "msg_" + node.ids.token(13).hex()

    def work(tx: Connection) -> str:
        sent = outbox.resend(tx, id, now, tries, new_id)[1]
        also(tx, sent)
        return sent

    with node.store.reader() as tx:
        before = outbox.find(tx, id)
    sent = _handled(node, before, "resend", new_id if before.state == "sent" else None, actor, work)
    messenger_of(node).wake()
    return sent


def drop_message(node: NodeContext, id: str, actor: Actor | None, also: AlsoSent = nothing_more) -> None:
    """Have no more tries of a message, and journal who asked; with the writes of ``also``."""
    now = node.clock.now()

    def work(tx: Connection) -> str:
        outbox.drop(tx, id, now)
        also(tx, id)
        return id

    with node.store.reader() as tx:
        before = outbox.find(tx, id)
    _handled(node, before, "drop", None, actor, work)


def open_lanes(node: NodeContext) -> list[str]:
    """The lanes that the settings have."""
    settings = node.settings.section("messenger", MessengerSettings)
    lanes = [channel for channel in ("smtp", "sms") if getattr(settings, channel) is not None]
    return [*lanes, *(f"webhook:{name}" for name in settings.webhooks)]


def book_subject(node: NodeContext) -> str:
    """The subject of this node's books."""
    return f"message:book:{node.code}"


def _handled(
    node: NodeContext,
    before: Message,
    act: Act,
    copy: str | None,
    actor: Actor | None,
    work: Callable[[Connection], str],
) -> str:
    """The outbox's change and its entry in one transaction; Conflict when the message moved on meanwhile."""
    body = MessageHandled(before.id, act, before.channel, before.state, copy)
    draft = Draft("message.handled", f"message:{before.id}", body, audience(node), actor=actor.id if actor else None)
    done: list[str] = []

    def also(tx: Connection, _: list[Stored]) -> None:
        now_state = outbox.find(tx, before.id).state
        if now_state != before.state:
            raise Conflict(f"message {before.id} was {before.state} and is {now_state} now; look again")
        done.append(work(tx))

    node.journal.append(draft, also=also).result()
    return done[-1]


def _version(stored: Stored) -> int:
    if stored.entry is None:
        raise BadInput("the entry is not addressed to this node")
    return stored.entry.version


ACTIONS = (
    ("message.list", list_messages, "messages of the outbox, newest first"),
    ("message.resend", resend, "send a message again at once"),
    ("message.drop", drop, "have no more tries of a message"),
    ("message.test", test, "queue a test message to an address"),
    ("message.addresses", load_addresses, "replace the addresses by those of a CSV text"),
    ("message.roster", load_roster, "replace the roster from now on by that of a CSV text"),
    ("message.on_duty", on_duty, "who is on duty at a time"),
    ("message.book", show_book, "the rules and templates that hold now"),
    ("message.activate", activate_book, "activate a book of rules and templates"),
    ("message.preview", preview, "what a template says about an example"),
    ("message.rotate", rotate, "make a webhook's new signing secret"),
)
"""Name, function and help of each admin action."""
