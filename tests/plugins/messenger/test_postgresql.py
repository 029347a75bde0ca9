"""The outbox on PostgreSQL: decided, tried, dead, sent again; paged; forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.messenger import servers
from plugins.messenger.nodes import SMTP, act, advance, district, messages, new_case
from support.postgres import new_database, postgresql
from wanmi.testing import replay_differences
from wanmi_messenger import outbox
from wanmi_messenger.book import first_book
from wanmi_messenger.messenger import messenger_of
from wanmi_messenger.sender import Sender

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]


def test_a_messages_life_on_postgresql(tmp_path: Path) -> None:
    with postgresql() as base, servers.smtp_server() as (box, port):
        sections = {"database": {"url": new_database(base, "outbox")}, "messenger.smtp": {**SMTP, "port": port}}
        with district(tmp_path, sections) as node:
            act(node, "message.activate", text=first_book().text)
            box.rcpt_answers = ["550 not\x00here", "451 later"]
            new_case(node)
            sender = Sender(node)
            assert sender.recover() == 0
            assert sender.run_due() == 2
            assert sorted((one.state, one.code) for one in messages(node)) == [
                ("dead", "smtp 550"), ("failed", "smtp 451"),
            ]  # fmt: skip
            dead = next(one for one in messages(node) if one.state == "dead")
            act(node, "message.resend", id=dead.id)
            advance(node, 60)
            assert sender.run_due() == 2
            assert {one.state for one in messages(node)} == {"sent"}
            first = act(node, "message.list", limit=1)
            assert act(node, "message.list", limit=1, cursor=first["next"])["next"] is None
            assert {line.state for line in messenger_of(node)(node)} == {"fine"}
            later = node.clock.now() + 1
            assert node.store.write(lambda tx: outbox.purge(tx, later)).result() == 2
            assert replay_differences(node) == []
