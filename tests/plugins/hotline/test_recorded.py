"""The Asterisk adapter against events that real Asterisks sent (``ami/recorded``, with sources and licences there).

The events are recorded; the login before them and the borders of TCP's packets are this test's own.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from plugins.hotline.desk import Desk, desk, popup
from plugins.hotline.test_asterisk import SECRET, until
from wanmi.errors import NotAllowed
from wanmi_hotline.ami import Ami
from wanmi_hotline.asterisk import Asterisk
from wanmi_hotline.intake import Intake
from wanmi_hotline.parts import Hotline
from wanmi_hotline.settings import AsteriskSettings

RECORDED = Path(__file__).parent / "ami" / "recorded"


class Server:
    """Says a greeting, lets anybody in, then says what was recorded: with such line ends, in such pieces."""

    def __init__(self, recorded: str, ends: str, piece: int, banner: str = "Asterisk Call Manager/5.0.2") -> None:
        self._text, self._ends, self._piece, self._banner = recorded, ends, piece, banner
        self.done = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        await self._say(writer, self._banner + "\n")
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        action_id = next(line[10:] for line in asked.split("\r\n") if line.startswith("ActionID: "))
        await self._say(writer, f"Response: Success\nActionID: {action_id}\nMessage: Authentication accepted\n\n")
        await self._say(writer, self._text)
        self.done.set()
        await reader.read()
        writer.close()

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
        data = text.replace("\n", self._ends).encode()
        for at in range(0, len(data), self._piece):
            writer.write(data[at : at + self._piece])
            await writer.drain()


async def hear(made: Desk, dir: Path, server: Server, seat: str, events: int) -> Intake:
    (dir / "secret").write_text(SECRET)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        settings = AsteriskSettings(
            host="127.0.0.1",
            port=listening.sockets[0].getsockname()[1],
            secret_file=str(dir / "secret"),
            seat=seat,
        )
        intake = Intake(made.node, Hotline().board)
        running = asyncio.create_task(Asterisk(made.node, intake, settings).run())
        await asyncio.wait_for(server.done.wait(), 15)
        await until(lambda: intake.counts["taken"] >= events)
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert (intake.counts["taken"], intake.counts["refused"]) == (events, 0)
    return intake


def told(made: Desk) -> list[str]:
    kinds = [one.entry.kind for one in made.node.journal.read(made.node.code, 0) if one.entry is not None]
    return [kind for kind in kinds if kind.startswith("call.")]


def text_of(name: str) -> str:
    return (RECORDED / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("ends", "piece"), [("\r\n", 100_000), ("\n", 100_000), ("\r\n", 11), ("\r\n", 1460)])
def test_an_answered_call_of_asterisk_20(tmp_path: Path, ends: str, piece: int) -> None:
    """A call to extension 21: rings, is answered, both hang up; the callee's channel goes first."""
    with desk(tmp_path) as made:
        operator = made.operator(seat="21")
        asyncio.run(hear(made, tmp_path, Server(text_of("answered"), ends, piece), r"PJSIP/(2[0-9])-", 3))
        assert told(made) == ["call.begun", "call.answered", "call.ended"]
        [call] = popup(operator)["calls"]
        assert (call["state"], call["called"], call["seat"]) == ("ended", "21", "21")


def test_a_call_that_its_caller_gave_up(tmp_path: Path) -> None:
    with desk(tmp_path) as made:
        operator = made.operator(seat="21")
        asyncio.run(hear(made, tmp_path, Server(text_of("cancelled"), "\r\n", 700), r"PJSIP/(2[0-9])-", 2))
        assert told(made) == ["call.begun", "call.ended"]
        [call] = operator.get("/api/v1/hotline/calls").json()["calls"]
        assert (call["missed"], call["reason"]) == (True, "Interworking, unspecified")


def test_a_queue_of_asterisk_13_through_local_channels(tmp_path: Path) -> None:
    """Two seats are dialled behind Local channels, one is busy, the other takes the call."""
    with desk(tmp_path) as made:
        operator = made.operator(seat="150010002")
        asyncio.run(hear(made, tmp_path, Server(text_of("queue-13"), "\r\n", 500), r"SIP/([0-9]{9})-", 4))
        assert told(made) == ["call.begun", "call.rang", "call.answered", "call.ended"]
        [call] = popup(operator)["calls"]
        assert (call["number"], call["called"], call["seat"]) == ("+31150010001", "+31150010004", "150010002")


def test_events_of_asterisk_11_are_another_language(tmp_path: Path) -> None:
    """AMI 1.x (before Asterisk 12) names no calls (Linkedid): nothing is made of it, and nothing breaks."""
    with desk(tmp_path) as made:
        server = Server(text_of("originated-11"), "\r\n", 4096, "Asterisk Call Manager/1.3")
        asyncio.run(hear(made, tmp_path, server, r"SIP/([a-z]{5})-", 0))
        assert told(made) == []


@pytest.mark.parametrize(("name", "let_in"), [("login-ok-11", True), ("login-failed-11", False)])
def test_logins_of_asterisk_11(name: str, let_in: bool) -> None:
    banner, _, rest = text_of(name).partition("\n")
    answer = rest.partition("\n\n")[2].replace("action/transaction_uid/1/1", "{id}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{banner}\r\n".encode())
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        action_id = next(line[10:] for line in asked.split("\r\n") if line.startswith("ActionID: "))
        writer.write((answer.rstrip("\n") + "\n\n").replace("{id}", action_id).replace("\n", "\r\n").encode())
        await reader.read()
        writer.close()

    async def log_in() -> None:
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            if not let_in:
                with pytest.raises(NotAllowed, match="Authentication failed"):
                    await Ami.connect("127.0.0.1", port, "wanmi", SECRET)
                return
            ami = await Ami.connect("127.0.0.1", port, "wanmi", SECRET)
            async for packet in ami.events():
                assert packet["Event"] == "FullyBooted"
                break
            await ami.close()

    asyncio.run(log_in())
