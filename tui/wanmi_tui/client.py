"""A client of one node's HTTP API: typed answers, and an error in words for whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from wanmi.errors import BadInput
from wanmi_tui.trust import tls_fault, trust_of, why_untrusted
from wanmi_tui.wire import Alarm, Answered, Entries, Hint, OwnNode, Problem, Samples
from wanmi_tui.wire_field import Admitted, Ask, Call, Ended, Retried, Terminal, Wall
from wanmi_tui.words import T, Text

Answer = TypeVar("Answer")
API = "/api/v1"
DEADLINE = 10.0
"""Seconds for an answer: a slow link is not a dead one."""
BEATS = 40.0
"""Seconds without a heartbeat (they come every 15 s) after which a stream is dead."""
MAX_ANSWER = 8_000_000
"""Bytes that are taken of one answer."""
HINTED = "alarm.,device.,power.,node.,link.,terminal.,fence.,vehicle.,report.,scene.,wall."


class Unreached(Exception):
    """The node did not answer. ``why`` is for people."""

    def __init__(self, why: Text, **facts: object) -> None:
        super().__init__(why.to("en", **facts))
        self.why, self.facts = why, facts


class Refused(Exception):
    """The node answered, and not with what was asked for; ``status`` of HTTP, ``detail`` in its own words."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class NodeClient:
    """Asks one node. ``url`` such as ``https://10.1.2.3:8443``; ``ca``: a PEM file that its certificate is checked with."""

    def __init__(self, url: str, token: str, ca: str = "", transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = checked_url(url)
        self._ca = ca
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers={"authorization": f"Bearer {token}", "accept": "application/json"},
            timeout=httpx.Timeout(DEADLINE),
            limits=httpx.Limits(max_connections=3, max_keepalive_connections=2),
            verify=trust_of(self.url, ca),
            trust_env=False,
            transport=transport,
        )

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def get(self, path: str, kind: type[Answer], **query: str | int) -> Answer:
        """An answer under /api/v1; Unreached or Refused."""
        return await self._ask("GET", path, kind, query=query)

    async def own_node(self) -> OwnNode:
        """Which node it is."""
        return await self.get("/node", OwnNode)

    async def entries(self, origin: str, after: int, limit: int) -> Entries:
        """A piece of a chain."""
        return await self.get("/entries", Entries, origin=origin, after=after, limit=limit)

    async def samples(self, device: str, part: str, limit: int) -> Samples:
        """The newest samples of a device, oldest first."""
        return await self.get(f"/devices/{quote(device, safe='')}/samples", Samples, part=part, limit=limit)

    async def acknowledge(self, alarm: Alarm, note: str) -> Alarm:
        """Say that somebody has seen an alarm."""
        ask = {"occurrence": alarm.occurrence, "note": note}
        return await self._ask("POST", f"{_alarm_path(alarm)}/acknowledge", Alarm, body=ask)

    async def silence(self, alarm: Alarm, seconds: int, note: str = "") -> Alarm:
        """Keep an alarm quiet for ``seconds``; 0 lets it shout again."""
        ask = {"occurrence": alarm.occurrence, "seconds": seconds, "note": note}
        return await self._ask("POST", f"{_alarm_path(alarm)}/silence", Alarm, body=ask)

    async def command(self, device: str, name: str, args: Mapping[str, str], confirm: bool) -> str:
        """Tell a device something; its answer in words."""
        path = f"/devices/{quote(device, safe='')}/commands/{quote(name, safe='')}"
        return (await self._ask("POST", path, Answered, body={"args": dict(args), "confirm": confirm})).answer

    async def retry(self, refused: str) -> str:
        """Have a refused report looked at again; what came of it."""
        path = f"/spool/refused/{quote(refused, safe='')}/retry"
        return (await self._ask("POST", path, Retried, body={})).outcome

    async def call_scene(self, scene: str, why: str) -> object:
        """Call a scene by hand."""
        return await self._ask("POST", f"/scenes/{quote(scene, safe='')}/calls", Call, body={"why": why})

    async def end_scene(self, scene: str) -> object:
        """End every call of a scene."""
        return await self._ask("DELETE", f"/scenes/{quote(scene, safe='')}/calls", Ended)

    async def admit_wall(self, wall: str) -> Admitted:
        """Admit a wall, or give it a new password."""
        return await self._ask("PUT", f"/walls/{quote(wall, safe='')}", Admitted)

    async def revoke_wall(self, wall: str, reason: str) -> object:
        """End a wall's password."""
        return await self._ask("DELETE", f"/walls/{quote(wall, safe='')}", Wall, query={"reason": reason})

    async def approve(self, ask: Ask, terminal: str, holder: str, replace: bool) -> str:
        """Admit a terminal that asked; the id that it has now."""
        body = {"terminal": terminal, "holder": holder, "replace": replace}
        return (await self._ask("POST", f"/terminals/asked/{quote(ask.id, safe='')}/approve", Ask, body=body)).terminal

    async def deny(self, ask: Ask, reason: str) -> object:
        """Turn a terminal away that asked."""
        path = f"/terminals/asked/{quote(ask.id, safe='')}/deny"
        return await self._ask("POST", path, Ask, body={"reason": reason})

    async def rotate(self, terminal: str, reason: str) -> object:
        """Have a terminal make a new key."""
        path = f"/terminals/{quote(terminal, safe='')}/rotate"
        return await self._ask("POST", path, Terminal, body={"reason": reason})

    async def revoke(self, terminal: str, reason: str) -> object:
        """Refuse a terminal from now on."""
        path = f"/terminals/{quote(terminal, safe='')}/revoke"
        return await self._ask("POST", path, Terminal, body={"reason": reason})

    async def hints(self, after: int | None) -> AsyncIterator[Hint]:
        """Entries as they come, from a position on; ends when the stream does. The first has the position only."""
        headers = {"accept": "text/event-stream", **({"last-event-id": str(after)} if after is not None else {})}
        wait = httpx.Timeout(DEADLINE, read=BEATS)
        try:
            query = {"kinds": HINTED}
            async with self._http.stream("GET", f"{API}/events", params=query, headers=headers, timeout=wait) as answer:
                if answer.status_code != 200:
                    raise Refused(answer.status_code, "")
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        yield _decoded(line[5:].encode(), Hint, "events")
        except httpx.HTTPError as error:
            raise await self._unreached(error) from error

    async def _ask(
        self,
        method: str,
        path: str,
        kind: type[Answer],
        *,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
    ) -> Answer:
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"content-type": "application/json"}
        try:
            async with self._http.stream(method, API + path, params=query, content=content, headers=headers) as answer:
                said = await _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise await self._unreached(error) from error
        if answer.is_redirect:
            raise Unreached(T.moved)
        if answer.status_code >= 400:
            raise Refused(answer.status_code, _detail(said, answer))
        return _decoded(said, kind, path)

    async def _unreached(self, error: Exception) -> Unreached:
        fault = tls_fault(error)
        if fault is not None:
            why, facts = await asyncio.to_thread(why_untrusted, fault, self.url, self._ca)
            return Unreached(why, **facts)
        if isinstance(error, httpx.RemoteProtocolError) and self.url.startswith("http://"):
            return Unreached(T.hung_up)
        return Unreached(T.timed_out if isinstance(error, httpx.TimeoutException) else T.no_answer)


def checked_url(url: str) -> str:
    """The address of a node: scheme, host and port only."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.path.strip("/"):
        raise BadInput(f"--url {url}: must be http://HOST:PORT or https://HOST:PORT, without a token or a path")
    return f"{parts.scheme}://{parts.netloc}"


async def _read(answer: httpx.Response) -> bytes:
    said = bytearray()
    async for chunk in answer.aiter_bytes():
        said += chunk
        if len(said) > MAX_ANSWER:
            raise Unreached(T.bad_answer, what=f"> {MAX_ANSWER} B")
    return bytes(said)


def _decoded(said: bytes, kind: type[Answer], path: str) -> Answer:
    try:
        return msgspec.json.decode(said, type=kind)
    except msgspec.MsgspecError as error:
        raise Unreached(T.bad_answer, what=f"{path}: {error}") from error


def _detail(said: bytes, answer: httpx.Response) -> str:
    try:
        return msgspec.json.decode(said, type=Problem).detail or answer.reason_phrase
    except msgspec.MsgspecError:
        return answer.reason_phrase or str(answer.status_code)


def _alarm_path(alarm: Alarm) -> str:
    return f"/alarms/{alarm.edge}/{alarm.device}/{quote(alarm.rule, safe='')}"
