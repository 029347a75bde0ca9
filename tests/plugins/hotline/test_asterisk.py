"""The Asterisk adapter against AMI dialogues that a TCP server replays: no Asterisk runs here, Debian 12 has none.

The dialogues in ``ami/`` are scripted after Asterisk's documentation of its events, with the fields and the order of
Asterisk 18; they were not captured from a running one. A line that begins with ``C:`` is what the client must send
before the server goes on; ``{id}`` stands for its ActionID.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from plugins.hotline.desk import Desk, desk, popup
from wanmi.clock import SECOND
from wanmi.errors import LinkError, NotAllowed
from wanmi_hotline.ami import Ami, encode
from wanmi_hotline.asterisk import Asterisk, Translator, gone
from wanmi_hotline.events import Event
from wanmi_hotline.intake import Intake
from wanmi_hotline.parts import Hotline
from wanmi_hotline.settings import AsteriskSettings

DIALOGUES = Path(__file__).parent / "ami"
SECRET = "s3cret"


class Replayed:
    """A TCP server that replays dialogues, one a connection."""

    def __init__(self, *names: str, piece: int = 0) -> None:
        self._dialogues = [(DIALOGUES / f"{name}.txt").read_text(encoding="utf-8") for name in names]
        self._piece = piece
        self.trouble: list[str] = []
        self.done = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """The port on which it listens."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]
        assert self.trouble == []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._dialogues:
            writer.close()
            return
        action_id = ""
        for line in self._dialogues.pop(0).splitlines():
            if line.startswith("#"):
                continue
            if line.startswith("C: "):
                action_id = await self._expect(reader, line[3:], action_id)
                continue
            await self._say(writer, line.replace("{id}", action_id) + "\r\n")
        if not self._dialogues:
            self.done.set()
            await reader.read()
        writer.close()

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
        """In pieces where asked for: packets do not keep to the borders of TCP's."""
        data = text.encode()
        step = self._piece or len(data)
        for at in range(0, len(data), step):
            writer.write(data[at : at + step])
            await writer.drain()

    async def _expect(self, reader: asyncio.StreamReader, wanted: str, action_id: str) -> str:
        """The client's next line; the ActionID that is known by now."""
        said = ""
        while not said:
            raw = await reader.readline()
            if not raw:
                self.trouble.append(f"wanted {wanted}, the client left")
                return action_id
            said = raw.decode().strip()
        if not re.fullmatch(re.escape(wanted).replace(r"\{id\}", r"\S+"), said):
            self.trouble.append(f"wanted {wanted}, came {said}")
        return said.partition(": ")[2] if said.startswith("ActionID") else action_id


async def call_in(made: Desk, tmp_path: Path, *names: str, events: int, piece: int = 0) -> Asterisk:
    """Let the adapter hear dialogues to their end: so many events come of them."""
    server = Replayed(*names, piece=piece)
    (tmp_path / "secret").write_text(SECRET + "\n")
    async with server.serving() as port:
        settings = AsteriskSettings(host="127.0.0.1", port=port, secret_file=str(tmp_path / "secret"))
        intake = Intake(made.node, Hotline().board)
        asterisk = Asterisk(made.node, intake, settings)
        running = asyncio.create_task(asterisk.run())
        await asyncio.wait_for(server.done.wait(), 15)
        await until(lambda: intake.counts["taken"] + intake.counts["known"] >= events)
        assert intake.counts["refused"] == 0
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.sleep(0)
    return asterisk


async def until(true: Callable[[], object]) -> None:
    """Poll until it is true."""
    for _ in range(1500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never")


@pytest.mark.parametrize("piece", [0, 7])
def test_a_call_through_a_queue(tmp_path: Path, piece: int) -> None:
    """Two seats ring, one answers, the caller is held once, a file is recorded, the caller hangs up."""
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "1795500010.17.wav").write_bytes(b"RIFF0000WAVE")
    with desk(tmp_path, recordings=str(folder)) as made:
        one, two = made.operator("one", "8001"), made.operator("two", "8002")
        asyncio.run(call_in(made, tmp_path, "queue", events=7, piece=piece))
        assert [
            len(made.entries(f"call.{kind}")) for kind in ("begun", "rang", "answered", "held", "recorded", "ended")
        ] == [1, 1, 1, 2, 1, 1]
        assert popup(one)["calls"] == []
        [call] = popup(two)["calls"]
        assert (call["number"], call["called"], call["seat"], call["state"]) == (
            "+8613940012345",
            "12319",
            "8002",
            "ended",
        )
        [told] = two.get("/api/v1/hotline/calls").json()["calls"]
        assert (told["held_seconds"], told["reason"], told["direction"]) == (11, "Normal Clearing", "in")
        assert told["answered_at"] == 1_795_500_016_250_000
        assert len(told["recordings"]) == 1


