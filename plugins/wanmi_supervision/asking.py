"""What people ask of orders. Data only; times µs UTC."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from wanmi.errors import BadInput
from wanmi.hookspecs import Actor
from wanmi.ids import ulid
from wanmi.order_kinds import Answer, Closing, Level, OrderKind, PressKind
from wanmi.registry import NodeContext

MOST_OPINION = 2000
MAX_KEY = 100


@dataclass(frozen=True)
class IssueAsk:
    """An order to give. ``case`` is the city's case (hand_down), ``district_case`` a district's (the others).

    ``district`` only where a person chooses it for a hand_down; ``key`` makes asking again answer the same order.
    """

    kind: OrderKind
    demand: str
    reply_by: int
    case: str | None = None
    district_case: str | None = None
    district: str = ""
    press: PressKind | None = None
    level: Level = "normal"
    key: str = ""


@dataclass(frozen=True)
class AnswerAsk:
    """A district's answer to an order."""

    order: str
    answer: Answer
    opinion: str


@dataclass(frozen=True)
class CloseAsk:
    """The city ends an order."""

    order: str
    district: str
    result: Closing
    opinion: str = ""


def check_words(what: str, words: str) -> None:
    """BadInput unless something is said, and not too much."""
    if not words.strip():
        raise BadInput(f"{what}: say it in words; they are empty")
    if len(words) > MOST_OPINION:
        raise BadInput(f"{what}: {len(words)} characters, at most {MOST_OPINION}")


def new_id(node: NodeContext, actor: Actor, key: str) -> str:
    """An id for an order or an ask; with a key the same one for the same actor each time."""
    if len(key) > MAX_KEY or not key.isprintable():
        raise BadInput(f"idempotency key {key[:40]!r}: at most {MAX_KEY} printable characters")
    if key:
        return sha256(f"{node.code}\n{actor.id}\n{key}".encode()).hexdigest()[:26]
    return ulid(node.clock.now(), node.ids)
