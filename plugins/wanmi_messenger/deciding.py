"""The two reactors: entries decide messages, and a durable decision lets them leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection, select

from wanmi.entries import EVERYONE, Audience, Entry
from wanmi.errors import BadInput
from wanmi.journal import body_of
from wanmi.models import table
from wanmi.registry import Draft, NodeContext, Stored
from wanmi.store import upsert_rows
from wanmi_messenger import outbox
from wanmi_messenger.book import Book, Rule, first_book, read_book
from wanmi_messenger.facts import department_in, facts_of, units_of
from wanmi_messenger.kinds import BookActivated, MessageQueued
from wanmi_messenger.outbox import Message, lane_of, message_id
from wanmi_messenger.roster import Address, addresses_of, people_for
from wanmi_messenger.rows import BookRow
from wanmi_messenger.settings import MessengerSettings
from wanmi_messenger.wording import render

DECIDE = "messenger.decide"
RELEASE = "messenger.release"
HOUR = 3_600_000_000
"""Microseconds."""


@dataclass(frozen=True)
class Decision:
    """A rule on an entry, with the messages that it makes."""

    stored: Stored
    subject: str
    rule: Rule
    messages: tuple[Message, ...]


@dataclass
class Decider:
    """Decides; the counts since the start are for the health page."""

    counts: Counter[str] = field(default_factory=Counter)
    unheard: str = ""
    trouble: str = ""

    def decide(self, node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:
        """A draft of ``message.queued`` for each rule that fits an entry and reaches somebody.

        The messages are put down as ``planned`` before the entry is made and leave after it: a crash between
        decides the same again.
        """
        book, oldest = running_book(node), node.clock.now() - _settings(node).fresh_hours * HOUR
        decisions = [one for stored in batch for one in self._decisions(node, book, stored, oldest)]
        if decisions:
            node.store.write(lambda tx: _plan(tx, decisions)).result()
        self.counts["decided"] += len(decisions)
        return [(one.stored, _draft(node, book, one)) for one in decisions]

    def _decisions(self, node: NodeContext, book: Book, stored: Stored, oldest: int) -> Iterator[Decision]:
        entry = stored.entry
        if entry is None:
            return
        for rule in book.rules:
            if not rule.fits(entry.kind, entry.body, entry.origin == node.code):
                continue
            subject = f"message:{entry.origin}:{entry.seq}:{rule.name}"
            if entry.at < oldest:
                self.counts["stale"] += 1
            elif not node.journal.subject(subject):
                yield from self._decision(node, book, Decision(stored, subject, rule, ()), entry)

    def _decision(self, node: NodeContext, book: Book, bare: Decision, entry: Entry) -> Iterator[Decision]:
        rule = bare.rule
        units = department_in(entry.body) or departments_of(node, entry) or units_of(entry.body)
        with node.store.reader() as tx:
            people = set[str]().union(*(people_for(tx, to, entry.at, units) for to in rule.to))
            reached = [one for one in addresses_of(tx, people, list(rule.channels)) if _is_open(node, one)]
        if not reached:
            self.counts["unheard"] += 1
            self.unheard = rule.name
            return
        try:
            messages = [write(node, book, rule.template, to, bare.subject, entry, rule) for to in reached]
        except BadInput as error:
            self.trouble = f"rule {rule.name}: {error}"
            structlog.get_logger("wanmi.messenger").error("message_not_written", rule=rule.name, error=str(error))
            return
        yield Decision(bare.stored, bare.subject, rule, tuple(messages))


def release(node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:
    """This node's own decisions are durable now: their messages may leave. Makes no entries."""
    own = [one.entry.subject for one in batch if one.entry is not None and one.entry.origin == node.code]
    if own:
        node.store.write(lambda tx: outbox.release(tx, own)).result()
    return []


def departments_of(node: NodeContext, entry: Entry) -> tuple[str, ...]:
    """The department that a case was last dispatched to before this entry (which names none itself)."""
    for stored in reversed(node.journal.subject(entry.subject)):
        earlier = stored.entry
        if earlier is not None and earlier.origin == entry.origin and earlier.seq < entry.seq:
            found = department_in(earlier.body)
            if found:
                return found
    return ()


def write(
    node: NodeContext, book: Book, template: str, to: Address, decision: str, entry: Entry, rule: Rule | None
) -> Message:
    """The message to one address, in its language; BadInput when the template cannot be said."""
    now, words = node.clock.now(), book.template(template, to.lang)
    values = {**facts_of(node, entry, to.lang), "test": "" if rule else "test"}
    return Message(
        id=message_id(node.code, decision, to.person, to.channel),
        decision=decision,
        rule=rule.name if rule else "",
        about=entry.subject,
        event=entry.kind,
        template=template,
        book=book.version,
        person=to.person,
        channel=to.channel,
        lane=lane_of(to.channel, to.address),
        address=to.address,
        lang=to.lang,
        title=" ".join(render(words.subject, values).split())[:200],
        text=render(words.text, values).strip(),
        urgent=rule.urgent if rule else True,
        state="planned" if rule else "queued",
        made_at=now,
        next_at=now,
        budget=_settings(node).tries,
    )


def running_book(node: NodeContext) -> Book:
    """The book that holds now: the newest that this node activated, else the one that came with the program."""
    row = table(BookRow)
    query = select(row.c.version, row.c.text).where(row.c.node == node.code).order_by(row.c.version.desc()).limit(1)
    with node.store.reader() as tx:
        found = tx.execute(query).first()
    return first_book() if found is None else read_book(found.text, found.version)


def project_books(tx: Connection, entries: Sequence[Entry]) -> None:
    """The projection of ``message.book_activated``."""
    for entry in entries:
        body = body_of(entry, BookActivated)
        upsert_rows(tx, BookRow, [(entry.origin, entry.version, body.digest, body.text, entry.at)])


def audience(node: NodeContext) -> Audience:
    """Whoever reads this node's cases reads its decisions."""
    return (node.parent,) if node.parent is not None else EVERYONE


def _plan(tx: Connection, decisions: Sequence[Decision]) -> None:
    for one in decisions:
        outbox.plan(tx, one.subject, one.messages)


def _draft(node: NodeContext, book: Book, decision: Decision) -> Draft:
    messages, rule = decision.messages, decision.rule
    body = MessageQueued(
        rule=rule.name,
        about=messages[0].about,
        event=messages[0].event,
        template=rule.template,
        book=book.version,
        book_digest=book.digest,
        recipients=len({one.person for one in messages}),
        channels=dict(sorted(Counter(one.channel for one in messages).items())),
    )
    return Draft("message.queued", decision.subject, body, audience(node))


def _is_open(node: NodeContext, to: Address) -> bool:
    """Whether the settings have the channel."""
    settings = _settings(node)
    if to.channel == "webhook":
        return to.address in settings.webhooks
    return getattr(settings, to.channel) is not None


def _settings(node: NodeContext) -> MessengerSettings:
    return node.settings.section("messenger", MessengerSettings)
