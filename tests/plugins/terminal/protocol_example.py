"""The bytes that docs/terminal-protocol.md shows, computed by the code."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import canonical, sign_cosign
from wanmi.reports import (
    Answer,
    Attachment,
    EntryRef,
    Reason,
    Receipt,
    Report,
    Seen,
    Task,
    TaskRef,
    TrackBatch,
    TrackFix,
    broker_verifier,
    cosign_ref,
    decode_answer,
    decode_report,
    digest_of,
    encode_receipt,
    encode_seen,
    encode_task,
    envelope_bytes,
    key_id,
    make_card,
    part_topic,
    reason_text,
    sign_answer,
    sign_report,
    sign_track,
    text_part,
)
from wanmi.reports.answers import answer_bytes
from wanmi.reports.envelope import to_b64
from wanmi.reports.tracks import batch_bytes

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DISTRICT_KEY = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
TEXT = text_part("井盖松动", bytes(range(16)))
PHOTO = b"\xff\xd8\xff not really a photo"
REPORT = Report(
    v=1,
    terminal="T210102-0001",
    report_id="01KB5J9Q4R8ZT3E6W1M0XCVBNA",
    made_at=1_795_507_200_000_000,
    kind="event",
    category="0102",
    component=None,
    lon_e7=1_234_000_000,
    lat_e7=417_900_000,
    datum="WGS84",
    accuracy_cm=350,
    fix="gnss",
    fix_at=1_795_507_199_000_000,
    satellites=9,
    source="collector",
    self_handled=False,
    attachments=(
        Attachment("text", digest_of(TEXT), len(TEXT), "text/plain"),
        Attachment("photo", digest_of(PHOTO), len(PHOTO), "image/jpeg"),
    ),
    app="wanmi-terminal 0.1.0",
    queue=3,
)
TASK = Task(
    v=1,
    terminal="T210102-0001",
    task_id="01KB5K0000000000000000TASK",
    status="open",
    kind="check",
    category="0102",
    lon_e7=1_234_000_000,
    lat_e7=417_900_000,
    grid="210102001002001",
    deadline=1_795_514_400_000_000,
    sent_at=1_795_507_000_000_000,
    remark="看看井盖是否复位",
    edge="21010201",
    at=1_795_507_001_000_000,
)
ANSWER = Answer(
    v=1,
    terminal="T210102-0001",
    report_id="01KB5K1G4R8ZT3E6W1M0XCVBNB",
    task_id=TASK.task_id,
    made_at=1_795_508_000_000_000,
    result="yes",
    lon_e7=1_234_000_500,
    lat_e7=417_900_100,
    datum="WGS84",
    accuracy_cm=400,
    fix="gnss",
    fix_at=1_795_507_999_000_000,
    satellites=9,
    attachments=(Attachment("photo", digest_of(PHOTO), len(PHOTO), "image/jpeg"),),
    app="wanmi-terminal 0.1.0",
    queue=0,
)
TRACK = TrackBatch(
    1,
    "T210102-0001",
    (
        TrackFix(1_795_508_000_000_000, 1_234_000_500, 417_900_100, 400),
        TrackFix(1_795_508_015_000_000, 1_234_002_000, 417_900_100, None),
    ),
)
EDGE, DISTRICT = "21010201", "210102"
ENTRY_HASH, HEAD_HASH = bytes(range(32)), bytes(range(32, 64))
AT = 1_795_507_201_000_000


def reasons() -> str:
    """The rows of the reason table."""
    return "\n".join(
        f"| `{one}` | {'yes' if one.passing else ''} | {'yes' if one.authentic else ''} "
        f"| {reason_text(one, 'zh')} | {reason_text(one, 'en')} |"
        for one in Reason
    )


def blocks() -> dict[str, list[str]]:
    """Name to lines of each code block of the example."""
    public, district = KEY.public_key().public_bytes_raw(), DISTRICT_KEY.public_key().public_bytes_raw()
    payload = sign_report(REPORT, KEY, {digest_of(TEXT): TEXT})
    cosign = sign_cosign(DISTRICT_KEY, DISTRICT, EDGE, 12, HEAD_HASH, AT + 500_000)
    entry = EntryRef(EDGE, 7, ENTRY_HASH.hex())
    kept = Receipt(1, REPORT.terminal, REPORT.report_id, "kept", EDGE, AT, entry=entry)
    safe = Receipt(
        1, REPORT.terminal, REPORT.report_id, "safe", EDGE, AT + 600_000, entry=entry, cosign=cosign_ref(cosign)
    )
    covered = {"at": cosign.at, "by": cosign.by, "hash": cosign.hash.hex(), "origin": EDGE, "seq": cosign.seq}
    verifier = broker_verifier(to_b64(bytes(range(32))), b"salt of 12 b")
    return {
        "KEYS": [public.hex(), district.hex(), key_id(public)],
        "TEXT": [TEXT.hex(), digest_of(TEXT)],
        "PHOTO": [digest_of(PHOTO)],
        "ENVELOPE": [envelope_bytes(REPORT).decode()],
        "SIGNATURE": [digest_of(envelope_bytes(REPORT)), decode_report(payload).signature.hex()],
        "PARTTOPIC": [part_topic(REPORT.terminal, digest_of(PHOTO))],
        "MESSAGE": [payload.decode()],
        "KEPT": [encode_receipt(kept).decode()],
        "SAFE": [encode_receipt(safe).decode()],
        "COSIGN": [canonical(covered).decode()],
        "TASK": [encode_task(TASK).decode()],
        "SEEN": [encode_seen(Seen(1, TASK.terminal, (TaskRef(TASK.task_id, "open"),))).decode()],
        "SEENALL": [encode_seen(Seen(1, TASK.terminal, (TaskRef(TASK.task_id, "open"),), all=True)).decode()],
        "ANSWER": [answer_bytes(ANSWER).decode()],
        "ANSWERSIGNATURE": [digest_of(answer_bytes(ANSWER)), decode_answer(sign_answer(ANSWER, KEY)).signature.hex()],
        "ANSWERMESSAGE": [sign_answer(ANSWER, KEY).decode()],
        "TRACK": [batch_bytes(TRACK).decode()],
        "TRACKMESSAGE": [sign_track(TRACK, KEY).decode()],
        "CARD": [make_card(REPORT.terminal, KEY, verifier)],
    }
