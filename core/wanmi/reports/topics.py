"""The MQTT topics between terminals and edges.

up    wanmi/v1/{terminal}/report                            one signed report
up    wanmi/v1/{terminal}/part/{digest}                     a whole part of at most 256 KiB
up    wanmi/v1/{terminal}/part/{digest}/{index}/{count}     one chunk of a larger part, index from 0
up    wanmi/v1/{terminal}/answer                            one signed answer to a task
up    wanmi/v1/{terminal}/seen                              which tasks are on the terminal's disk
up    wanmi/v1/{terminal}/track                             one signed batch of positions
up    wanmi/v1/{terminal}/status                            how the terminal is, signed
up    wanmi/v1/{terminal}/rotate                            a new key, signed by the old one and by itself
down  wanmi/v1/{terminal}/receipt                           the edge's answers
down  wanmi/v1/{terminal}/task                              one task, again until it was seen
down  wanmi/v1/{terminal}/key                               which key the edge holds for the terminal's, and whether to rotate it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from wanmi.errors import BadInput

CHUNK = 256 * 1024
"""Bytes of a chunk; every chunk but the last has exactly this size."""
MAX_CHUNKS = 64
REPORT_FILTER = "wanmi/v1/+/report"
PART_FILTER = "wanmi/v1/+/part/#"
ANSWER_FILTER = "wanmi/v1/+/answer"
SEEN_FILTER = "wanmi/v1/+/seen"
TRACK_FILTER = "wanmi/v1/+/track"
STATUS_FILTER = "wanmi/v1/+/status"
ROTATE_FILTER = "wanmi/v1/+/rotate"

FieldWord = Literal["answer", "seen", "track", "status", "rotate"]

_UP = re.compile(
    r"wanmi/v1/(?P<terminal>T[0-9]{6}-[0-9]{4,8})/"
    r"(?:(?P<word>report|answer|seen|track|status|rotate)|part/(?P<digest>[0-9a-f]{64})(?:/(?P<index>[0-9]{1,2})/(?P<count>[0-9]{1,2}))?)"
)


@dataclass(frozen=True)
class ReportTopic:
    """A report came up."""

    terminal: str


@dataclass(frozen=True)
class FieldTopic:
    """Something else of a terminal came up: an answer, what it has seen, where it was."""

    terminal: str
    what: FieldWord


@dataclass(frozen=True)
class PartTopic:
    """A part, or one chunk of it, came up; ``index`` counts from 0, ``count`` is 1 for a whole part."""

    terminal: str
    digest: str
    index: int = 0
    count: int = 1


def report_topic(terminal: str) -> str:
    """Where a terminal sends its reports."""
    return f"wanmi/v1/{terminal}/report"


def answer_topic(terminal: str) -> str:
    """Where a terminal sends its answers to tasks."""
    return f"wanmi/v1/{terminal}/answer"


def seen_topic(terminal: str) -> str:
    """Where a terminal says which tasks it holds."""
    return f"wanmi/v1/{terminal}/seen"


def track_topic(terminal: str) -> str:
    """Where a terminal sends its positions."""
    return f"wanmi/v1/{terminal}/track"


def status_topic(terminal: str) -> str:
    """Where a terminal says how it is."""
    return f"wanmi/v1/{terminal}/status"


def rotate_topic(terminal: str) -> str:
    """Where a terminal asks for a new key."""
    return f"wanmi/v1/{terminal}/rotate"


def key_topic(terminal: str) -> str:
    """Where a terminal hears which key is its own."""
    return f"wanmi/v1/{terminal}/key"


def task_topic(terminal: str) -> str:
    """Where a terminal hears its tasks."""
    return f"wanmi/v1/{terminal}/task"


def receipt_topic(terminal: str) -> str:
    """Where a terminal hears its receipts."""
    return f"wanmi/v1/{terminal}/receipt"


def part_topic(terminal: str, digest: str, index: int = 0, count: int = 1) -> str:
    """Where a terminal sends a part, or one of ``count`` chunks of it."""
    whole = f"wanmi/v1/{terminal}/part/{digest}"
    return whole if count == 1 else f"{whole}/{index}/{count}"


def chunks_of(content: bytes) -> list[bytes]:
    """The content cut into chunks; an empty content is one empty chunk."""
    return [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)] or [b""]


def parse_topic(topic: str) -> ReportTopic | PartTopic | FieldTopic:
    """What an upward topic says; raises BadInput."""
    match = _UP.fullmatch(topic)
    if match is None:
        raise BadInput(f"topic {topic[:120]!r} is none of a terminal's")
    terminal, digest = match["terminal"], match["digest"]
    if digest is None:
        word = match["word"]
        return ReportTopic(terminal) if word == "report" else FieldTopic(terminal, cast(FieldWord, word))
    if match["count"] is None:
        return PartTopic(terminal, digest)
    index, count = int(match["index"]), int(match["count"])
    if not (0 <= index < count and 2 <= count <= MAX_CHUNKS):
        raise BadInput(
            f"topic {topic[:120]!r}: chunk {index} of {count}; index counts from 0, at most {MAX_CHUNKS} chunks"
        )
    return PartTopic(terminal, digest, index, count)
