"""The signed report: its bytes never move, every change is seen, nothing that comes in raises anything else."""

from __future__ import annotations

import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wanmi.entries import canonical
from wanmi.errors import BadInput
from wanmi.reports import (
    Attachment,
    Reason,
    Refused,
    Report,
    ReportMessage,
    decode_report,
    digest_of,
    encode_message,
    envelope_bytes,
    key_id,
    missing_parts,
    read_text,
    sign_report,
    text_part,
    verify_report,
)
from wanmi.reports.envelope import MAX_ENVELOPE, MAX_MESSAGE, REPORT_DOMAIN, from_b64, to_b64

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()

micros = st.integers(0, 2**53 - 1)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
attachments = st.builds(
    Attachment,
    role=st.sampled_from(["text", "photo", "sound"]),
    digest=digests,
    size=micros,
    media=st.sampled_from(["text/plain", "image/jpeg", "audio/ogg"]),
)
reports = st.builds(
    Report,
    v=st.just(1),
    terminal=st.from_regex(r"T[0-9]{6}-[0-9]{4,8}", fullmatch=True),
    report_id=st.from_regex(r"[A-Za-z0-9_-]{8,64}", fullmatch=True),
    made_at=micros,
    kind=st.sampled_from(["component", "event"]),
    category=st.from_regex(r"[0-9]{4}", fullmatch=True),
    component=st.none() | st.from_regex(r"[0-9A-Za-z-]{1,32}", fullmatch=True),
    lon_e7=st.integers(-1_800_000_000, 1_800_000_000),
    lat_e7=st.integers(-900_000_000, 900_000_000),
    datum=st.sampled_from(["WGS84", "GCJ02", "BD09", "CGCS2000"]),
    accuracy_cm=st.none() | micros,
    fix=st.sampled_from(["gnss", "network", "manual"]),
    fix_at=micros,
    satellites=st.none() | micros,
    source=st.sampled_from(["collector", "inspector", "citizen", "sensor"]),
    self_handled=st.booleans(),
    attachments=st.lists(attachments, max_size=4).map(tuple),
    app=st.from_regex(r"[ -~]{1,64}", fullmatch=True),
    queue=micros,
)

TEXT = text_part("井盖松动", bytes(range(16)))
PHOTO = b"\xff\xd8\xff not really a photo"
GOLDEN = Report(
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
GOLDEN_BYTES = (
    b'{"accuracy_cm":350,"app":"wanmi-terminal 0.1.0","attachments":['
    b'{"digest":"%s","media":"text/plain","role":"text","size":28},'
    b'{"digest":"%s","media":"image/jpeg","role":"photo","size":22}],'
    b'"category":"0102","component":null,"datum":"WGS84","fix":"gnss","fix_at":1795507199000000,"kind":"event",'
    b'"lat_e7":417900000,"lon_e7":1234000000,"made_at":1795507200000000,"queue":3,'
    b'"report_id":"01KB5J9Q4R8ZT3E6W1M0XCVBNA","satellites":9,"self_handled":false,"source":"collector",'
    b'"terminal":"T210102-0001","v":1}'
)
TEXT_DIGEST = b"c068a20579e822ae907fdb3a064911d31e7bc1e4118117c3182a67d91038a571"
PHOTO_DIGEST = b"4204f7c264de3ca70517bd24ec6c8755daa9f33dcfebcea5ed64ca3ad1d3838a"
GOLDEN_SHA256 = "3c38c5ae463317304c139274275d8b2ac32cf8c20688509fc8a42bbe0678023a"
GOLDEN_SIGNATURE = "8ed03b4b1557b264b3e236e103a4bfc7906e823497ac671826c2bfcc6608b39764211da49771b08c09c2812f9c5b99754f7a3cbae17e81085d1b9dfccaa3800f"


def decoded(payload: bytes) -> ReportMessage | Reason:
    try:
        return decode_report(payload)
    except Refused as refused:
        return refused.reason


def refusal(payload: bytes) -> Reason:
    with pytest.raises(Refused) as refused:
        decode_report(payload)
    return refused.value.reason


def message_of(raw: bytes) -> bytes:
    """A message with a good signature over any bytes."""
    return encode_message(raw, KEY.sign(REPORT_DOMAIN + raw), key_id(PUBLIC), {})


@given(reports)
def test_a_signed_report_comes_back_as_it_was(report: Report) -> None:
    message = decode_report(sign_report(report, KEY))
    assert message.report == report
    assert message.envelope == envelope_bytes(report)
    assert message.key_id == key_id(PUBLIC)
    assert verify_report(message, PUBLIC)


def test_golden_bytes() -> None:
    raw = envelope_bytes(GOLDEN)
    assert raw == GOLDEN_BYTES % (TEXT_DIGEST, PHOTO_DIGEST)
    message = decode_report(sign_report(GOLDEN, KEY, {digest_of(TEXT): TEXT}))
    assert (message.digest, message.signature.hex()) == (GOLDEN_SHA256, GOLDEN_SIGNATURE)


@given(st.data())
def test_a_changed_envelope_is_refused_or_fails_the_signature(data: st.DataObject) -> None:
    raw = bytearray(envelope_bytes(GOLDEN))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    signature = KEY.sign(REPORT_DOMAIN + envelope_bytes(GOLDEN))
    message = decoded(encode_message(bytes(raw), signature, key_id(PUBLIC), {}))
    assert message is Reason.WRONG_SCHEMA or (not isinstance(message, Reason) and not verify_report(message, PUBLIC))


@given(st.data())
def test_a_changed_message_never_passes_as_another_report(data: st.DataObject) -> None:
    payload = bytearray(sign_report(GOLDEN, KEY, {digest_of(TEXT): TEXT}))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    message = decoded(bytes(payload))
    if isinstance(message, Reason):
        assert message in (Reason.NOT_JSON, Reason.WRONG_SCHEMA)
        return
    assert not verify_report(message, PUBLIC) or message.envelope == envelope_bytes(GOLDEN)
    assert all(digest_of(content) == digest for digest, content in message.parts.items())


@given(st.binary(max_size=300))
def test_any_bytes_get_a_reason(payload: bytes) -> None:
    assert refusal(payload) in (Reason.NOT_JSON, Reason.WRONG_SCHEMA)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=8))
