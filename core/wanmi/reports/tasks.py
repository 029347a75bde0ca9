"""Tasks on their way to a terminal: what an edge sends down, and what the terminal says it holds. Pure, no I/O.

An edge sends a task again until the terminal says that it is on its disk (``Seen``): the broker's queue promises nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wanmi.errors import BadInput
from wanmi.reports.answers import TaskId
from wanmi.reports.envelope import Category, Latitude, Longitude, Micros, TerminalId
from wanmi.reports.receipts import NodeCode

MAX_TASK = 64 * 1024
"""Bytes of a task's message and of a `Seen`."""
MAX_SEEN = 500
"""Tasks named in one `Seen`."""

TaskKind = Literal["verify", "check", "survey"]
TaskStatus = Literal["open", "withdrawn"]


class Task(msgspec.Struct, frozen=True):
    """One task for one terminal. Unknown keys are ignored; ``withdrawn`` repeats the task without its remark.

    ``lon_e7``/``lat_e7`` are WGS-84; ``remark`` is plain here (the way is MQTTS or loopback) and sealed everywhere else.
    """

    v: Literal[1]
    terminal: TerminalId
    task_id: TaskId
    status: TaskStatus
    kind: TaskKind
    category: Category
    lon_e7: Longitude
    lat_e7: Latitude
    grid: Annotated[str, msgspec.Meta(max_length=20)] | None
    deadline: Micros
    sent_at: Micros
    remark: Annotated[str, msgspec.Meta(max_length=8192)] | None
    edge: NodeCode
    at: Micros


class TaskRef(msgspec.Struct, frozen=True):
    """A task as a terminal holds it."""

    task_id: TaskId
    status: TaskStatus


class Seen(msgspec.Struct, frozen=True):
    """What lies on a terminal's disk; ``all``: these and no others, so that the edge sends what is missing at once."""

    v: Literal[1]
    terminal: TerminalId
    tasks: Annotated[tuple[TaskRef, ...], msgspec.Meta(max_length=MAX_SEEN)]
    all: bool = False


_tasks = msgspec.json.Decoder(Task, strict=True)
_seen = msgspec.json.Decoder(Seen, strict=True)
_encoder = msgspec.json.Encoder()


def encode_task(task: Task) -> bytes:
    """The payload of a task."""
    return _encoder.encode(task)


def decode_task(payload: bytes) -> Task:
    """The task in a payload; raises BadInput."""
    if len(payload) > MAX_TASK:
        raise BadInput(f"task of {len(payload)} bytes, at most {MAX_TASK}")
    try:
        return _tasks.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"not a task: {error}") from error


def encode_seen(seen: Seen) -> bytes:
    """The payload in which a terminal says what it holds."""
    return _encoder.encode(seen)


def decode_seen(payload: bytes) -> Seen:
    """What a terminal says it holds; raises BadInput."""
    if len(payload) > MAX_TASK:
        raise BadInput(f"list of tasks of {len(payload)} bytes, at most {MAX_TASK}")
    try:
        return _seen.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"not a list of tasks: {error}") from error
