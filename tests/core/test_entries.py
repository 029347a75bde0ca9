"""The envelope: golden bytes, canonical form, chain and signatures."""

from __future__ import annotations

import contextlib
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.journals import key, public
from wanmi.entries import (
    GENESIS,
    MAX_RAW,
    Entry,
    audience_digest,
    canonical,
    chain_hash,
    decode,
    encode,
    raw_digest,
    sign_cosign,
    sign_head,
    verify_cosign,
    verify_head,
)
from wanmi.errors import BadEntry

GOLDEN = Entry(
    v=1,
    origin="210102",
    seq=7,
    at=1_795_521_600_000_000,
    audience=("210100",),
    kind="case.opened",
    kind_v=1,
    subject="case:210102-E0102-20261124-0007",
    version=1,
    actor=None,
    by="casework@0.1.0",
    cause="21010201:41#casework.open_case",
    body={"zh": "暴露垃圾", "lon_e7": 1234350000, "list": [3, 1, 2], "none": None, "yes": True},
    salt="000102030405060708090a0b0c0d0e0f",
)
GOLDEN_RAW = (
    '{"actor":null,"at":1795521600000000,"audience":["210100"],"body":{"list":[3,1,2],"lon_e7":1234350000,'
    '"none":null,"yes":true,"zh":"暴露垃圾"},"by":"casework@0.1.0","cause":"21010201:41#casework.open_case",'
    '"kind":"case.opened","kind_v":1,"origin":"210102","salt":"000102030405060708090a0b0c0d0e0f","seq":7,'
    '"subject":"case:210102-E0102-20261124-0007","v":1,"version":1}'
).encode()


def test_golden_bytes() -> None:
    assert encode(GOLDEN) == GOLDEN_RAW
    assert decode(GOLDEN_RAW) == GOLDEN


def test_golden_hash_by_hand() -> None:
    audience = hashlib.sha256(b'["210100"]').digest()
    raw = hashlib.sha256(GOLDEN_RAW).digest()
    expected = hashlib.sha256(bytes(32) + audience + raw).digest()
    assert chain_hash(GENESIS, ("210100",), raw_digest(GOLDEN_RAW)) == expected
    assert expected.hex() == "ba088dbcab1778463d8bf5c9f3ea92f198e2e662cbcce19489f71e471f241ad3"
    assert audience_digest("*") == hashlib.sha256(b'"*"').digest()


def test_golden_signatures() -> None:
    head = sign_head(key(1), "210102", 7, bytes(range(32)), 1_795_521_600_000_001)
    assert (
        head.sig.hex()
        == "cbf2f4bfe5775921d08a3ede65af5fc5e21f27bc6c0b244aad645a8fead4d795188c49a34280639ea3ccbbe3a396caee7494c55b6c012331009ed574f66e6903"
    )
    cosign = sign_cosign(key(2), "210100", "210102", 7, bytes(range(32)), 1_795_521_600_000_002)
    assert (
        cosign.sig.hex()
        == "e32d8d2637b2e60156dae94fd8ae150bdcadf7d9603a878ddee314def5cb4af63240f22df1ff1b4f049562d84f52b25cf6e2b00118dd54515687d32a52da8101"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="ascii")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_canonical_is_json_with_sorted_keys_and_stable(value: object) -> None:
    raw = canonical(value)
    assert json.loads(raw) == value
    assert canonical(json.loads(raw)) == raw
    assert raw == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "bad", [1.0, {"a": [0.5]}, {"é": 1}, {"a": 2**53}, {"a": "\ud800"}, {1: 2}, {"a": b"x"}, {"a": {2}}]
)
def test_what_has_no_canonical_form_is_refused(bad: object) -> None:
    with pytest.raises(BadEntry):
        canonical(bad)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), json_values), st.integers(1, 2**53 - 1), st.text(max_size=40))
def test_entries_come_back_as_they_went(body: dict[str, object], seq: int, actor: str) -> None:
    entry = Entry(1, "210102", seq, 5, "*", "a.b", 1, "s:1", 1, actor, "p@1", None, body, "0" * 32)
    try:
        raw = encode(entry)
    except BadEntry:
        assert not actor or any(0xD800 <= ord(c) <= 0xDFFF or ord(c) < 0x20 or ord(c) == 0x7F for c in actor)
        return
    assert decode(raw) == entry


@given(st.integers(0, len(GOLDEN_RAW) - 1), st.integers(1, 255))
def test_any_changed_byte_changes_the_hash_or_is_no_entry(place: int, change: int) -> None:
    raw = bytearray(GOLDEN_RAW)
    raw[place] ^= change
    assert raw_digest(bytes(raw)) != raw_digest(GOLDEN_RAW)
    with contextlib.suppress(BadEntry):
        assert decode(bytes(raw)) != GOLDEN


@pytest.mark.parametrize(
    "raw",
    [
        GOLDEN_RAW.replace(b'"actor":null,', b' "actor":null,'),
        GOLDEN_RAW.replace(b'"v":1,', b'"v":1.0,'),
        GOLDEN_RAW.replace(b'"v":1,', b'"v":2,'),
        GOLDEN_RAW.replace(b'"yes":true', b'"yes":1.5'),
        GOLDEN_RAW.replace(b'"seq":7', b'"seq":0'),
        GOLDEN_RAW.replace(b'"v":1,', b'"v":1,"w":1,'),
        GOLDEN_RAW[:-1],
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
    ],
)
def test_bytes_that_are_not_canonical_are_refused(raw: bytes) -> None:
    with pytest.raises(BadEntry):
        decode(raw)


def test_an_entry_over_64_kib_is_refused() -> None:
    body = {"a": "x" * MAX_RAW}
    with pytest.raises(BadEntry, match="at most 65536"):
        encode(Entry(1, "210102", 1, 5, "*", "a.b", 1, "s:1", 1, None, "p@1", None, body, "0" * 32))


def test_signatures_bind_every_field() -> None:
    head = sign_head(key(1), "210102", 7, bytes(32), 9)
    assert verify_head(head, public(1))
    assert not verify_head(head, public(2))
    for other in ("origin", "seq", "hash", "at"):
        changed = {"origin": "210103", "seq": 8, "hash": bytes(31) + b"\x01", "at": 10}[other]
        assert not verify_head(type(head)(**{**_fields(head), other: changed}), public(1))
    cosign = sign_cosign(key(1), "210100", "210102", 7, bytes(32), 9)
    assert verify_cosign(cosign, public(1))
    assert not verify_cosign(type(cosign)(**{**_fields(cosign), "by": "210103"}), public(1))


def _fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in type(struct).__struct_fields__}  # type: ignore[attr-defined]
