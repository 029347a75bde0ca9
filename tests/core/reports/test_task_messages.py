"""Answers, tasks and tracks as bytes: one spelling, one signature domain each, nothing else is taken."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wanmi.coords import Point
from wanmi.entries import canonical
from wanmi.errors import BadInput
from wanmi.reports import (
    Answer,
    Attachment,
    Box,
    Known,
    Refused,
    Rules,
    Seen,
    Task,
    TaskRef,
    TrackBatch,
    TrackFix,
    attendance,
    decode_answer,
    decode_seen,
    decode_task,
    encode_message,
    encode_seen,
    encode_task,
    examine_answer,
    key_id,
    read_track,
    segment_content,
    segment_fixes,
    segment_of,
    sign_answer,
    sign_track,
    verify_answer,
)
from wanmi.reports.answers import answer_bytes

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
T = "T210102-0001"
NOW = 1_795_500_000_000_000
SECOND = 1_000_000
HERE = Point(1_234_330_000, 417_900_000)
RULES = Rules(Box(1_220_000_000, 410_000_000, 1_250_000_000, 430_000_000), lambda _kind, _category: False)
ANSWER = Answer(
    1, T, "A" * 26, "task-0001", NOW, "yes", HERE.lon_e7, HERE.lat_e7, "WGS84", 300, "gnss", NOW, 9, (), "test", 0
)  # fmt: skip


def changed(**changes: object) -> bytes:
    return sign_answer(msgspec.structs.replace(ANSWER, **changes), KEY)


def reason(payload: bytes, topic: str = T, known: Known | None = None) -> str:
    with pytest.raises(Refused) as refused:
        examine_answer(payload, topic, {T: known or Known(PUBLIC)}.get, NOW, RULES)
    return str(refused.value.reason)


def test_a_good_answer_is_taken_as_it_was_signed() -> None:
    message = examine_answer(changed(), T, {T: Known(PUBLIC)}.get, NOW, RULES)
    assert message.answer == ANSWER
    assert message.envelope == answer_bytes(ANSWER) == canonical(msgspec.to_builtins(ANSWER))


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"{", "not_json"),
        (changed(result="maybe"), "wrong_schema"),
        (changed(task_id="a/b/c/d/e"), "wrong_schema"),
        (changed(made_at=NOW + 301 * SECOND), "future_time"),
        (changed(lon_e7=0, lat_e7=0), "no_position"),
        (changed(lat_e7=0), "outside_city"),
        (changed(attachments=(Attachment("photo", "ab" * 32, 9 * 2**20, "image/jpeg"),)), "photo_too_big"),
        (changed(attachments=(Attachment("text", "ab" * 32, 9000, "text/plain"),)), "text_too_long"),
    ],
)
def test_a_bad_answer_is_refused(payload: bytes, why: str) -> None:
    assert reason(payload) == why


def test_who_may_answer() -> None:
    assert reason(changed(), "T210102-0002") == "wrong_terminal"
    assert reason(changed(terminal="T210102-0009"), "T210102-0009") == "unknown_terminal"
    assert reason(changed(), known=Known(PUBLIC, revoked=True)) == "revoked_terminal"
    assert reason(changed(), known=Known(bytes(32))) == "unknown_key"


@given(st.integers(0), st.integers(0, 7))
def test_no_bit_can_be_changed(where: int, bit: int) -> None:
    good = decode_answer(changed())
    both = bytearray(good.envelope + good.signature)
    both[where % len(both)] ^= 1 << bit
    envelope, signature = bytes(both[: len(good.envelope)]), bytes(both[len(good.envelope) :])
    assert verify_answer(good.envelope, good.signature, PUBLIC)
    assert not verify_answer(envelope, signature, PUBLIC)


def test_a_signature_under_another_domain_is_none() -> None:
    raw = answer_bytes(ANSWER)
    for domain in (b"", b"wanmi/report/1\n", b"wanmi/track/1\n"):
        assert reason(encode_message(raw, KEY.sign(domain + raw), key_id(PUBLIC), {})) == "bad_signature"


def test_another_spelling_of_an_answer_is_refused() -> None:
    raw = answer_bytes(ANSWER).replace(b'"v":1', b'"v": 1')
    assert reason(encode_message(raw, KEY.sign(b"wanmi/answer/1\n" + raw), "0" * 16, {})) == "wrong_schema"


def test_tasks_and_lists_come_back_as_they_went() -> None:
    task = Task(1, T, "task-0001", "open", "check", "0102", 1, 2, None, NOW, NOW, "看看", "21010201", NOW)
    assert decode_task(encode_task(task)) == task
    assert decode_task(encode_task(task)[:-1] + b',"later":1}') == task
    seen = Seen(1, T, (TaskRef("task-0001", "withdrawn"),), all=True)
    assert decode_seen(encode_seen(seen)) == seen


@given(st.binary(max_size=200))
def test_rubbish_is_told_as_such(rubbish: bytes) -> None:
    for read in (decode_task, decode_seen, decode_answer, lambda data: read_track(data, PUBLIC)):
        with pytest.raises(BadInput):
            read(rubbish)


# -- tracks ------------------------------------------------------------------------------------------------------


def walked(*seconds_metres: tuple[int, int]) -> list[TrackFix]:
    """Fixes so many seconds after NOW, so many metres north of HERE."""
    return [TrackFix(NOW + s * SECOND, HERE.lon_e7, HERE.lat_e7 + round(m * 89.93), None) for s, m in seconds_metres]


def test_a_track_is_read_with_its_key_only() -> None:
    batch = TrackBatch(1, T, tuple(walked((0, 0), (10, 12))))
    payload = sign_track(batch, KEY)
    assert read_track(payload, PUBLIC) == batch
    with pytest.raises(Refused, match="bad_signature"):
        read_track(payload, bytes(32))
    with pytest.raises(Refused, match="do not grow"):
        read_track(sign_track(TrackBatch(1, T, tuple(walked((10, 0), (10, 1)))), KEY), PUBLIC)
    with pytest.raises(Refused, match="wrong_schema"):
        read_track(sign_track(TrackBatch(1, T, ()), KEY), PUBLIC)


def test_a_segment_says_how_far_and_where() -> None:
    fixes = walked((0, 0), (60, 100), (120, 40))
    said = segment_of(fixes)
    assert (said.start, said.end, said.fixes, said.distance_m) == (NOW, NOW + 120 * SECOND, 3, 160)
    assert (said.south, said.north) == (HERE.lat_e7, fixes[1].lat_e7)
    content = segment_content([sign_track(TrackBatch(1, T, tuple(part)), KEY) for part in (fixes[2:], fixes[:2])])
    assert segment_fixes(content, PUBLIC) == tuple(fixes)
    with pytest.raises(BadInput):
        segment_of([])


@pytest.mark.parametrize(
    ("fixes", "seconds", "first", "last"),
    [
        ([], 0, None, None),
        (walked((0, 10)), 0, 0, 0),
        (walked((0, 10), (100, 20), (200, 0)), 200, 0, 200),
        (walked((0, 10), (100, 200), (200, 0), (260, 0)), 60, 0, 260),  # away in between
        (walked((0, 10), (400, 0), (500, 0)), 100, 0, 500),  # not seen for 400 s
        (walked((-50, 0), (950, 0), (1000, 0), (1050, 0)), 0, 950, 950),  # the period ends at 1000
        (walked((0, 90), (100, 110)), 0, 0, 0),
    ],
)
def test_attendance(fixes: list[TrackFix], seconds: int, first: int | None, last: int | None) -> None:
    found = attendance(fixes, HERE, 100, NOW, NOW + 1000 * SECOND)
    times = [None if at is None else (at - NOW) // SECOND for at in (found.first, found.last)]
    assert (found.seconds, *times) == (seconds, first, last)


steps = st.lists(st.tuples(st.integers(1, 900), st.integers(0, 300)), max_size=30)


@given(steps, st.integers(0, 5000))
def test_attendance_adds_up(some: list[tuple[int, int]], cut: int) -> None:
    """What is there in two halves of a period is never more than in the whole; more room is never less time."""
    at, places = 0, []
    for seconds, metres in some:
        at += seconds
        places.append((at, metres))
    fixes, end, middle = walked(*places), NOW + 30_000 * SECOND, NOW + cut * SECOND
    whole = attendance(fixes, HERE, 100, NOW, end)
    halves = [attendance(fixes, HERE, 100, *period) for period in ((NOW, middle), (middle, end))]
    assert sum(half.seconds for half in halves) <= whole.seconds <= at
    assert attendance(fixes, HERE, 200, NOW, end).seconds >= whole.seconds
    assert attendance(fixes[::-1], HERE, 100, NOW, end) == attendance([*fixes, *fixes], HERE, 100, NOW, end) == whole
