"""The `jt808` port on real sockets: approval, codes, answers after the sample is taken, media in parts, garbage."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from hardware.jt808.terminal import Terminal, authenticate, batch, frame, location, register
from wanmi.clock import SystemClock
from wanmi.devices import Event, Place, Sample
from wanmi.errors import DeviceUnreachable
from wanmi_hardware.jt808.driver import GatewaySession, GatewaySettings, connect, discover

PHONE, OTHER = "13900000001", "13900000002"


class Bench:
    def __init__(self, session: GatewaySession, place: Place) -> None:
        self.session, self.place = session, place
        samples = session.samples()
        assert isinstance(samples, AsyncGenerator)
        self.samples = samples
        self.task: asyncio.Task[None] | None = None

    async def take(self, n: int) -> list[Sample]:
        return [await asyncio.wait_for(anext(self.samples), 5) for _ in range(n)]

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Let samples be taken until the bench ends."""
        self.task = asyncio.create_task(work)

    async def pump(self, taken: Callable[[Sample], object] = lambda _: None) -> None:
        async for one in self.samples:
            taken(one)


def place_of(tmp_path: Path) -> Place:
    shared: dict[str, object] = {}
    return Place(SystemClock(), tmp_path / "D0001", lambda key, make: shared.setdefault(key, make()))


@asynccontextmanager
async def bench(tmp_path: Path, **more: object) -> AsyncIterator[Bench]:
    place = place_of(tmp_path)
    settings = GatewaySettings.model_validate({"host": "127.0.0.1", "port": 0, "vehicles": f"0{PHONE}", **more})
    async with connect(place, settings) as session:
        made = Bench(session, place)
        async with aclosing(made.samples):
            try:
                yield made
            finally:
                if made.task is not None:
                    made.task.cancel()
                    await asyncio.wait([made.task])


@pytest.mark.parametrize("new", [False, True])
def test_a_vehicle_registers_authenticates_and_is_answered(tmp_path: Path, new: bool) -> None:
    async def play() -> None:
        async with bench(tmp_path) as b:
            b.start(b.pump())
            car = Terminal(PHONE, new)
            await car.connect(b.session.port)
            await car.log_in()
            now = SystemClock().now()
            assert await car.result(0x0002, b"") == 0
            assert await car.result(0x0200, location(now, 123_429_304, 41_796_770)) == 0
            assert await car.result(0x0704, batch([location(now, 123_429_304, 41_796_770)] * 3)) == 0
            assert await car.result(0x0900, b"\x00xyz") == 3, "what is not known is said to be so"
            assert await car.result(0x0003, b"") == 0

    asyncio.run(play())


def test_samples_carry_the_vehicle_its_fix_and_its_kept_positions(tmp_path: Path) -> None:
    async def play() -> None:
        async with bench(tmp_path) as b:
            car = Terminal(PHONE)
            await car.connect(b.session.port)
            logging_in = asyncio.create_task(car.log_in())
            (hello,) = await b.take(1)
            assert (hello.part, [one.kind for one in hello.events]) == (PHONE, ["connected"])
            now = SystemClock().now()
            await car.say(0x0200, location(now, 123_429_304, 41_796_770))
            await car.say(0x0704, batch([location(now - n * 600_000_000, 123_429_304, 41_796_770) for n in (1, 3, 2)]))
            live, kept = await b.take(2)
            await logging_in
            assert [one.state for one in live.fixes] == ["valid"]
            assert {one.name for one in live.readings} >= {"acc", "alarm", "mileage"}
            times = [one.made_at or 0 for one in kept.fixes]
            assert [one.state for one in kept.fixes] == ["valid"] * 3
            assert times == sorted(times)

    asyncio.run(play())


def test_an_answer_comes_only_after_the_sample_was_taken(tmp_path: Path) -> None:
    async def play() -> None:
        async with bench(tmp_path) as b:
            car = Terminal(PHONE)
            await car.connect(b.session.port)
            logging_in = asyncio.create_task(car.log_in())
            await b.take(1)
            asking = asyncio.create_task(b.take(1))
            await logging_in
            await car.say(0x0200, location(SystemClock().now(), 123_429_304, 41_796_770))
            await asking
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(car.reader.read(1), 0.1)
            b.start(b.pump())
            kind, body = await car.hear()
            assert (kind, body[4]) == (0x8001, 0)

    asyncio.run(play())


def test_who_is_not_approved_is_refused_and_listed(tmp_path: Path) -> None:
    async def play() -> None:
        async with bench(tmp_path, port=0) as b:
            stranger = Terminal(OTHER)
            await stranger.connect(b.session.port)
            await stranger.say(0x0100, register(False))
            kind, body = await stranger.hear()
            assert (kind, body[2:]) == (0x8100, b"\x04")
            assert await stranger.result(0x0102, authenticate("guess", False)) == 1
            assert await stranger.result(0x0200, location(SystemClock().now(), 123_000_000, 41_000_000)) == 1
            assert (
                await b.session.command("waiting", {}) == f"{OTHER}: tried to authenticate without having been approved"
            )
            found = [one async for one in discover(b.place, "0")]
            assert [(one.name, one.settings) for one in found] == [(OTHER, {"vehicles": OTHER})]
            assert await b.session.command("forget", {}) == "forgotten"

    asyncio.run(play())