def test_the_same_dialogue_again_is_known(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "1795500010.17.wav").write_bytes(b"RIFF0000WAVE")
    with desk(tmp_path, recordings=str(folder)) as made:
        asyncio.run(call_in(made, tmp_path, "queue", events=7))
        before = made.node.journal.pos
        asyncio.run(call_in(made, tmp_path, "queue", events=7))
        assert made.node.journal.pos == before


def test_a_call_that_ended_while_the_connection_was_broken(tmp_path: Path) -> None:
    """After the second login the live channels are asked for; the call is not among them."""
    with desk(tmp_path) as made:
        import wanmi_hotline.asterisk as module

        module_again, module.AGAIN = module.AGAIN, 0.05
        try:
            asterisk = asyncio.run(call_in(made, tmp_path, "broken-off", "again", events=3))
        finally:
            module.AGAIN = module_again
        assert asterisk.connections == 2
        [ended] = made.entries("call.ended")
        assert ended.entry is not None
        assert ended.entry.body["reason"] == ""


def test_an_outgoing_call_is_ours(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        operator = made.operator()
        asyncio.run(call_in(made, tmp_path, "outgoing", events=3))
        [call] = popup(operator)["calls"]
        assert (call["direction"], call["number"], call["seat"]) == ("out", "+862423865678", "8001")


def test_a_refused_login_is_told(tmp_path: Path) -> None:
    async def log_in() -> None:
        server = Replayed("refused")
        async with server.serving() as port:
            with pytest.raises(NotAllowed, match="Authentication failed"):
                await Ami.connect("127.0.0.1", port, "wanmi", SECRET)

    asyncio.run(log_in())


def test_what_is_no_asterisk_is_told(tmp_path: Path) -> None:
    async def log_in() -> None:
        async with Replayed("not-asterisk").serving() as port:
            with pytest.raises(LinkError, match="is that the manager interface"):
                await Ami.connect("127.0.0.1", port, "wanmi", SECRET)
        with pytest.raises(LinkError):
            await Ami.connect("127.0.0.1", port, "wanmi", SECRET)

    asyncio.run(log_in())


def test_answers_find_their_askers(tmp_path: Path) -> None:
    """Two actions are under way, the second is answered first, with an event between."""

    async def ask() -> None:
        server = Replayed("two-at-once")
        async with server.serving() as port:
            ami = await Ami.connect("127.0.0.1", port, "wanmi", SECRET)
            first, second = asyncio.create_task(ami.action("Ping")), asyncio.create_task(ami.action("CoreStatus"))
            assert (await second)["CoreCurrentCalls"] == "3"
            assert (await first)["Ping"] == "Pong"
            async for packet in ami.events():
                if packet["Event"] == "PeerStatus":
                    break
            await ami.close()
            with pytest.raises(LinkError):
                await ami.action("Ping")

    asyncio.run(ask())


def test_a_line_end_in_a_field_would_be_another_action() -> None:
    with pytest.raises(ValueError, match="line end"):
        encode("Originate", "1", {"Channel": "PJSIP/8001\r\nAction: Command"})


def test_calls_between_seats_and_other_events_are_nothing() -> None:
    translator = Translator("asterisk", AsteriskSettings().seat)
    inside = {
        "Event": "DialBegin",
        "Linkedid": "1.1",
        "Channel": "PJSIP/8001-00000001",
        "DestChannel": "PJSIP/8002-00000002",
    }
    trunks = inside | {"Channel": "PJSIP/trunk-1", "DestChannel": "PJSIP/trunk-2"}
    local = inside | {"Channel": "PJSIP/trunk-1", "DestChannel": "Local/8001@agents-00000001;1"}
    for packet in (
        inside,
        trunks,
        local,
        {"Event": "Hangup", "Linkedid": "1.1", "Uniqueid": "1.1"},
        {"Event": "VarSet"},
        {},
    ):
        assert translator.translate(packet, 1) is None
    assert gone(["1", "2"], ["2", "3"]) == ["1"]


def test_times_are_the_asterisks_own_where_it_says_them() -> None:
    translator = Translator("asterisk", AsteriskSettings().seat)
    rings = {
        "Event": "DialBegin",
        "Linkedid": "1.1",
        "Channel": "PJSIP/trunk-1",
        "DestChannel": "PJSIP/8001-00000002",
        "CallerIDNum": "110",
    }
    now = 5 * SECOND
    told = translator.translate(rings, now)
    assert isinstance(told, Event)
    assert told.at == now
    exact = translator.translate(rings | {"Timestamp": "1795500010.123456"}, now)
    assert exact is not None
    assert exact.at == 1_795_500_010_123_456
