"""Photos of work that is done: made up, and handed in over HTTP by the person who names them."""

from __future__ import annotations

import re
import struct
import zlib
from random import Random
from typing import TYPE_CHECKING, Any

from wanmi.errors import LinkError
from wanmi_demo.processes import NodeProcess

if TYPE_CHECKING:
    import httpx

SIDE = 48
"""Pixels."""
_FORM = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')
_PAGE = {"accept": "text/html"}


def made_up_png(dice: Random) -> bytes:
    """A small square picture of one colour with some noise."""
    base = [dice.randrange(200) for _ in range(3)]
    rows = b"".join(
        b"\0" + bytes(value + dice.randrange(40) for _ in range(SIDE) for value in base) for _ in range(SIDE)
    )
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


class Uploads:
    """Photos that persons hand in at their nodes, each logged in as with a browser, once and again when the session ended."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._sessions: dict[tuple[str, str], tuple[httpx.Client, str]] = {}

    def hand_in(self, node: NodeProcess, login: str, number: str, photo: bytes) -> dict[str, Any]:
        """Upload a photo as whoever names it in a step of the case. LinkError when the node refuses it or is not there."""
        import httpx

        place = (str(node.facts()["web"]).rstrip("/"), login)
        try:
            if place not in self._sessions:
                self._sessions[place] = _log_in(*place, self._password)
            client, csrf = self._sessions[place]
            answer = client.post(
                f"/api/v1/cases/{number}/attachments",
                content=photo,
                headers={"content-type": "image/png", "x-csrf-token": csrf},
            )
            if answer.status_code != httpx.codes.OK:
                raise LinkError(f"{number}: photo of {login}: refused with {answer.status_code}: {answer.text[:300]}")
        except (httpx.HTTPError, LinkError) as error:
            self._forget(place)
            raise LinkError(str(error)) from error
        taken: dict[str, Any] = answer.json()
        return taken

    def close(self) -> None:
        """End the connections."""
        for place in list(self._sessions):
            self._forget(place)

    def _forget(self, place: tuple[str, str]) -> None:
        if place in self._sessions:
            self._sessions.pop(place)[0].close()


def _log_in(web: str, login: str, password: str) -> tuple[httpx.Client, str]:
    """A client with a person's session, and the session's token for writes."""
    import httpx

    client = httpx.Client(base_url=web, timeout=30.0)
    try:
        form = _FORM.search(client.get("/login", headers=_PAGE).text)
        fields = {"csrf_token": form[1] if form else "", "login": login, "password": password}
        client.post("/login", data=fields, headers=_PAGE)
        who = client.get("/api/v1/self")
        if who.status_code != httpx.codes.OK:
            raise LinkError(f"{login} cannot log in at {web}: {who.text[:300]}")
    except BaseException:
        client.close()
        raise
    return client, str(who.json()["csrf"])


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
