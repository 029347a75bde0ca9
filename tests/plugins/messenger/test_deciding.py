"""From an entry to the outbox: once, for those on duty, in their language, and not before the decision is durable."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete

from plugins.messenger.nodes import ADDRESSES, NUMBER, SMTP, act, advance, district, messages, new_case, open_case
from wanmi.errors import BadInput
from wanmi.models import ReactorRow, table
from wanmi.node import Node
from wanmi.testing import react, reopen, replay_differences
from wanmi_messenger import outbox
from wanmi_messenger.deciding import DECIDE, RELEASE, Decider
from wanmi_messenger.messenger import messenger_of
from wanmi_messenger.pacing import MINUTE

SECTIONS = {
    "messenger.smtp": {**SMTP, "port": 9},
    "messenger.webhooks.archive": {"url": "http://127.0.0.1:9/", "secret_file": "keys/archive"},
}


def queued(node: Node) -> list[dict[str, object]]:
    """The bodies of all decisions."""
    entries = [one.entry for one in node.journal.read(node.code, 0)]
    return [one.body for one in entries if one is not None and one.kind == "message.queued"]


def test_a_new_case_is_told_to_those_on_duty(tmp_path: Path) -> None:
    with district(tmp_path, SECTIONS) as node:
        new_case(node)
        found = messages(node)
        assert [(one.person, one.lane, one.state, one.lang) for one in found] == [
            ("archive", "webhook:archive", "queued", "en"),
            ("p-li", "smtp", "queued", "zh"),
            ("p-wang", "smtp", "queued", "en"),
        ]
        assert found[1].title == f"新案卷 {NUMBER}"
        assert found[2].title == f"New case {NUMBER}"
        assert "210102001001001" in found[2].text
        (body,) = queued(node)
        assert (body["recipients"], body["channels"]) == (3, {"smtp": 2, "webhook": 1})
        assert (body["rule"], body["about"], body["book"]) == ("new-case", f"case:{NUMBER}", 0)
        assert replay_differences(node) == []


def test_no_person_address_or_text_is_journaled(tmp_path: Path) -> None:
    with district(tmp_path, SECTIONS) as node:
        new_case(node)
        chain = b"".join(one.raw or b"" for one in node.journal.read(node.code, 0))
        texts = [one.text for one in messages(node)]
    for secret in ("p-li", "p-wang", "li@city.example", "13800005678", *texts):
        assert secret.encode() not in chain


def test_who_is_off_duty_hears_nothing(tmp_path: Path) -> None:
    with district(tmp_path, SECTIONS) as node:
        advance(node, 3 * 3600)
        new_case(node)
        assert [one.person for one in messages(node)] == ["archive", "p-li"]


def test_deciding_again_makes_nothing_twice(tmp_path: Path) -> None:
    """The reactors' cursors are lost, as after a restore of local tables."""
    with district(tmp_path, SECTIONS) as node:
        new_case(node)
        before = messages(node)
        for n in (1, 2):
            node.store.write(lambda tx: tx.execute(delete(table(ReactorRow)))).result()
            assert react(node) == 0, n
        assert messages(node) == before
        assert len(queued(node)) == 1


def test_nothing_leaves_before_its_decision_is_durable(tmp_path: Path) -> None:
    """Planned, then a crash: the same is decided again, with the roster as it is then, and only that is sent."""
    with district(tmp_path, SECTIONS) as node:
        stored = open_case(node)
        ((_, draft),) = Decider().decide(node, [stored])
        planned = messages(node)
        assert {one.state for one in planned} == {"planned"}
        assert (
            node.store.write(lambda tx: outbox.claim(tx, "smtp", node.clock.now(), urgent_only=False)).result() is None
        )
        act(node, "message.addresses", text=ADDRESSES.replace("p-wang,smtp", "p-zhao,smtp"))
        with reopen(node) as again:
            react(again)
            assert [(one.person, one.state) for one in messages(again)] == [("archive", "queued"), ("p-li", "queued")]
            assert [body["recipients"] for body in queued(again)] == [2]
            assert draft.subject == messages(again)[0].decision


def test_old_entries_are_told_to_nobody(tmp_path: Path) -> None:
    with district(tmp_path, SECTIONS) as node:
        open_case(node, 1)
        advance(node, 24 * 3600 + 1)
        open_case(node, 2)
        react(node)
        assert {one.about[-4:] for one in messages(node)} == {"0002"}
        assert messenger_of(node)(node)[0].facts["stale"] == 1


def test_a_rule_that_reaches_nobody_is_a_warning_and_no_entry(tmp_path: Path) -> None:
    with district(tmp_path, SECTIONS) as node:
        act(node, "message.roster", text="person,post,unit,from,to\n")
        new_case(node)
        assert queued(node) == []
        line = messenger_of(node)(node)[0]
        assert (line.state, "new-case" in line.reason) == ("warn", True)


def test_a_channel_that_is_not_there_is_not_used(tmp_path: Path) -> None:
    with district(tmp_path, {"messenger.smtp": SECTIONS["messenger.smtp"]}) as node:
        new_case(node)
        assert {one.channel for one in messages(node)} == {"smtp"}


def test_a_test_message_needs_its_channel(tmp_path: Path) -> None:
    with district(tmp_path, SECTIONS) as node:
        with pytest.raises(BadInput, match="channel sms is not in the settings"):
            act(node, "message.test", channel="sms", address="13800005678")
        with pytest.raises(BadInput, match="none for channel smtp"):
            act(node, "message.test", channel="smtp", address="nobody")
        id = act(node, "message.test", channel="smtp", address="li@city.example", lang="en")["id"]
        (one,) = act(node, "message.list")["messages"]
        assert (one["id"], one["state"], one["title"]) == (id, "queued", "Wanmi messenger test")


def test_pages_of_messages_are_whole(tmp_path: Path) -> None:
    with district(tmp_path, SECTIONS) as node:
        for n in range(1, 8):
            new_case(node, n)
        seen, cursor = [], ""
        while cursor is not None:
            page = act(node, "message.list", limit=4, cursor=cursor)
            seen += [one["id"] for one in page["messages"]]
            cursor = page["next"]
        assert len(seen) == len(set(seen)) == 21
        with pytest.raises(BadInput, match="cursor"):
            act(node, "message.list", cursor="x")
        with pytest.raises(BadInput, match="state"):
            act(node, "message.list", state="lost")


def test_old_messages_are_forgotten_and_waiting_ones_are_not(tmp_path: Path) -> None:
    with district(tmp_path, SECTIONS) as node:
        new_case(node)
        first = messages(node)[0]
        act(node, "message.drop", id=first.id)
        later = node.clock.now() + MINUTE
        assert node.store.write(lambda tx: outbox.purge(tx, later)).result() == 1
        assert first.id not in {one.id for one in messages(node)}
        assert len(messages(node)) == 2


def test_the_reactors_are_registered(tmp_path: Path) -> None:
    with district(tmp_path, {}) as node:
        assert {DECIDE, RELEASE} <= set(node.registry.reactors)
