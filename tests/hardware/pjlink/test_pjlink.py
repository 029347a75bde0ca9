"""PJLink both ways: our driver against a display written from the protocol's text, that display against other people's clients."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiopjlink import PJClass, PJLink, PJLinkERR3, PJLinkPassword, Power, Sources
from pypjlink import Projector as OtherClient

from wanmi.clock import SystemClock
from wanmi.devices import Place, Sample
from wanmi.errors import BadInput, DeviceGarbled, DeviceRefused, DeviceUnreachable
from wanmi_hardware.pjlink import PJLINK, PjlinkSettings, codec, udp
from wanmi_hardware.pjlink.emulator import PjlinkEmulator, Projector
from wanmi_hardware.pjlink.session import PjlinkSession


class Hours:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def place(tmp_path: Path = Path("/nowhere")) -> Place:
    kept: dict[str, object] = {}
    return Place(SystemClock(), tmp_path, lambda key, make: kept.setdefault(key, make()))


@asynccontextmanager
async def standing(projector: Projector | None = None, **more: str) -> AsyncIterator[PjlinkEmulator]:
    made = PjlinkEmulator(projector, **more)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def reached(made: PjlinkEmulator, password: str = "", **more: Any) -> AsyncIterator[PjlinkSession]:
    settings = PjlinkSettings(host="127.0.0.1", port=made.port, password=password, **more)
    async with PJLINK.connect(place(), settings) as session:
        assert isinstance(session, PjlinkSession)
        yield session


async def sample_of(session: PjlinkSession) -> Sample:
    async with asyncio.timeout(3):
        return await anext(session.samples())


def values(sample: Sample) -> dict[str, object]:
    return {one.name: one.value for one in sample.readings}


def play(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def test_the_digest_is_that_of_the_specification() -> None:
    assert codec.digest("498e4a67", "JBMIAProjectorLink") == b"5d8409bc1c3fa39749434aa3a5c38682"


def test_a_display_says_everything_and_is_told_through_warm_up_and_cool_down() -> None:
    async def work() -> None:
        hours = Hours()
        projector = Projector(now=hours, warm_seconds=30, cool_seconds=60, lamps=[(1234, True), (50, True)])
        async with (
            standing(projector, password="JBMIAProjectorLink") as made,
            reached(made, "JBMIAProjectorLink") as it,
        ):
            cold = values(await sample_of(it))
            assert cold["power"] == "standby"
            assert cold["input"] is None, "ERR3 in standby is unknown"
            assert cold["error.lamp"] == "ok"
            with pytest.raises(DeviceRefused, match="in standby: switch it on first"):
                await it.command("input", {"input": "31"})
            assert await it.command("on", {}) == "POWR OK"
            assert values(await sample_of(it))["power"] == "warming"
            with pytest.raises(DeviceRefused, match="warming up: it takes commands once it is on"):
                await it.command("off", {})
            hours.seconds = 31
            assert await it.command("on", {}) == "it is on already"
            assert await it.command("input", {"input": "digital-2"}) == "INPT OK"
            assert await it.command("input", {"input": "lan"}) == "INPT OK", "by the display's own name"
            assert projector.input == "51"
            assert await it.command("input", {"input": "32"}) == "INPT OK"
            assert await it.command("mute", {"what": "picture", "state": "on"}) == "AVMT OK"
            assert await it.command("freeze", {"state": "on"}) == "FREZ OK"
            assert await it.command("volume", {"step": "up"}) == "SVOL OK"
            warm = values(await sample_of(it))
            assert warm["input"] == "DIGITAL-2"
            assert (warm["mute.picture"], warm["mute.sound"], warm["display.frozen"]) == ("on", "off", "on")
            assert (warm["lamp.1.hours"], warm["lamp.2.hours"], warm["lamp.2.lit"]) == (1234.0, 50.0, "on")
            assert (warm["filter.hours"], warm["display.resolution"]) == (200.0, "1920x1080")
            with pytest.raises(BadInput, match="has no input 'VIDEO-1'; it has RGB-1 Computer, DIGITAL-1 HDMI 1"):
                await it.command("input", {"input": "VIDEO-1"})
            assert await it.command("off", {}) == "POWR OK"
            with pytest.raises(DeviceRefused, match=r"cooling down.*do not cut its power"):
                await it.command("on", {})
            assert (cold["display.info"], cold["display.best_resolution"]) == ("no light, no heat", "1920x1080")
            assert (cold["lamp.model"], cold["filter.model"]) == ("LMP-1", "FIL-1")
            assert cold["display.inputs"] == "RGB-1 Computer, DIGITAL-1 HDMI 1, DIGITAL-2 HDMI 2, NETWORK-1 LAN"
            who = await it.identify()
            assert (who.maker, who.model, who.serial, who.firmware) == ("Wanmi", "Emulated projector", "E0001", "1.0")

    play(work())


def test_readings_have_words_and_rules_name_readings() -> None:
    async def work() -> None:
        async with standing(Projector(errors="012000")) as made, reached(made) as it:
            for one in (await sample_of(it)).readings:
                quantity = PJLINK.quantity(one.name)
                assert quantity is not None, one.name
                assert quantity.zh
                assert one.quality in ("good", "unknown")
            told = values(await sample_of(it))
            assert (told["error.fan"], told["error.lamp"], told["error.temperature"]) == ("ok", "warning", "error")

    play(work())
    assert {rule.reading for rule in PJLINK.rules} <= {one.name for one in PJLINK.quantities} | {"temperature"}


def test_class_1_without_what_it_lacks() -> None:
    async def work() -> None:
        async with standing(Projector(level=1, lacks={"AVMT"}, lamps=[])) as made, reached(made) as it:
            assert it.level == 1
            told = values(await sample_of(it))
            assert "mute.picture" not in told
            assert "filter.hours" not in told
            assert not any(name.startswith("lamp.") for name in told)
            asked = len(made.projector.told)
            made.projector._lit = True
            with pytest.raises(DeviceRefused, match="class 1 display: it knows no freeze"):
                await it.command("freeze", {"state": "on"})
            assert len(made.projector.told) > asked

    play(work())


def test_a_failure_of_its_own_is_told() -> None:
    async def work() -> None:
        async with standing() as made, reached(made) as it:
            await sample_of(it)
            made.projector.failed = True
            told = values(await sample_of(it))
            assert told["error.other"] == "error"
            assert told["power"] is None

    play(work())


@pytest.mark.parametrize(
    ("password", "match"), [("", "wants a password and none is set"), ("wrong", "the password is wrong")]
)
def test_passwords_that_do_not_fit(password: str, match: str) -> None:
    async def work() -> None:
        async with standing(password="right") as made:
            with pytest.raises(DeviceRefused, match=match):
                async with reached(made, password):
                    pass

    play(work())


def test_a_salt_that_is_none_and_a_service_that_is_another() -> None:
    async def work() -> None:
        async with standing(password="right", salt="no hex!") as made:
            with pytest.raises(DeviceGarbled, match="another service"):
                async with reached(made, "right"):
                    pass
        await other_service()

    async def other_service() -> None:
        async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.example ESMTP" + b"x" * 200)

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        made = PjlinkEmulator()
        made.port = server.sockets[0].getsockname()[1]
        with pytest.raises(DeviceGarbled, match="another service"):
            async with reached(made):
                pass
        server.close()

    play(work())


def test_half_lines_hang_ups_and_answers_to_something_else() -> None:
    async def work() -> None:
        async with standing() as made, reached(made) as it:
            made.half = True
            with pytest.raises(DeviceUnreachable, match="hung up in the middle of a line"):
                await it.ask("POWR")
        async with standing() as made, reached(made) as it:
            made.hangs_up = True
            with pytest.raises(DeviceUnreachable, match=r"hung up$"):
                await it.ask("POWR")
        async with standing() as made, reached(made) as it:
            made.says = b"%1INPT=31\r"
            with pytest.raises(DeviceGarbled, match="asked POWR and was answered INPT"):
                await it.ask("POWR")
        with pytest.raises(DeviceUnreachable, match="network control"):
            async with reached(made):
                pass

    play(work())


def test_an_answer_that_was_given_up_is_never_taken_for_another() -> None:
    async def work() -> None:
        async with standing() as made, reached(made) as it:
            made.slow = 0.3
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(it.ask("POWR", "1"), 0.05)
            await asyncio.sleep(0.4)
            with pytest.raises(DeviceUnreachable, match="never came"):
                await it.ask("POWR")

    play(work())


def test_displays_are_found_when_somebody_looks_and_speak_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "LISTEN_SECONDS", 0.4)

    async def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", 0))
            free = probe.getsockname()[1]
        async with standing() as made:
            found = [one async for one in udp.discover(place(), f"127.0.0.1:{made.port}")]
            assert [(one.driver, one.settings["host"]) for one in found] == [("pjlink", "127.0.0.1")]
            assert "00:11:22:33:44:55" in found[0].why
            async with reached(made, notices=True, notice_port=free) as it:
                await sample_of(it)
                for body, text in (
                    ("POWR", "3"),
                    ("ERST", "010000"),
                    ("LKUP", made.mac),
                    ("AVMT", "11"),
                    ("POWR", "9"),
                ):
                    made.notify(body, text, ("127.0.0.1", free))
                until = asyncio.get_running_loop().time() + 3
                while len(it._events) < 3 and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                events = (await sample_of(it)).events
            assert [one.kind for one in events] == ["display.power", "display.errors", "display.came_up"]
            assert events[0].facts["value"] == "warming"

    play(work())


def test_a_flood_of_notifications_is_bounded_and_asks_once_a_second() -> None:
    async def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", 0))
            free = probe.getsockname()[1]
        poked: list[int] = []
        kept: dict[str, object] = {}
        where = Place(
            SystemClock(), Path("/nowhere"), lambda key, make: kept.setdefault(key, make()), lambda: poked.append(1)
        )
        async with standing() as made:
            settings = PjlinkSettings(host="127.0.0.1", port=made.port, notices=True, notice_port=free)
            async with PJLINK.connect(where, settings) as it:
                assert isinstance(it, PjlinkSession)
                for n in range(400):
                    made.notify("POWR", str(n % 4), ("127.0.0.1", free))
                    await asyncio.sleep(0)
                await sample_of(it)
                await asyncio.sleep(0.05)
                assert len(it._events) <= 20
                assert len(poked) <= 2
                assert poked
            assert kept[f"pjlink.notices.{free}"]._socket is None  # type: ignore[attr-defined]

    play(work())


# -- other people's clients against our display ------------------------------------------------------------


def test_aiopjlink_reads_and_drives_our_display() -> None:
    async def work() -> None:
        hours = Hours()
        async with standing(Projector(now=hours, errors="000120"), password="secret") as made:
            async with PJLink("127.0.0.1", made.port, "secret") as link:
                assert await link.power.get() == Power.State.OFF
                with pytest.raises(PJLinkERR3):
                    await link.mute.status()
                await link.power.turn_on()
                assert await link.power.get() == Power.State.WARMING
                hours.seconds = 100
                assert await link.power.get() == Power.State.ON
                assert await link.sources.get(PJClass.TWO) == (Sources.Mode.DIGITAL, "1")
                assert (Sources.Mode.DIGITAL, "2", "HDMI 2") in await link.sources.available_with_names()
                assert await link.sources.resolution() == (1920, 1080)
                await link.mute.set(video=True, audio=False)
                assert await link.mute.status() == (True, False)
                assert (await link.errors.query())[link.errors.Category.COVER] == link.errors.Level.WARN
                assert await link.lamps.hours() == 1234
                assert await link.filter.hours() == 200
                await link.freeze.set(True)
                assert await link.freeze.get() is True
            with pytest.raises(PJLinkPassword):
                async with PJLink("127.0.0.1", made.port, "wrong"):
                    pass

    play(work())


def test_pypjlink_reads_and_drives_our_display() -> None:
    def talk(port: int) -> None:
        with OtherClient.from_address("127.0.0.1", port) as it:
            assert it.authenticate("secret") is True
            assert it.get_power() == "off"
            assert it.get_name() == "教室 emulator"
            assert (it.get_manufacturer(), it.get_product_name()) == ("Wanmi", "Emulated projector")
            assert it.get_lamps() == [(1234, False)]
            assert it.get_errors()["fan"] == "ok"
            assert ("DIGITAL", 2) in it.get_inputs()
            it.set_power("on")
            assert it.get_power() == "warm-up"
        with OtherClient.from_address("127.0.0.1", port) as it:
            assert it.authenticate("wrong") is False

    async def work() -> None:
        async with standing(password="secret") as made:
            await asyncio.to_thread(talk, made.port)

    play(work())
