"""What is known of a node at this moment: how it is reached and its last answers. Data only."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from wanmi_tui.topics import OWN, Topic
from wanmi_tui.wire import Reach
from wanmi_tui.words import Lang, Text

Value = TypeVar("Value")
TAIL = 500
"""Entries of a journal's tail that are kept."""
SEEN = 240
"""Values of a reading that are kept for its trend."""


@dataclass(frozen=True)
class Answered(Generic[Value]):
    """A topic's last answer (None: none yet), and what is wrong with the newest: ``absent`` a route that is not there."""

    value: Value | None = None
    absent: bool = False
    problem: str = ""
    due: float = 0.0


@dataclass(frozen=True)
class TailLine:
    """An entry of a journal's tail; ``kind`` is empty where the node is not addressed."""

    seq: int
    at: int
    kind: str
    subject: str
    actor: str
    text: str
    hash: str


@dataclass
class NodeState:
    """A node as this program knows it. ``heard_at`` µs UTC by this machine's clock; ``retry`` seconds to the next try."""

    url: str
    reach: Reach = "connecting"
    why: Text | None = None
    facts: dict[str, object] = field(default_factory=dict)
    heard_at: int = 0
    failures: int = 0
    retry: float = 0.0
    hints: bool = False
    answers: dict[str, Answered[object]] = field(default_factory=dict)
    tail: deque[TailLine] = field(default_factory=lambda: deque(maxlen=TAIL))
    trends: dict[tuple[str, str, str], deque[float | None]] = field(default_factory=dict)

    def get(self, topic: Topic[Value]) -> Value | None:
        """The topic's last answer."""
        return cast("Answered[Value]", self.answers.get(topic.name, Answered())).value

    def answered(self, topic: Topic[Value]) -> Answered[Value]:
        """The topic's last answer with what is wrong."""
        return cast("Answered[Value]", self.answers.get(topic.name, Answered()))

    @property
    def code(self) -> str:
        """The node's code; its address until it has said who it is."""
        own = self.get(OWN)
        return own.code if own is not None else self.url.partition("://")[2]

    def why_in(self, lang: Lang) -> str:
        """Why it is not reached."""
        return self.why.to(lang, **self.facts) if self.why is not None else ""
