"""Samsung MDC both ways: our driver against a display written from the protocol, that display against python-samsung-mdc."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import pty
import ssl
import tty
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import samsung_mdc
from hypothesis import given
from hypothesis import strategies as st
from samsung_mdc.connection import pack_payload, pack_response
from samsung_mdc.exceptions import MDCTLSAuthFailed, NAKError

from wanmi.clock import SECOND, ManualClock
from wanmi.devices import Place, Sample
from wanmi.errors import BadInput, DeviceFault, DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.samsung_mdc import MDC, MdcSettings, codec, session
from wanmi_hardware.samsung_mdc.emulator import MdcEmulator, Panel
from wanmi_hardware.samsung_mdc.session import Change, MdcSession

CLOCK = ManualClock(1_800_000_000 * SECOND)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PATIENCE", 0.3)


@asynccontextmanager
async def standing(panel: Panel | None = None, **more: Any) -> AsyncIterator[MdcEmulator]:
    made = MdcEmulator(panel, **more)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def reached(kept: dict[str, object] | None = None, **settings: Any) -> AsyncIterator[MdcSession]:
    shared: dict[str, object] = {} if kept is None else kept
    place = Place(CLOCK, Path("/nowhere"), lambda key, make: shared.setdefault(key, make()))
    async with MDC.connect(place, MdcSettings(**{"id": 1, **settings})) as it:
        assert isinstance(it, MdcSession)
        yield it


def at(made: MdcEmulator, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": made.port, **more}


async def values(it: MdcSession) -> dict[str, object]:
    async with asyncio.timeout(5):
        return told(await anext(it.samples()))


def told(sample: Sample) -> dict[str, object]:
    for one in sample.readings:
        quantity = MDC.quantity(one.name)
        assert quantity is not None, one.name
        assert one.quality == "good"
    return {one.name: one.value for one in sample.readings}


def play(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


@pytest.mark.parametrize(("command", "id", "data"), [(0x11, 1, b""), (0x11, 1, b"\x01"), (0xC7, 254, b"\x82http://x")])
def test_frames_are_those_of_the_other_library(command: int, id: int, data: bytes) -> None:
    assert codec.Frame(command, id, data).encode() == pack_payload(command, id, data)
    assert codec.answer(id, command, data) == pack_response(command, id, True, data)
    assert codec.answer(id, command, b"\x02", done=False) == pack_response(command, id, False, b"\x02")


def test_the_published_example_of_a_frame() -> None:
    assert codec.Frame(codec.POWER, 1, b"\x01").encode().hex(" ") == "aa 11 01 01 01 14"


def test_a_display_says_everything_and_is_told() -> None:
    async def work() -> None:
        kept: dict[str, object] = {}
        async with standing() as made, reached(kept, **at(made)) as it:
            assert (await values(it))["power"] == "standby"
            with pytest.raises(DeviceRefused, match="in standby"):
                await it.command("input", {"input": "HDMI2"})
            await it.command("on", {})
            assert (await values(it))["power"] == "on"
            await it.command("input", {"input": "hdmi2"})
            await it.command("brightness", {"level": "35"})
            await it.command("volume", {"level": "5"})
            await it.command("mute", {"state": "on"})
            now = await values(it)
            assert (now["input"], now["display.brightness"], now["display.volume"]) == ("HDMI2", 35.0, 5.0)
            assert (now["mute.sound"], now["panel.hours"], now["temperature"]) == ("on", 1000.0, 36.0)
            assert (now["error.lamp"], now["error.fan"], now["display.signal"]) == ("ok", "ok", "yes")
            await it.command("show", {"url": "https://node.example/map?lon=1"})
            now = await values(it)
            assert (now["page"], now["input"]) == ("https://node.example/map?lon=1", "URL")
            for name, args in (
                ("brightness", {"level": "101"}),
                ("input", {"input": "HDMI9"}),
                ("show", {"url": "file:///etc"}),
            ):
                with pytest.raises(BadInput):
                    await it.command(name, args)
            who = await it.identify()
            assert (who.maker, who.model, who.serial) == ("Samsung", "QM55R", "0ABCHCLN100001")

    play(work())


def test_coming_up_outlasts_the_connection_that_it_breaks() -> None:
    async def work() -> None:
        kept: dict[str, object] = {}
        async with standing() as made:
            async with reached(kept, **at(made)) as it:
                await it.command("on", {})
            made.panel.powered = False  # it answers already, and is not up yet
            async with reached(kept, **at(made)) as it:
                assert (await values(it))["power"] == "warming"
                with pytest.raises(DeviceRefused, match="warming up: wait until it is on"):
                    await it.command("input", {"input": "HDMI1"})
                CLOCK.advance(31 * SECOND)
                assert (await values(it))["power"] == "standby", "it did not come up: what it says counts again"

    play(work())


def test_a_display_that_will_not_switch_is_not_taken_to_be_warming() -> None:
    async def work() -> None:
        async with standing(Panel(lacks={codec.POWER})) as made, reached(**at(made)) as it:
            with pytest.raises(DeviceRefused, match="will not do command 11"):
                await it.command("on", {})
            assert (await values(it))["power"] == "standby"

    play(work())


def test_what_a_model_lacks_is_left_out_and_told_when_commanded() -> None:
    async def work() -> None:
        panel = Panel(powered=True, lacks={codec.LAUNCHER, codec.BRIGHTNESS, codec.FAULTS})
        async with standing(panel) as made, reached(**at(made)) as it:
            now = await values(it)
            assert not {"page", "display.brightness", "temperature"} & now.keys()
            with pytest.raises(DeviceRefused, match=r"will not do command C7 \(N, 01\)"):
                await it.command("show", {"url": "http://x/"})

    play(work())


def test_faults_of_the_line() -> None:
    async def work() -> None:
        async with standing() as made:
            with pytest.raises(DeviceUnreachable, match="display 9 does not answer"):
                async with reached(**at(made, id=9)) as it:
                    await it.ask(codec.STATUS)
            made.panel.id, made.noise = 2, b"\x00 noise"
            async with reached(**at(made)) as it:
                with pytest.raises(DeviceGarbled, match="bytes that are no frame"):
                    await it.ask(codec.STATUS)
            made.panel.id, made.noise = 1, b""
            made.half = True
            async with reached(**at(made)) as it:
                with pytest.raises(DeviceUnreachable, match="hung up"):
                    await it.ask(codec.STATUS)
            made.half, made.hangs_up = False, True
            async with reached(**at(made)) as it:
                with pytest.raises(DeviceUnreachable, match="hung up"):
                    await it.ask(codec.STATUS)
            made.hangs_up, made.slow = False, 0.5
            async with reached(**at(made)) as it:
                with pytest.raises(DeviceUnreachable, match="does not answer"):
                    await it.ask(codec.STATUS)
                with pytest.raises(DeviceUnreachable, match="never came"):
                    await it.ask(codec.STATUS)
            made.slow, made.noise = 0.0, b"\x13\x07\xaa"
            async with reached(**at(made)) as it:
                for _ in range(3):
                    assert (await it.ask(codec.STATUS)).done, "found behind the noise"
        with pytest.raises(DeviceUnreachable, match="RJ45"):
            async with reached(**at(made)):
                pass

    play(work())


@contextmanager
def serial_panel(loop: asyncio.AbstractEventLoop, panel: Panel) -> Iterator[str]:
    """A panel at the other end of a pty pair."""
    master, slave = pty.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    loop.add_reader(master, lambda: os.write(master, panel.feed(os.read(master, 512)) or b""))
    try:
        yield os.ttyname(slave)
    finally:
        loop.remove_reader(master)
        os.close(master)
        os.close(slave)


def test_the_same_over_a_serial_line() -> None:
    async def work() -> None:
        panel = Panel(id=7, powered=True)
        with serial_panel(asyncio.get_running_loop(), panel) as port:
            async with reached(serial=port, id=7) as it:
                assert (await values(it))["power"] == "on"
                await it.command("input", {"input": "DISPLAYPORT"})
                assert panel.input == 0x25
            async with reached(serial=port, id=codec.EVERYBODY) as it:
                assert (await it.identify()).model == "QM55R"
        with pytest.raises(DeviceUnreachable, match="plugged in"):
            async with reached(serial="/dev/serial/by-id/none"):
                pass

    play(work())


def test_an_adapter_that_is_pulled_out_is_told() -> None:
    async def work() -> None:
        master, slave = pty.openpty()
        tty.setraw(slave)
        async with reached(serial=os.ttyname(slave)) as it:
            os.close(slave)
            os.close(master)
            with pytest.raises(DeviceUnreachable):
                await it.ask(codec.STATUS)

    play(work())


def test_settings_name_one_way_to_the_display() -> None:
    for wrong in ({}, {"host": "a", "serial": "b"}):
        with pytest.raises(ValueError, match=r"host .* or serial"):
            MdcSettings(**wrong)


# -- the other library against our display -------------------------------------------------------------------


def test_python_samsung_mdc_reads_and_drives_our_display() -> None:
    async def work() -> None:
        async with standing(Panel(powered=False)) as made, samsung_mdc.MDC(f"127.0.0.1:{made.port}", timeout=3) as it:
            assert [one.name for one in await it.power(1)] == ["OFF"]
            with pytest.raises(NAKError):
                await it.brightness(1, [50])
            await it.power(1, ["ON"])
            assert (await it.status(1))[0].name == "ON"
            await it.input_source(1, ["HDMI2"])
            assert (await it.input_source(1))[0].name == "HDMI2"
            await it.brightness(1, [41])
            assert await it.brightness(1) == (41,)
            await it.mute(1, ["ON"])
            await it.volume(1, [33])
            assert (await it.status(1))[1:3] == (33, 1)
            assert await it.model_name(1) == ("QM55R",)
            assert await it.serial_number(1) == ("0ABCHCLN100001",)
            assert await it.panel_on_time(1) == (6000,)
            assert (await it.error_status(1))[4] == 36
            await it.launcher_url_address(1, ["http://node/map"])
            assert await it.launcher_url_address(1) == ("http://node/map",)

    play(work())


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "display")])
    now = dt.datetime.now(dt.UTC)
    cert = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "display.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + cert.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_tls_with_a_pin(tls: ssl.SSLContext) -> None:
    async def work() -> None:
        async with standing(Panel(powered=True), tls=tls, pin="1234") as made:
            async with reached(**at(made, pin="1234")) as it:
                assert (await values(it))["power"] == "on"
            with pytest.raises(DeviceRefused, match="the PIN is wrong"):
                async with reached(**at(made, pin="9999")):
                    pass
            with pytest.raises(DeviceRefused, match="wants TLS and a PIN"):
                async with reached(**at(made)) as it:
                    await it.ask(codec.STATUS)
            async with samsung_mdc.MDC(f"127.0.0.1:{made.port}", timeout=3, pin=1234) as other:
                assert (await other.power(1))[0].name == "ON"
            with pytest.raises(MDCTLSAuthFailed):
                async with samsung_mdc.MDC(f"127.0.0.1:{made.port}", timeout=3, pin=1):
                    pass

    play(work())


# -- any bytes -----------------------------------------------------------------------------------------------

ANSWERS = [
    codec.answer(1, codec.STATUS, bytes([1, 20, 0, 0x21, 16, 0, 0])), codec.answer(1, codec.FAULTS, bytes([0, 0, 0, 0, 36, 0])),
    codec.answer(1, codec.MODEL, b"QM55R"), codec.answer(1, codec.POWER, b"\x01", done=False), codec.answer(2, 0x25, b"\x30"),
]  # fmt: skip
DATA = (
    codec.read_status, codec.read_faults, codec.read_mute, codec.read_level, codec.read_panel_hours, codec.read_text,
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Real answers, cut, joined and corrupted."""
    raw = bytearray(b"".join(draw(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4))))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(raw)))
        raw[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(raw)


@given(st.one_of(st.binary(max_size=300), damaged()), st.integers(1, 7))
def test_any_bytes_become_frames_that_add_up_whatever_their_pieces(raw: bytes, size: int) -> None:
    whole, pieces = codec.Framer(), codec.Framer()
    frames = whole.feed(raw)
    assert [one for n in range(0, len(raw), size) for one in pieces.feed(raw[n : n + size])] == frames
    for frame in frames:
        assert frame.encode() in raw
        try:
            codec.read_answer(frame)
        except DeviceGarbled:
            continue


@given(st.binary(max_size=20))
def test_any_data_is_a_value_or_garbled(raw: bytes) -> None:
    for read in DATA:
        try:
            read(raw)
        except DeviceGarbled:
            continue


@given(
    st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=5),
    st.binary(max_size=9).filter(lambda raw: 0xAA not in raw),
)
def test_frames_behind_noise_are_found(answers: list[bytes], noise: bytes) -> None:
    frames = codec.Framer().feed(noise + noise.join(answers))
    assert [one.encode() for one in frames] == answers


@given(st.one_of(st.binary(max_size=100), damaged()))
def test_the_emulator_takes_any_bytes(raw: bytes) -> None:
    codec.Framer().feed(Panel().feed(raw))


@given(st.lists(damaged(), max_size=4))
def test_a_session_fed_with_any_bytes_ends_in_a_device_fault_or_an_answer(chunks: list[bytes]) -> None:
    async def work() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"".join(chunks))
        reader.feed_eof()
        it = MdcSession("x", 1, (reader, _Nowhere()), Change(), lambda: 0)  # type: ignore[arg-type]
        try:
            await anext(it.samples())
        except DeviceFault:
            return

    asyncio.run(work())


class _Nowhere:
    def write(self, data: bytes) -> None:
        assert codec.Framer().feed(data)
