"""What may be attached to a step: what its actor uploaded for the case, or what is evidence of it already; nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.casework.office import DAY, OPERATOR, WORKER, Office
from support.pictures import JPEG, PNG, WEBP
from wanmi.errors import BadInput, NotAllowed
from wanmi.hookspecs import Actor
from wanmi.kinds import Attachment, Place, ReportRegistered, Sealed
from wanmi.registry import Draft
from wanmi.testing import replay_differences
from wanmi_casework.attached import UploadRow, upload

OTHER = Actor("d-2", "department")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    assert made.rows_that_do_not_fit() == []
    assert replay_differences(made.node) == []
    made.node.close()


def receipts(office: Office) -> list[str]:
    with office.node.store.reader() as tx:
        return [row.blob for row in tx.execute(UploadRow.__table__.select())]


def photo(office: Office, number: str, who: Actor = WORKER, content: bytes = JPEG) -> Attachment:
    return upload(office.node, number, who.id, content, "image/jpeg")


def answer(office: Office, number: str, *photos: Attachment) -> None:
    office.step(number, "answer", attachments=photos)


def caller_of(office: Office) -> Sealed:
    """Who reported something else at this node, sealed."""
    sealed = office.node.blobs.seal(JPEG)
    who = Sealed("ab" * 32, len(JPEG), "image/jpeg", sealed.blob)
    body = ReportRegistered(
        "r-9", "leader", "event", "0102", Place(0, 0, "point", None, None), "", 1, [], who, OPERATOR.id
    )  # fmt: skip
    draft = Draft("report.registered", "report:210102:r-9:leader", body, expect=0)
    office.node.journal.append(draft, also=lambda tx, _: office.node.blobs.add(tx, sealed)).result()
    return who


def test_a_receipt_is_used_once_and_is_evidence_then(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    mine = photo(office, number)
    assert receipts(office) == [mine.blob]
    answer(office, number, mine)
    assert receipts(office) == []
    entry = office.node.journal.subject(f"case:{number}")[-1].entry
    assert entry is not None
    assert entry.body["attachments"] == [
        {"role": "photo", "digest": mine.digest, "size": len(JPEG), "media": "image/jpeg", "blob": mine.blob}
    ]
    again = office.open_case()
    office.to(again, "handling")
    with pytest.raises(BadInput, match="was not uploaded for it by you"):
        answer(office, again, mine)


def test_what_the_sender_says_of_a_blob_is_not_read(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    sound = upload(office.node, number, WORKER.id, b"OggS and so on", "audio/ogg")
    lie = Attachment("photo", "00" * 32, 1, "image/jpeg", sound.blob)
    with pytest.raises(BadInput, match="photo_after"):
        answer(office, number, lie)
    mine = photo(office, number)
    answer(office, number, Attachment("text", "00" * 32, 1, "text/html", mine.blob), lie)
    entry = office.node.journal.subject(f"case:{number}")[-1].entry
    assert entry is not None
    assert [(one["role"], one["media"]) for one in entry.body["attachments"]] == [
        ("photo", "image/jpeg"), ("sound", "audio/ogg"),
    ]  # fmt: skip


def test_what_is_not_ones_own_is_refused_alike(office: Office) -> None:
    number, foreign = office.open_case(), office.open_case()
    for one in (number, foreign):
        office.to(one, "handling")
    shown = photo(office, foreign)
    answer(office, foreign, shown)
    who = caller_of(office)
    tries = {
        "made up": "ee" * 32,
        "another case's upload": photo(office, foreign).blob,
        "another's upload": photo(office, number, OTHER).blob,
        "another case's evidence": shown.blob,
        "who called": who.blob,
        "no hash": "../../etc/passwd",
    }
    said = set()
    for what, blob in tries.items():
        with pytest.raises(BadInput) as refused:
            answer(office, number, Attachment("photo", "ab" * 32, 1, "image/jpeg", blob))
        said.add(str(refused.value).replace(blob[:12], "…"))
        assert office.desk.case(number).state == "handling", what
    assert len(said) == 1, "a refusal tells nothing about what there is"


def test_who_called_is_not_attached_to_their_own_case(office: Office) -> None:
    who = caller_of(office)
    number = office.open_case(report="report:210102:r-9:leader")
    office.to(number, "handling")
    with pytest.raises(BadInput, match="nor is it evidence"):
        answer(office, number, Attachment("photo", who.digest, who.size, who.media, who.blob))


def test_evidence_of_the_case_may_be_named_again(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    before = photo(office, number)
    office.ask(number, "extension", attachments=(before,))
    answer(office, number, before)
    assert office.desk.case(number).state == "handled"


def test_an_upload_waits_a_day(office: Office) -> None:
    number = office.open_case()
    office.to(number, "handling")
    old = photo(office, number)
    office.clock.advance(DAY + 1)
    with pytest.raises(BadInput, match="in the last day"):
        answer(office, number, old)
    fresh = photo(office, number)
    assert receipts(office) == [fresh.blob]
    with pytest.raises(NotAllowed, match="erased"):
        office.node.blobs.open(old.blob)


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"\xff\xd8\xff\xe0 a photo of the place", "image/jpeg"), (JPEG[:-2], "image/jpeg"), (PNG, "image/jpeg"),
        (JPEG, "image/png"), (PNG[:-8], "image/png"), (b"RIFF", "image/webp"), (WEBP[:-9], "image/webp"),
        (b"<html>", "audio/ogg"), (b"x", "audio/mpeg"), (b"MZ", "application/x-msdownload"), (JPEG, "image/svg+xml"),
        (PNG[:16] + (100_000).to_bytes(4, "big") + PNG[20:], "image/png"),
    ],
)  # fmt: skip
def test_only_real_pictures_and_sounds_are_taken(office: Office, content: bytes, media: str) -> None:
    number = office.open_case()
    with pytest.raises(BadInput):
        upload(office.node, number, WORKER.id, content, media)
    assert receipts(office) == []


@pytest.mark.parametrize(("content", "media"), [(JPEG, "image/jpeg"), (PNG, "image/png"), (WEBP, "image/webp")])
def test_real_pictures_are_taken(office: Office, content: bytes, media: str) -> None:
    made = upload(office.node, office.open_case(), WORKER.id, content, media)
    assert (made.role, made.size, office.node.blobs.open(made.blob)) == ("photo", len(content), content)
