"""A task's remark goes down by the link and is opened at the edge; an answer's photo comes up. Both transports."""

from __future__ import annotations

from federation.conftest import Family
from federation.sites import wait_until
from wanmi.kinds import Attachment
from wanmi.registry import Draft
from wanmi.reports import digest_of, read_text, text_part
from wanmi.reports.bodies import TaskAnswered, TaskSent, answer_subject, task_subject


def test_a_remark_goes_down_and_a_photo_comes_up(family: Family) -> None:
    family.start(family.city, family.district, family.edge)
    wait_until(lambda: family.edge.has(family.district))
    content = text_part("看看井盖是否复位", bytes(16))
    remark = family.district.blobs.seal(content)
    sent = TaskSent(
        "task-0001", "survey", None, "T210102-0001", "0102", 1_234_330_000, 417_900_000, None, 2**50,
        Attachment("text", digest_of(content), len(content), "text/plain", remark.blob),
    )  # fmt: skip
    draft = Draft("task.sent", task_subject(family.district.code, "task-0001"), sent)
    family.district.journal.append(draft, also=lambda tx, _: family.district.blobs.add(tx, remark)).result()
    wait_until(lambda: family.edge.blobs.has(remark.blob))
    assert read_text(family.edge.blobs.open(remark.blob)) == "看看井盖是否复位"
    photo = family.edge.blobs.seal(b"\xff\xd8\xff" * 100_000)
    answered = TaskAnswered(
        "task-0001", "T210102-0001", "A" * 26, "", "", "ab" * 32, "yes", 1, False,
        [Attachment("photo", "cd" * 32, 300_000, "image/jpeg", photo.blob)],
    )  # fmt: skip
    draft = Draft("task.answered", answer_subject(family.edge.code, "task-0001", "T210102-0001"), answered)
    family.edge.journal.append(draft, also=lambda tx, _: family.edge.blobs.add(tx, photo)).result()
    wait_until(lambda: family.district.blobs.has(photo.blob))
    assert family.district.blobs.open(photo.blob) == b"\xff\xd8\xff" * 100_000
