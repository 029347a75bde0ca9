"""Tasks for terminals in the street, and the answers that they sign."""

from __future__ import annotations

from typing import Any

import msgspec

from edge.street import CITY_POINT, DISTRICT, Street
from wanmi.clock import SystemClock
from wanmi.kinds import Attachment as SealedAttachment
from wanmi.registry import Draft
from wanmi.reports import Answer, Attachment, digest_of, sign_answer
from wanmi.reports.bodies import TaskSent, TaskWithdrawn, task_subject

HOUR = 3_600_000_000


def sent(street: Street, task_id: str, *, hours: int = 2, remark: SealedAttachment | None = None, **more: Any) -> Draft:
    """A district's entry that sends a check task."""
    body = TaskSent(
        task_id, "check", "210102-E0102-20261124-0001", street.id, "0102", *CITY_POINT, "210102001002001",
        SystemClock().now() + hours * HOUR, remark,
    )  # fmt: skip
    return Draft("task.sent", task_subject(DISTRICT, task_id), msgspec.structs.replace(body, **more))


def withdrawn(task_id: str) -> Draft:
    """The entry that takes it back."""
    return Draft("task.withdrawn", task_subject(DISTRICT, task_id), TaskWithdrawn(task_id, "done already"))


def answered(street: Street, task_id: str, photo: bytes = b"", **changes: Any) -> tuple[Answer, bytes]:
    """A good answer, with changes, and its message; a photo goes another way."""
    street.made += 1
    now = SystemClock().now()
    attachments = (Attachment("photo", digest_of(photo), len(photo), "image/jpeg"),) if photo else ()
    good = Answer(
        v=1, terminal=street.id, report_id=f"A{street.made:025d}", task_id=task_id, made_at=now, result="yes",
        lon_e7=CITY_POINT[0], lat_e7=CITY_POINT[1], datum="WGS84", accuracy_cm=300, fix="gnss", fix_at=now, satellites=9,
        attachments=attachments, app="street/1", queue=0,
    )  # fmt: skip
    answer = msgspec.structs.replace(good, **changes)
    return answer, sign_answer(answer, street.key)