@pytest.mark.parametrize("cipher", [1, 2, 4, 7], ids=["RSA", "bit 11", "bit 12", "all"])
@pytest.mark.parametrize("new", [False, True])
def test_an_encrypted_message_is_refused_with_its_reason_and_never_read(tmp_path: Path, new: bool, cipher: int) -> None:
    """A body that reads well as plain, under a header that says it is encrypted (bits 10 to 12 of its properties)."""

    async def play() -> None:
        async with bench(tmp_path) as b:
            taken: list[Sample] = []
            b.start(b.pump(taken.append))
            car = Terminal(PHONE, new)
            await car.connect(b.session.port)
            await car.log_in()
            place = location(SystemClock().now(), 123_429_304, 41_796_770)
            car.writer.write(frame(0x0200, PHONE, 99, place, new, cipher=cipher))
            kind, answer = await car.hear()
            assert (kind, answer) == (0x8001, struct.pack(">HHB", 99, 0x0200, 3)), "3: not supported"
            told = await b.session.command("waiting", {})
            assert told.startswith(f"{PHONE}: message 0x0200 is encrypted, which this port cannot read")
            assert [one for one in taken if one.fixes] == []
            assert await car.result(0x0200, place) == 0, "the same place in plain is taken"
            assert len([one for one in taken if one.fixes]) == 1

    asyncio.run(play())


def test_a_wrong_code_and_another_ones_number_are_refused(tmp_path: Path) -> None:
    async def play() -> None:
        async with bench(tmp_path, vehicles=f"{PHONE},{OTHER}") as b:
            b.start(b.pump())
            first = Terminal(PHONE)
            await first.connect(b.session.port)
            await first.log_in()
            second = Terminal(OTHER)
            await second.connect(b.session.port)
            assert await second.result(0x0102, authenticate(first.code, False)) == 1
            first.phone = OTHER
            assert await first.result(0x0002, b"") == 1, "its connection is another vehicle's"

    asyncio.run(play())


def test_codes_outlive_a_restart(tmp_path: Path) -> None:
    async def code() -> str:
        async with bench(tmp_path) as b:
            b.start(b.pump())
            car = Terminal(PHONE)
            await car.connect(b.session.port)
            await car.log_in()
            return car.code

    assert asyncio.run(code()) == asyncio.run(code())
    assert (tmp_path / "D0001" / "auth.key").stat().st_mode & 0o777 == 0o600


def test_a_photo_in_parts_with_one_lost_is_asked_for_again(tmp_path: Path) -> None:
    photo = bytes(range(256)) * 10
    whole = struct.pack(">IBBBB", 77, 0, 0, 1, 2) + location(SystemClock().now(), 123_429_304, 41_796_770)[:28] + photo
    parts = [whole[n : n + 900] for n in range(0, len(whole), 900)]

    async def play() -> None:
        async with bench(tmp_path) as b:
            events: list[Event] = []

            async def keep() -> None:
                async for sample in b.samples:
                    events.extend(sample.events)

            b.start(keep())
            car = Terminal(PHONE)
            await car.connect(b.session.port)
            await car.log_in()
            serials = {}
            for n, part in enumerate(parts, 1):
                car.serial += 1
                serials[n] = car.serial
                if n != 2:
                    car.serial -= 1
                    await car.say(0x0801, part, (len(parts), n))
                    assert (await car.hear())[0] == 0x8001
            assert await car.hear() == (0x8800, struct.pack(">IBH", 77, 1, 2))
            car.serial = serials[2] - 1
            await car.say(0x0801, parts[1], (len(parts), 2))
            assert [(await car.hear())[0] for _ in range(2)] == [0x8001, 0x8800]
            (event,) = [one for one in events if one.kind == "media"]
            assert (tmp_path / "D0001" / "media" / event.facts["file"]).read_bytes() == photo
            assert (event.facts["id"], event.facts["kind"], event.facts["channel"]) == ("77", "photo", "2")

    asyncio.run(play())


def test_garbage_is_counted_and_the_next_message_is_taken(tmp_path: Path) -> None:
    async def play() -> None:
        async with bench(tmp_path) as b:
            b.start(b.pump())
            car = Terminal(PHONE)
            await car.connect(b.session.port)
            car.writer.write(b"GET / HTTP/1.1\r\n\r\n" + b"\x7e\x7d\x7d\x7e" + bytes(range(256)) * 40 + b"\x7e")
            await car.log_in()
            assert await car.result(0x0200, b"short") == 2
            assert await car.result(0x0002, b"") == 0
            pest = Terminal(OTHER)
            await pest.connect(b.session.port)
            pest.writer.write(b"\x7exx\x7eyy" * 200)
            assert await asyncio.wait_for(pest.reader.read(), 5) == b"", "who only talks nonsense is put off"
            assert await car.result(0x0002, b"") == 0

    asyncio.run(play())


def test_connections_are_bounded_and_a_taken_port_is_told(tmp_path: Path) -> None:
    async def play() -> None:
        async with bench(tmp_path, most_connections=1) as b:
            car, late = Terminal(PHONE), Terminal(OTHER)
            await car.connect(b.session.port)
            await car.say(0x0100, register(False))
            await car.hear()
            await late.connect(b.session.port)
            assert await asyncio.wait_for(late.reader.read(), 5) == b""
            with pytest.raises(DeviceUnreachable, match="is the port taken"):
                async with bench(tmp_path, port=b.session.port):
                    pass

    asyncio.run(play())
