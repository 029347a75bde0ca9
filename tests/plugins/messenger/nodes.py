"""Districts with a messenger, their rosters and cases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wanmi_messenger
from wanmi.case_kinds import CaseBecameOverdue
from wanmi.clock import ManualClock
from wanmi.kinds import CaseOpened
from wanmi.node import Node, run_action
from wanmi.registry import Draft, Stored
from wanmi.store import Store
from wanmi.testing import react, small_node
from wanmi_messenger import outbox
from wanmi_messenger.outbox import Message

START = 1_795_500_000_000_000
"""2026-11-24 14:00 in Shenyang, µs UTC."""
SECOND = 1_000_000
HOUR = 3600 * SECOND
NUMBER = "210102-E0102-20261124-0007"
ADDRESSES = """person,channel,address,lang
p-li,smtp,li@city.example,zh
p-li,sms,13800005678,zh
p-wang,smtp,wang@city.example,en
archive,webhook,archive,en
"""
ROSTER = """person,post,unit,from,to
p-li,operator,,,
p-wang,operator,,2026-11-24 08:00,2026-11-24 16:00
archive,operator,,,
"""
SMTP = {"host": "127.0.0.1", "security": "none", "sender": "wanmi@district.example", "timeout": 5}


def district(dir: Path, sections: Mapping[str, Mapping[str, object]], **more: Any) -> Node:
    """A district whose time stands still, with the messenger and its people."""
    node = small_node(
        dir / "node", plugins=[wanmi_messenger, *more.pop("plugins", ())], clock=ManualClock(START),
        sections={"messenger": {"fresh_hours": 24}, **sections}, **more,
    )  # fmt: skip
    act(node, "message.addresses", text=ADDRESSES)
    act(node, "message.roster", text=ROSTER)
    return node


def act(node: Node, action: str, /, **args: Any) -> dict[str, Any]:
    """Run an action; its result."""
    (result,) = [item for item in run_action(node, action, args) if isinstance(item, dict)]
    return result


def open_case(node: Node, n: int = 7) -> Stored:
    """Append a new case's entry."""
    number = f"210102-E0102-20261124-{n:04}"
    body = CaseOpened(
        number=number, district="210102", day="20261124", day_seq=n, kind="event", category="0102",
        profile="cjt-2007", component=None, grid="210102001001001", grid_version="g1", lon_e7=1_234_000_000,
        lat_e7=418_000_000, source="collector", terminal=None, report_id=None, report=None, reported_at=START,
        stage="collect", state="reported", similar=[], attachments=[],
    )  # fmt: skip
    (stored,) = node.journal.append(Draft("case.opened", f"case:{number}", body)).result()
    return stored


def new_case(node: Node, n: int = 7) -> None:
    """A new case, with what the reactors make of it."""
    open_case(node, n)
    react(node)


def messages(node: Node | Any) -> list[Message]:
    """The whole outbox, oldest first, by person and channel."""
    store: Store = node.store
    with store.reader() as tx:
        found = outbox.list_messages(tx, limit=500).messages
    return sorted(found, key=lambda one: (one.made_at, one.about, one.person, one.channel))


def advance(node: Node, seconds: int) -> None:
    """Let time pass."""
    assert isinstance(node.clock, ManualClock)
    node.clock.advance(seconds * SECOND)


def overdue_kind(to: Any) -> None:
    """``case.became_overdue`` where the core does not bring it."""
    if ("case.became_overdue", 1) not in to.kinds:
        to.entry_kind("case.became_overdue", CaseBecameOverdue, zh="案卷超时", en="Case became overdue")
