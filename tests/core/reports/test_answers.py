"""Receipts, topics and cards."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wanmi.entries import sign_cosign
from wanmi.errors import BadInput
from wanmi.reports import (
    CHUNK,
    EntryRef,
    PartTopic,
    Receipt,
    ReportTopic,
    broker_verifier,
    chunks_of,
    cosign_ref,
    decode_receipt,
    encode_receipt,
    is_safe,
    make_card,
    parse_topic,
    part_topic,
    read_card,
    report_topic,
    verifier_matches,
)

ID = "T210102-0001"
EDGE, DISTRICT = "21010201", "210102"
HASH = bytes(range(32))
DISTRICT_KEY = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
DISTRICT_PUBLIC = DISTRICT_KEY.public_key().public_bytes_raw()


def safe(seq: int = 7, reached: int = 9, hash_: bytes = HASH, origin: str = EDGE) -> Receipt:
    cosign = cosign_ref(sign_cosign(DISTRICT_KEY, DISTRICT, origin, reached, hash_, 123))
    entry = EntryRef(EDGE, seq, HASH.hex())
    return Receipt(1, ID, "01KB5J9Q4R", "safe", EDGE, 124, entry=entry, cosign=cosign)


def test_a_receipt_comes_back() -> None:
    assert decode_receipt(encode_receipt(safe())) == safe()


@pytest.mark.parametrize("key", [DISTRICT_PUBLIC, None])
def test_safe_is_safe(key: bytes | None) -> None:
    assert is_safe(safe(), key)
    assert is_safe(safe(seq=9), key)


@pytest.mark.parametrize("key", [DISTRICT_PUBLIC, None])
@pytest.mark.parametrize(
    "receipt",
    [
        safe(seq=10),
        safe(seq=9, hash_=bytes(32)),
        msgspec.structs.replace(safe(), status="kept"),
        msgspec.structs.replace(safe(), entry=None),
        msgspec.structs.replace(safe(), cosign=None),
    ],
    ids=["beyond the signed head", "another hash at the head", "only kept", "no entry", "no countersignature"],
)
def test_less_is_not_safe(receipt: Receipt, key: bytes | None) -> None:
    assert not is_safe(receipt, key)


@given(st.data())
def test_a_changed_countersignature_is_not_safe(data: st.DataObject) -> None:
    receipt = safe()
    assert receipt.cosign is not None
    field = data.draw(st.sampled_from(["by", "seq", "hash", "at", "sig"]))
    changes = {
        "by": st.sampled_from(["210103", "210100"]),
        "seq": st.integers(10, 2**53 - 1),
        "hash": st.binary(min_size=32, max_size=32).filter(HASH.__ne__).map(bytes.hex),
        "at": st.integers(0, 2**53 - 1).filter((123).__ne__),
        "sig": st.binary(min_size=64, max_size=64).map(bytes.hex),
    }
    cosign = msgspec.structs.replace(receipt.cosign, **{field: data.draw(changes[field])})
    assert not is_safe(msgspec.structs.replace(receipt, cosign=cosign), DISTRICT_PUBLIC)


def test_a_countersignature_of_another_chain_or_district_is_not_safe() -> None:
    assert not is_safe(safe(origin="21010202"), DISTRICT_PUBLIC)
    assert not is_safe(safe(), Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_receipt_or_bad_input(payload: bytes) -> None:
    with pytest.raises(BadInput):
        decode_receipt(payload)


def test_a_newer_edge_may_say_more() -> None:
    more = encode_receipt(safe())[:-1] + b',"new_key":1}'
    assert decode_receipt(more) == safe()


def test_refused_for_now_or_for_good() -> None:
    refused = Receipt(1, ID, None, "refused", EDGE, 1, reason="unknown_terminal")
    assert refused.passing
    assert not msgspec.structs.replace(refused, reason="outside_city").passing
    assert not msgspec.structs.replace(refused, reason="from_a_newer_edge").passing
    assert msgspec.structs.replace(refused, reason="outside_city").text("zh") == "位置不在本市范围"


@given(st.binary(min_size=32, max_size=32).map(bytes.hex), st.integers(1, 64), st.data())
def test_topics_come_back(digest: str, count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    assert parse_topic(part_topic(ID, digest, index, count)) == PartTopic(ID, digest, index, count)
    assert parse_topic(report_topic(ID)) == ReportTopic(ID)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "wanmi/v1/T210102-0001",
        "wanmi/v2/T210102-0001/report",
        "wanmi/v1/T210102-0001/report\n",
        "wanmi/v1/T210102-0001/receipt",
        "wanmi/v1/+/report",
        f"wanmi/v1/T210102-0001/part/{'0' * 63}",
        f"wanmi/v1/T210102-0001/part/{'0' * 64}/2/2",
        f"wanmi/v1/T210102-0001/part/{'0' * 64}/0/1",
        f"wanmi/v1/T210102-0001/part/{'0' * 64}/0/65",
        f"wanmi/v1/T210102-0001/part/{'0' * 64}/0",
    ],
)
def test_other_topics_are_bad_input(topic: str) -> None:
    with pytest.raises(BadInput):
        parse_topic(topic)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 1), (CHUNK, 1), (CHUNK + 1, 2), (3 * CHUNK, 3)])
def test_chunks(size: int, count: int) -> None:
    content = bytes(size)
    chunks = chunks_of(content)
    assert (len(chunks), b"".join(chunks)) == (count, content)
    assert all(len(chunk) == CHUNK for chunk in chunks[:-1])


def test_a_card_comes_back_and_carries_no_password(key: Ed25519PrivateKey, public: bytes) -> None:
    line = make_card(ID, key, broker_verifier("password", b"salt of 12 b"))
    card = read_card(f"  {line}\n")
    assert (card.terminal, card.broker_user, card.key_bytes) == (ID, ID, public)
    assert verifier_matches(card.broker_verifier, "password")
    assert not verifier_matches(card.broker_verifier, "Password")
    assert "password" not in line


def test_the_verifier_is_mosquittos() -> None:
    """Written by mosquitto_passwd 2.0.11 for the password "secret"."""
    assert verifier_matches(
        "$7$101$eXjDbCM5P0MCWpBV$QIrtJ1sE09IpMjQz00neAzUqN5EUbNTJvFauygQym5xV+xZHMzuOzv4b7yDZM5XQS+z2ov9AhNi/ydXMSIoE2Q==",
        "secret",
    )


@given(st.data())
def test_a_changed_card_is_refused(data: st.DataObject) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    line = make_card(ID, key, broker_verifier("password", b"salt of 12 b"))
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.characters(codec="ascii").filter(line[at].__ne__))
    changed = line[:at] + other + line[at + 1 :]
    if changed.strip() != line:
        with pytest.raises(BadInput):
            read_card(changed)


@given(st.text(max_size=60) | st.text(max_size=40).map("wanmi-card-1.".__add__))
def test_any_text_is_no_card(text: str) -> None:
    with pytest.raises(BadInput):
        read_card(text)