def test_any_json_gets_a_reason(value: object) -> None:
    assert refusal(json.dumps(value).encode()) in (Reason.NOT_JSON, Reason.WRONG_SCHEMA)


def test_deep_json_is_refused_not_crashed_on() -> None:
    assert refusal(b"[" * 100_000) in (Reason.NOT_JSON, Reason.WRONG_SCHEMA)
    assert refusal(message_of(b"[" * 9_000)) is Reason.WRONG_SCHEMA


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", 2),
        ("terminal", "T210102-0001\n"),
        ("terminal", "T210102-001"),
        ("report_id", "short"),
        ("report_id", "01KB5J9Q4R8ZT3E6W1M0XCVBNA\n"),
        ("report_id", "x" * 65),
        ("made_at", -1),
        ("made_at", 2**53),
        ("category", "٠١٠٢"),
        ("category", "102"),
        ("lon_e7", 1_800_000_001),
        ("lat_e7", -900_000_001),
        ("datum", "WGS72"),
        ("kind", "matter"),
        ("self_handled", 1),
        ("app", "中文"),
        ("queue", None),
        ("unknown", 1),
    ],
)
def test_a_field_out_of_form_is_refused(field: str, value: object) -> None:
    fields = msgspec.to_builtins(GOLDEN) | {field: value}
    raw = canonical(fields) if value != 2**53 else json.dumps(fields, sort_keys=True).encode()
    assert refusal(message_of(raw)) is Reason.WRONG_SCHEMA


def test_a_float_is_refused() -> None:
    raw = envelope_bytes(GOLDEN).replace(b"417900000", b"41790000.5")
    assert refusal(message_of(raw)) is Reason.WRONG_SCHEMA


@pytest.mark.parametrize("field", list(Report.__struct_fields__))
def test_every_field_must_be_there(field: str) -> None:
    fields = msgspec.to_builtins(GOLDEN)
    del fields[field]
    assert refusal(message_of(canonical(fields))) is Reason.WRONG_SCHEMA


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b'":', b'": ', 1),
        lambda raw: raw + b" ",
        lambda raw: raw.replace(b'"queue":3', b'"queue":3,"queue":3'),
        lambda raw: raw.replace(b"event", b"\\u0065vent"),
        lambda raw: json.dumps(dict(reversed(json.loads(raw).items())), separators=(",", ":")).encode(),
    ],
    ids=["blank", "blank at the end", "key twice", "escape", "order"],
)
def test_only_the_canonical_form_counts(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused) as refused:
        decode_report(message_of(change(envelope_bytes(GOLDEN))))
    assert refused.value.reason is Reason.WRONG_SCHEMA
    assert (refused.value.terminal, refused.value.report_id) == (GOLDEN.terminal, GOLDEN.report_id)


def test_too_large() -> None:
    assert refusal(b" " * (MAX_MESSAGE + 1)) is Reason.TOO_LARGE
    assert refusal(message_of(b" " * (MAX_ENVELOPE + 1))) is Reason.TOO_LARGE


def test_a_signature_counts_for_reports_only() -> None:
    raw = envelope_bytes(GOLDEN)
    message = decode_report(encode_message(raw, KEY.sign(raw), key_id(PUBLIC), {}))
    assert not verify_report(message, PUBLIC)
    assert not verify_report(message, b"not a key")


def test_a_part_that_was_changed_is_missing() -> None:
    good = {digest_of(TEXT): TEXT}
    assert decode_report(sign_report(GOLDEN, KEY, good)).parts == good
    wrong = decode_report(sign_report(GOLDEN, KEY, {digest_of(TEXT): TEXT + b"!"}))
    assert wrong.parts == {}
    assert missing_parts(wrong.report, wrong.parts) == (digest_of(TEXT), digest_of(PHOTO))
    assert missing_parts(wrong.report, {digest_of(TEXT): TEXT}) == (digest_of(PHOTO),)


@given(st.text(), st.binary(min_size=16, max_size=16))
def test_a_text_comes_back(text: str, salt: bytes) -> None:
    assert read_text(text_part(text, salt)) == text


@given(st.text(min_size=1), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_one_text_has_as_many_digests_as_salts(text: str, a: bytes, b: bytes) -> None:
    assert (digest_of(text_part(text, a)) == digest_of(text_part(text, b))) == (a == b)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_text_or_bad_input(part: bytes) -> None:
    try:
        assert text_part(read_text(part), part[:16]) == part
    except BadInput:
        assert len(part) < 16 or part[16:].decode(errors="replace").encode() != part[16:]


@given(st.binary(max_size=40))
def test_base64url_comes_back(data: bytes) -> None:
    assert from_b64(to_b64(data)) == data


@given(st.text(alphabet="ABab01-_+/= \n", max_size=8))
def test_base64url_has_one_spelling(text: str) -> None:
    try:
        data = from_b64(text)
    except BadInput:
        return
    assert to_b64(data) == text
