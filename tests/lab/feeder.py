"""A plugin for the lab's nodes: real reports in bulk, and death at a named moment. Ordered by files in DIR.

``DIR/feed.json`` {"upto": n, "batch": n, "pace": seconds}: append numbered reports until there are ``upto``; after a kill it
goes on after the last that is durable. ``DIR/kill.json`` {"point": …, "after": n}: SIGKILL this process at the n-th time
that it comes to the point; the file is gone once that is armed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from wanmi.hookspecs import hookimpl
from wanmi.ids import SeededIds
from wanmi.kinds import ReportReceived
from wanmi.models import ReportRow, table
from wanmi.registry import Draft, NodeContext, Registry
from wanmi.reports.envelope import to_b64
from wanmi_federation.loop import LinkLoop

FEED, KILL = "feed.json", "kill.json"
BATCH, ACK = 0x03, 0x04
POINTS = ("before commit", "after commit", "before batch", "after batch", "before ack", "after ack")
LOOK = 0.05
"""Seconds between two looks at the files."""


@hookimpl
def register(to: Registry) -> None:
    """The task."""
    to.task("feeder", feed)


async def feed(node: NodeContext) -> None:
    """Do what the files say, until cancelled."""
    death = Death()
    node.store.writer.join(death)
    _watch_sending(death)
    made = await asyncio.to_thread(_made, node)
    while True:
        death.arm(Path(node.dir))
        order = _read(Path(node.dir) / FEED)
        numbers = range(made, min(made + order["batch"], order["upto"])) if order else range(0)
        if numbers:
            await asyncio.to_thread(_append, node, numbers)
            made = numbers.stop
        await asyncio.sleep(order["pace"] if numbers else LOOK)


class Death:
    """Follows the writer (as a participant of its transactions) and the links, and dies when its number comes up."""

    def __init__(self) -> None:
        self.point, self.left = "", 0

    def arm(self, dir: Path) -> None:
        order = _read(dir / KILL)
        if order:
            (dir / KILL).unlink()
            self.point, self.left = order["point"], order["after"]

    def at(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def begin(self) -> None:
        """Of a participant: nothing to stage."""

    def before_commit(self, tx: Connection) -> None:
        self.at("before commit")

    def committed(self) -> None:
        self.at("after commit")


def _watch_sending(death: Death) -> None:
    send: Callable[[LinkLoop, str, bytes], None] = LinkLoop.send
    names = {BATCH: "batch", ACK: "ack"}

    def watched(loop: LinkLoop, peer: str, frame: bytes) -> None:
        name = names.get(frame[0], "other")
        death.at(f"before {name}")
        send(loop, peer, frame)
        death.at(f"after {name}")

    LinkLoop.send = watched  # type: ignore[method-assign]


def _made(node: NodeContext) -> int:
    row = table(ReportRow).c
    with node.store.reader() as connection:
        return int(connection.execute(select(func.count()).where(row.edge == node.code)).scalar_one())


def _append(node: NodeContext, numbers: range) -> None:
    ids = SeededIds(f"{node.code} {numbers.start}")
    node.journal.append(*(_report(node.code, n, ids) for n in numbers)).result()


def _report(code: str, number: int, ids: SeededIds) -> Draft:
    """What compresses badly in a real report (envelope, signature, digest) is random here too."""
    report, terminal = f"{number:026d}", f"T{code[:6]}-0001"
    envelope, sig, digest = to_b64(ids.token(150)), to_b64(ids.token(64)), ids.token(32).hex()
    body = ReportReceived(terminal, report, envelope, sig, digest, "event", "0102", 1_790_000_000_000_000 + number, [])
    return Draft("report.received", f"report:{code}:{report}:{terminal}", body)


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
