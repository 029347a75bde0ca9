"""Any bytes against PJLink's codec, session and emulator: a value, or DeviceGarbled."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from wanmi.errors import DeviceFault, DeviceGarbled
from wanmi_hardware.pjlink import codec, udp
from wanmi_hardware.pjlink.emulator import Projector
from wanmi_hardware.pjlink.session import PjlinkSession

TEXTS = (
    codec.read_power, codec.read_errors, codec.read_lamps, codec.read_hours, codec.read_muted, codec.read_input,
    codec.read_inputs, codec.read_size, codec.read_address, codec.read_switch,
)  # fmt: skip
GOOD = [b"%1POWR=1\r", b"%1ERST=012000\r", b"%1LAMP=1234 1 50 0\r", b"%2INPT=6A\r", b"%1NAME=\xe6\x95\x99\r", b"PJLINK 1 498e4a67\r"]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Real lines, cut, joined and corrupted; or anything."""
    raw = bytearray(b"".join(draw(st.lists(st.sampled_from(GOOD), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(raw)


@given(st.one_of(st.binary(max_size=160), damaged()))
def test_any_bytes_are_a_line_or_garbled(raw: bytes) -> None:
    for read in (codec.read_line, codec.read_greeting, udp.read_notice):
        try:
            read(raw)
        except DeviceGarbled:
            continue
    try:
        line = codec.read_line(raw)
    except DeviceGarbled:
        return
    assert codec.read_line(line.encode()[: codec.LONGEST]) == line
    for text in TEXTS:
        try:
            text(line.text)
        except DeviceGarbled:
            continue


@given(st.text(max_size=30))
def test_any_text_is_a_value_of_the_words_or_garbled(text: str) -> None:
    for read in TEXTS:
        try:
            value = read(text)
        except DeviceGarbled:
            continue
        assert value is not None
    assert codec.write_input(text) is None or codec.read_input(str(codec.write_input(text)))


@given(damaged())
def test_the_emulator_answers_any_bytes_with_a_line(raw: bytes) -> None:
    codec.read_line(Projector().answer(raw))


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=40), damaged()), min_size=1, max_size=4))
def test_a_session_fed_with_any_bytes_ends_in_a_device_fault_or_an_answer(chunks: list[bytes]) -> None:
    async def work() -> None:
        reader = asyncio.StreamReader(limit=codec.LONGEST)
        for chunk in chunks:
            reader.feed_data(chunk)
        reader.feed_eof()
        session = PjlinkSession("x", reader, _Nowhere())  # type: ignore[arg-type]
        try:
            await session.enter("secret")
            await anext(session.samples())
        except DeviceFault:
            return

    asyncio.run(work())


class _Nowhere:
    def write(self, data: bytes) -> None:
        assert len(data) <= codec.LONGEST + 32
