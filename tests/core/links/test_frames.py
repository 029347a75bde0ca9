"""Golden bytes of every frame, and no bytes at all that raise anything but LinkError."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from wanmi.entries import Cosign, Head, raw_digest
from wanmi.errors import LinkError
from wanmi.journal.types import Batch, Item
from wanmi.links.frames import (
    MAX_BODY,
    MAX_FRAME,
    NO_SESSION,
    NUMBERS,
    TYPES,
    Ack,
    BatchHead,
    Bye,
    Chunk,
    Header,
    Hello,
    Nak,
    Need,
    Open,
    Snap,
    Tick,
    Want,
    decode,
    decode_batch,
    encode,
    encode_batch,
)

SESSION = bytes(range(16))
HASH = b"\x11" * 32
HEAD = Head("210102", 2, HASH, 5, b"\x22" * 4)
_IN = "000102030405060708090a0b0c0d0e0f"
_CODE = "a6323130313032"
_HASH = "c420" + "11" * 32

GOLDEN: list[tuple[Header, bytes, str]] = [
    (
        Open("210102", b"\x01" * 16, 1, 1), b"",
        (f"01{_IN}00000030" f"84a46e6f6465{_CODE}a56e6f6e6365c410{'01' * 16}a36c6f7701a46869676801"),
    ),
    (Hello(b"claim", b"sig"), b"", (f"02{_IN}00000017" "82a5636c61696dc405636c61696da3736967c403736967")),
    (
        BatchHead(1, 1, 3, HEAD), b"xyz",
        (f"03{_IN}00000063" f"84a5616674657201a5636f756e7401a473697a6503a46865616485a66f726967696e{_CODE}a373657102"
        f"a468617368{_HASH}a2617405a3736967c40422222222" "78797a"),
    ),
    (
        Ack("210102", 2, HASH, Cosign("210102", 2, HASH, "210100", 7, b"\x33")), b"",
        (f"04{_IN}00000092" f"84a66f726967696e{_CODE}a373657102a468617368{_HASH}a6636f7369676e86a66f726967696e{_CODE}"
        f"a373657102a468617368{_HASH}a26279a6323130313030a2617407a3736967c40133"),
    ),
    (
        Nak("gap", "210102", 3, HASH, "t"), b"",
        (f"05{_IN}0000004a" f"85a4636f6465a3676170a561626f7574{_CODE}a373657103a468617368{_HASH}a474657874a174"),
    ),
    (Want("ab", 256), b"", (f"06{_IN}00000013" "82a4626c6f62a26162a66f6666736574cd0100")),
    (
        Chunk("ab", 0, 2, b"k"), b"\x00\x01",
        (f"07{_IN}0000001e" "84a4626c6f62a26162a66f666673657400a473697a6502a36b6579c4016b" "0001"),
    ),
    (Tick(9), b"", (f"08{_IN}00000005" "81a2617409")),
    (
        Tick(9, HEAD), b"",
        (f"08{_IN}00000053" f"82a2617409a46865616485a66f726967696e{_CODE}a373657102a468617368{_HASH}a2617405"
         "a3736967c40422222222"),
    ),
    (
        Hello(b"claim", b"sig", b"new"), b"",
        (f"02{_IN}00000021" "83a5636c61696dc405636c61696da3736967c403736967a4616c736fc4036e6577"),
    ),
    (Need("snapshot"), b"", (f"0a{_IN}0000000f" "81a477686174a8736e617073686f74")),
    (
        Snap("ab", 3, b"m"), b"",
        (f"0b{_IN}0000001d" "83a6736861323536a26162a473697a6503a86d616e6966657374c4016d"),
    ),
    (Bye("why"), b"", (f"09{_IN}0000000c" "81a6726561736f6ea3776879")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "body", "golden"), GOLDEN, ids=[f"{n}-{type(g[0]).__name__}" for n, g in enumerate(GOLDEN)]
)
def test_golden_bytes(header: Header, body: bytes, golden: str) -> None:
    assert encode(SESSION, header, body).hex() == golden
    frame = decode(bytes.fromhex(golden))
    assert (frame.type, frame.session, frame.header, frame.body) == (NUMBERS[type(header)], SESSION, header, body)


def test_every_type_has_golden_bytes() -> None:
    assert {type(header) for header, _, _ in GOLDEN} == set(TYPES.values())


def test_a_batch_has_golden_bytes_once_unpacked() -> None:
    items = (Item("*", raw_digest(b"{}"), b"{}"), Item(("210100",), HASH))
    batch = Batch("210102", 0, items, HEAD)
    frame = decode(encode_batch(SESSION, batch))
    assert isinstance(frame.header, BatchHead)
    plain = zstandard.ZstdDecompressor().decompress(frame.body)
    assert plain.hex() == "92" "93a12ac4027b7dc3" f"9391a6323130313030{_HASH}c2"  # fmt: skip
    assert frame.header.size == len(plain)
    assert decode_batch(frame.header, frame.body) == batch


def test_a_header_may_gain_fields() -> None:
    packed = msgspec.msgpack.encode({"at": 9, "mood": "good"})
    frame = decode(bytes([8]) + SESSION + len(packed).to_bytes(4, "big") + packed)
    assert frame.header == Tick(9)


@pytest.mark.parametrize(("number", "optional"), [(0x55, False), (0xD5, True)])
def test_an_unknown_type_is_a_frame_that_says_whether_it_may_be_ignored(number: int, optional: bool) -> None:
    frame = decode(bytes([number]) + SESSION + bytes(4) + b"body")
    assert frame.header is None
    assert frame.optional is optional


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_a_link_error(data: bytes) -> None:
    with contextlib.suppress(LinkError):
        decode(data)


@given(st.sampled_from([g[2] for g in GOLDEN]), st.data())
def test_a_damaged_frame_is_a_frame_or_a_link_error(golden: str, data: st.DataObject) -> None:
    whole = bytearray.fromhex(golden)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for damaged in (bytes(whole), bytes(whole[:cut])):
        try:
            frame = decode(damaged)
            if isinstance(frame.header, BatchHead):
                decode_batch(frame.header, frame.body)
        except LinkError:
            pass


items_of_any_kind = st.lists(
    st.one_of(
        st.builds(lambda raw: Item("*", raw_digest(raw), raw), st.binary(max_size=200)),
        st.builds(
            lambda d, a: Item(tuple(sorted(a)), d), st.binary(min_size=32, max_size=32), st.sets(st.just("210100"))
        ),
    ),
    min_size=1,
    max_size=20,
)


@given(items_of_any_kind, st.integers(0, 2**40))
def test_a_batch_survives_its_way(items: list[Item], after: int) -> None:
    head = Head("210102", after + len(items), HASH, 1, b"s")
    batch = Batch("210102", after, tuple(items), head)
    frame = decode(encode_batch(SESSION, batch))
    assert isinstance(frame.header, BatchHead)
    assert decode_batch(frame.header, frame.body) == batch


@given(st.binary(max_size=200), st.integers(-5, 2**33))
def test_any_body_is_a_batch_or_a_link_error(body: bytes, size: int) -> None:
    packed = zstandard.ZstdCompressor().compress(body)
    for data in (body, packed):
        with contextlib.suppress(LinkError):
            decode_batch(BatchHead(0, 1, size, HEAD), data)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(MAX_BODY + 1))
    with pytest.raises(LinkError, match="the most"):
        decode_batch(BatchHead(0, 1, MAX_BODY + 1, HEAD), bomb)
    with pytest.raises(LinkError, match="does not unpack to"):
        decode_batch(BatchHead(0, 1, 10, HEAD), bomb)


def test_a_frame_that_is_too_big_is_not_made() -> None:
    with pytest.raises(LinkError, match="make it smaller"):
        encode(NO_SESSION, Chunk("ab", 0, MAX_FRAME, b""), bytes(MAX_FRAME))
