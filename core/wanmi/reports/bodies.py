"""Bodies of the entries about tasks and tracks. Data only: times µs UTC, coordinates 1e-7 degree WGS-84."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from wanmi.kinds import Attachment
from wanmi.reports.answers import Result
from wanmi.reports.presence import Grade
from wanmi.reports.tasks import TaskKind

Outcome = Literal["moved", "waits", "late", "accepted", "set_aside"]
"""What an answer did to its case: ``waits`` for a person, who then accepted it or set it aside; ``late``: the case had moved on."""
Why = Literal["", "presence", "confirm", "withdrawn", "no_step", "refused", "moved_on", "no_case"]
"""Why an answer did not move its case by itself."""


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class TaskSent(_Body, frozen=True):
    """``task.sent``, subject ``task:<district>:<task id>``: a district asks one of its terminals to go and look.

    ``case`` null: a survey (专项普查). ``remark`` is a sealed text (16 bytes of salt, UTF-8).
    """

    task_id: str
    kind: TaskKind
    case: str | None
    terminal: str
    category: str
    lon_e7: int
    lat_e7: int
    grid: str | None
    deadline: int
    remark: Attachment | None


class TaskWithdrawn(_Body, frozen=True):
    """``task.withdrawn``, subject as ``task.sent``: nobody need go; an answer that comes all the same is kept."""

    task_id: str
    reason: str


class TaskAnswered(_Body, frozen=True):
    """``task.answered``, subject ``answer:<edge>:<task id>:<terminal>``: the terminal's signed bytes, in an edge's chain.

    ``envelope`` (base64url) is the evidence, the fields beside it repeat what projections need. ``late``: made after the
    deadline that the edge knew.
    """

    task_id: str
    terminal: str
    report_id: str
    envelope: str
    sig: str
    digest: str
    result: Result
    made_at: int
    late: bool
    attachments: list[Attachment]


class TaskRefused(_Body, frozen=True):
    """``task.refused``, subject as ``task.answered`` plus ``!<digest>``: an authentic answer that is not taken; why."""

    task_id: str
    terminal: str
    report_id: str
    envelope: str
    sig: str
    digest: str
    reason: str


class PresenceJudged(_Body, frozen=True):
    """Whether the terminal was there: whole metres and metres a second; ``compared`` names the entries of other fixes."""

    grade: Grade
    distance_m: int
    speed_mps: int | None
    reasons: list[str]
    compared: list[str]


class TaskJudged(_Body, frozen=True):
    """``task.judged``, subject as ``task.sent``: the district takes an answer, once a task, and says what it is worth.

    ``answer`` is ``EDGE:SEQ`` of the entry taken; ``late``: made after the deadline; ``withdrawn``: the task was withdrawn before.
    """

    task_id: str
    kind: TaskKind
    case: str | None
    terminal: str
    answer: str
    result: Result
    made_at: int
    late: bool
    withdrawn: bool
    presence: PresenceJudged
    attachments: list[Attachment]


class AnswerRelayed(_Body, frozen=True):
    """``answer.relayed``, subject ``relay:<edge>:<task id>:<terminal>``: the city hands an answer that came in by
    another district's edge to the terminal's home district, by value.

    ``edge`` and ``seq`` name the entry ``task.answered`` that it repeats, ``at`` is that entry's time.
    """

    edge: str
    seq: int
    at: int
    answer: TaskAnswered


class TaskWeighed(_Body, frozen=True):
    """``task.weighed``, subject as ``task.sent``: what an answer does to the case of its task, and why.

    ``step`` is the step that it took, or would take; ``told`` explains in words what held it up. By a person (actor,
    ``post``, ``opinion``) once it was accepted or set aside, by the node before.
    """

    task_id: str
    case: str
    answer: str
    outcome: Outcome
    why: Why
    told: str
    step: str | None
    post: str | None
    opinion: Annotated[str, msgspec.Meta(max_length=2000)]


class TrackSealed(_Body, frozen=True):
    """``track.sealed``, subject ``track:<edge>:<terminal>``: where a terminal was from ``start`` to ``end``.

    ``way`` is the sealed content: the terminal's signed batches, a line each.
    """

    terminal: str
    start: int
    end: int
    fixes: int
    distance_m: int
    west: int
    south: int
    east: int
    north: int
    way: Attachment


def task_subject(district: str, task_id: str) -> str:
    """The subject of a task; its version 1 is the sending."""
    return f"task:{district}:{task_id}"


def answer_subject(edge: str, task_id: str, terminal: str) -> str:
    """The subject of an answer in an edge's chain."""
    return f"answer:{edge}:{task_id}:{terminal}"


def track_subject(edge: str, terminal: str) -> str:
    """The subject of a terminal's segments at one edge; its versions count them."""
    return f"track:{edge}:{terminal}"
