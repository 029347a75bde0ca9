"""Against real servers: nothing is sent before the peer said so, and what failed is tried again with the same id."""

from __future__ import annotations

import json
import socket
import threading
import time
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from plugins.messenger import servers
from plugins.messenger.nodes import SMTP, act, advance, district, messages, new_case, open_case
from plugins.messenger.servers import http_server, raw_smtp, smtp_server
from plugins.messenger.verifying import fits
from support.live import until
from wanmi.errors import Conflict
from wanmi.ids import SeededIds
from wanmi.node import Node
from wanmi.testing import running
from wanmi_messenger import outbox
from wanmi_messenger.messenger import messenger_of
from wanmi_messenger.outbox import Message
from wanmi_messenger.sender import Sender


def mail(port: int, **more: object) -> dict[str, dict[str, object]]:
    return {"messenger.smtp": {**SMTP, "port": port, **more}}


def hook(url: str, **more: object) -> dict[str, dict[str, object]]:
    return {"messenger.webhooks.archive": {"url": url, "secret_file": "keys/archive", "timeout": 5, **more}}


def sms(url: str, **more: object) -> dict[str, dict[str, object]]:
    return {"messenger.sms": {"url": url, "timeout": 5, **more}}


def only(node: Node) -> Message:
    (one,) = messages(node)
    return one


def queue(node: Node, channel: str, address: str) -> str:
    return str(act(node, "message.test", channel=channel, address=address)["id"])


def health(node: Node, name: str) -> tuple[str, str]:
    line = next(one for one in messenger_of(node)(node) if one.name == name)
    return line.state, line.reason


# -- mail


def test_mail_arrives_as_it_was_written(tmp_path: Path) -> None:
    with smtp_server() as (box, port), district(tmp_path, mail(port)) as node:
        new_case(node)
        sender = Sender(node)
        assert sender.run_due() == 2
        assert sender.run_due() == 0
        assert {one.state for one in messages(node)} == {"sent"}
        assert {one.code for one in messages(node)} == {"smtp 250"}
        by_to = {envelope.rcpt_tos[0]: message_from_bytes(envelope.content) for envelope in box.mails}
        ours = {one.address: one for one in messages(node)}
    assert set(by_to) == {"li@city.example", "wang@city.example"}
    for address, received in by_to.items():
        assert str(make_header(decode_header(received["subject"]))) == ours[address].title
        assert received["message-id"] == f"<{ours[address].id}@district.example>"
        payload = received.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode().strip() == ours[address].text


@pytest.mark.parametrize("at", ["rcpt_answers", "data_answers"])
def test_4xx_is_tried_again_and_5xx_never(tmp_path: Path, at: str) -> None:
    with smtp_server() as (box, port), district(tmp_path, mail(port)) as node:
        queue(node, "smtp", "li@city.example")
        sender = Sender(node)
        getattr(box, at).extend(["451 try later", "550 <li@city.example> unknown"])
        assert sender.run_due() == 1
        failed = only(node)
        assert (failed.state, failed.code) == ("failed", "smtp 451")
        assert 15 <= (failed.next_at - node.clock.now()) // 1_000_000 <= 30
        assert sender.run_due() == 0, "it waits"
        assert health(node, "messages smtp")[0] == "warn"
        advance(node, 30)
        assert sender.run_due() == 1
        dead = only(node)
        assert (dead.state, dead.code, dead.tries) == ("dead", "smtp 550", 2)
        assert "li@city.example" in dead.reason
        assert "li@city.example" not in str(messenger_of(node)(node)), "health tells no address"
        advance(node, 86_400)
        assert sender.run_due() == 0
        assert box.mails == []
        act(node, "message.resend", id=dead.id)
        assert sender.run_due() == 1
        assert (only(node).state, only(node).id, len(box.mails)) == ("sent", dead.id, 1)


@pytest.mark.parametrize("how", [servers.drop, servers.break_off])
def test_a_connection_that_breaks_after_data_leaves_it_unsent(tmp_path: Path, how: servers.Act) -> None:
    """The server may have it: it is sent again, with the same Message-ID."""
    with raw_smtp(how) as (server, port), district(tmp_path, mail(port)) as node:
        queue(node, "smtp", "li@city.example")
        sender = Sender(node)
        sender.run_due()
        assert (only(node).state, only(node).code) == ("failed", "connection lost")
        advance(node, 30)
        sender.run_due()
        assert (only(node).state, only(node).tries) == ("sent", 2)
        assert server.bodies[0] == server.bodies[1]
        assert f"Message-ID: <{only(node).id}@".encode() in server.bodies[0]


def test_an_answer_that_drips_has_an_end(tmp_path: Path) -> None:
    with raw_smtp(servers.drip) as (_, port), district(tmp_path, mail(port, timeout=1)) as node:
        queue(node, "smtp", "li@city.example")
        started = time.monotonic()
        Sender(node).run_due()
        assert time.monotonic() - started < 4
        assert (only(node).state, only(node).code) == ("failed", "timeout")


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with district(tmp_path, mail(bound.getsockname()[1])) as node:
            queue(node, "smtp", "li@city.example")
            Sender(node).run_due()
            assert (only(node).state, only(node).code) == ("failed", "connection refused")


def test_a_server_without_starttls_gets_no_plain_text(tmp_path: Path) -> None:
    with smtp_server() as (box, port), district(tmp_path, mail(port, security="starttls")) as node:
        queue(node, "smtp", "li@city.example")
        Sender(node).run_due()
        assert (only(node).state, only(node).code, box.mails) == ("failed", "smtp unsupported", [])


def test_tries_have_an_end(tmp_path: Path) -> None:
    sections = {"messenger": {"tries": 3}, **mail(1)}
    with district(tmp_path, sections) as node:
        queue(node, "smtp", "li@city.example")
        sender = Sender(node)
        for _ in range(5):
            sender.run_due()
            advance(node, 86_400)
        assert (only(node).state, only(node).tries) == ("dead", 3)
        assert "dead" in health(node, "messages smtp")[1]


# -- webhooks


def test_webhooks_are_signed_for_any_receiver(tmp_path: Path) -> None:
    with http_server() as (endpoint, url), district(tmp_path, hook(url)) as node:
        secret = act(node, "message.rotate", name="archive")["secret"]
        new_case(node)
        endpoint.answers = [(500, {}, b"")]
        sender = Sender(node)
        sender.run_due()
        advance(node, 30)
        sender.run_due()
        assert only(node).state == "sent"
        first, second = endpoint.asked
        now = node.clock.now()
        assert fits(secret, first.headers, first.body, now)
        assert fits(secret, second.headers, second.body, now)
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == only(node).id
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 30
        assert first.body == second.body
        assert json.loads(first.body)["type"] == "case.opened"
        assert not fits(secret, second.headers, second.body + b" ", now)


def test_a_secret_changes_without_a_gap(tmp_path: Path) -> None:
    with http_server() as (endpoint, url), district(tmp_path, hook(url)) as node:
        old = act(node, "message.rotate", name="archive")["secret"]
        new = act(node, "message.rotate", name="archive", overlap=3600)["secret"]
        sender = Sender(node)
        queue(node, "webhook", "archive")
        sender.run_due()
        advance(node, 3600)
        queue(node, "webhook", "archive")
        sender.run_due()
        now = node.clock.now()
        during, after = endpoint.asked
        assert [fits(one, during.headers, during.body, now - 3600 * 1_000_000) for one in (old, new)] == [True, True]
        assert [fits(one, after.headers, after.body, now) for one in (old, new)] == [False, True]


def test_without_a_secret_nothing_leaves(tmp_path: Path) -> None:
    with http_server() as (endpoint, url), district(tmp_path, hook(url)) as node:
        queue(node, "webhook", "archive")
        Sender(node).run_due()
        assert (only(node).state, only(node).code, endpoint.asked) == ("failed", "settings", [])


ENDS = [
    ((500, {}, b"oops"), "failed", "http 500"),
    ((404, {}, b""), "failed", "http 404"),
    ((410, {}, b""), "dead", "http 410"),
    ((400, {}, b""), "dead", "http 400"),
    ((302, {"location": "http://127.0.0.1:9/"}, b""), "dead", "http 302"),
    ((202, {}, b""), "sent", "http 202"),
    ("drop", "failed", "connection lost"),
    ("cut", "failed", "connection lost"),
]


@pytest.mark.parametrize(("answer", "state", "code"), ENDS)
def test_answers_and_their_ends(tmp_path: Path, answer: servers.Answer, state: str, code: str) -> None:
    with http_server() as (endpoint, url), district(tmp_path, hook(url)) as node:
        act(node, "message.rotate", name="archive")
        queue(node, "webhook", "archive")
        endpoint.answers = [answer]
        Sender(node).run_due()
        assert (only(node).state, only(node).code, len(endpoint.asked)) == (state, code, 1)


def test_a_slow_server_is_left(tmp_path: Path) -> None:
    with http_server() as (endpoint, url), district(tmp_path, hook(url, timeout=1)) as node:
        act(node, "message.rotate", name="archive")
        for answer in ("drip", None):
            queue(node, "webhook", "archive")
            if answer is None:
                endpoint.gate.clear()
            else:
                endpoint.answers = [answer]
            started = time.monotonic()
            Sender(node).run_due()
            assert time.monotonic() - started < 4
        assert [(one.state, one.code) for one in messages(node)] == [("failed", "timeout")] * 2


def test_429_holds_the_whole_lane_as_long_as_it_asks(tmp_path: Path) -> None:
    with http_server() as (endpoint, url), district(tmp_path, hook(url)) as node:
        act(node, "message.rotate", name="archive")
        for _ in range(3):
            queue(node, "webhook", "archive")
        endpoint.answers = [(429, {"retry-after": "900"}, b"")]
        sender = Sender(node)
        assert sender.run_due() == 1, "the others are held too"
        advance(node, 899)
        assert sender.run_due() == 0
        advance(node, 1)
        assert sender.run_due() == 3
        assert {one.state for one in messages(node)} == {"sent"}


# -- short messages


def test_a_gateway_is_told_by_templates(tmp_path: Path) -> None:
    with http_server() as (endpoint, url):
        more = {
            "body": '{"mobile": {{ phone | tojson }}, "content": {{ text | tojson }}, "sign": {{ sender | tojson }}}',
            "sender": "万米",
            "secret_file": "keys/gateway",
            "success": '"code": ?0',
            "permanent": '"code": ?7',
        }
        headers = {"content-type": "application/json", "x-key": "{{ secret }}", "idempotency-key": "{{ id }}"}
        sections = sms(url + "?to={{ phone | urlencode }}", **more) | {"messenger.sms.headers": headers}
        with district(tmp_path, sections) as node:
            (node.dir / "keys" / "gateway").write_text("s3cret\n")
            sender, id = Sender(node), queue(node, "sms", "+8613800005678")
            endpoint.answers = [(200, {}, b'{"code": 5}'), (200, {}, b'{"code": 0}')]
            sender.run_due()
            assert (only(node).state, only(node).code) == ("failed", "gateway answer")
            advance(node, 30)
            sender.run_due()
            assert only(node).state == "sent"
            asked = endpoint.asked[-1]
            body = json.loads(asked.body)
            assert (body["mobile"], body["sign"]) == ("+8613800005678", "万米")
            assert body["content"] == only(node).text
            assert asked.path == "/in?to=%2B8613800005678"
            assert (asked.headers["x-key"], asked.headers["idempotency-key"]) == ("s3cret", id)
            queue(node, "sms", "13800000000")
            endpoint.answers = [(200, {}, b'{"code": 7}')]
            sender.run_due()
            assert {(one.state, one.code) for one in messages(node)} == {
                ("sent", "http 200"),
                ("dead", "gateway refused"),
            }


# -- pace


def test_a_cap_holds_over_a_restart(tmp_path: Path) -> None:
    with smtp_server() as (box, port), district(tmp_path, mail(port, per_minute=2)) as node:
        for _ in range(5):
            queue(node, "smtp", "li@city.example")
        assert [Sender(node).run_due(), Sender(node).run_due()] == [2, 0]
        advance(node, 59)
        assert Sender(node).run_due() == 0
        advance(node, 1)
        assert Sender(node).run_due() == 2
        assert len(box.mails) == 4


def test_only_what_is_urgent_leaves_in_quiet_hours(tmp_path: Path) -> None:
    with smtp_server() as (box, port), district(tmp_path, mail(port, quiet=["13:00-15:00"])) as node:
        new_case(node)
        queue(node, "smtp", "li@city.example")
        sender = Sender(node)
        assert sender.run_due() == 1, "14:00: a test message is urgent, a new case is not"
        advance(node, 3600)
        assert sender.run_due() == 2
        assert len(box.mails) == 3


# -- people


def test_dropping_and_sending_again_is_journaled(tmp_path: Path) -> None:
    with smtp_server() as (box, port), district(tmp_path, mail(port)) as node:
        id = queue(node, "smtp", "li@city.example")
        act(node, "message.drop", id=id)
        assert only(node).state == "dead"
        with pytest.raises(Conflict, match="only one that waits"):
            act(node, "message.drop", id=id)
        act(node, "message.resend", id=id)
        sender = Sender(node)
        sender.run_due()
        copy = act(node, "message.resend", id=id)["id"]
        assert copy != id
        sender.run_due()
        assert [one.state for one in messages(node)] == ["sent", "sent"]
        assert len({message_from_bytes(one.content)["message-id"] for one in box.mails}) == 2
        bodies = [one.entry.body for one in node.journal.subject(f"message:{id}") if one.entry is not None]
        assert [(one["act"], one["before"], one["copy"]) for one in bodies] == [
            ("drop", "queued", None), ("resend", "dead", None), ("resend", "sent", copy),
        ]  # fmt: skip


def test_a_message_under_way_is_left_alone(tmp_path: Path) -> None:
    with http_server() as (endpoint, url), district(tmp_path, hook(url)) as node:
        act(node, "message.rotate", name="archive")
        id = queue(node, "webhook", "archive")
        endpoint.gate.clear()
        sending = threading.Thread(target=Sender(node).run_due)
        sending.start()
        until(lambda: endpoint.asked)
        assert only(node).state == "sending"
        for act_name in ("message.resend", "message.drop"):
            with pytest.raises(Conflict, match="sending"):
                act(node, act_name, id=id)
        assert node.store.write(
            lambda tx: outbox.claim(tx, "webhook:archive", node.clock.now(), urgent_only=False)
        ).result() is None  # fmt: skip
        endpoint.gate.set()
        sending.join()
        assert (only(node).state, len(endpoint.asked)) == ("sent", 1)


def test_stopping_ends_a_try_at_once(tmp_path: Path) -> None:
    with http_server() as (endpoint, url), district(tmp_path, hook(url, timeout=60)) as node:
        act(node, "message.rotate", name="archive")
        queue(node, "webhook", "archive")
        endpoint.gate.clear()
        sender = Sender(node)
        sending = threading.Thread(target=sender.run_due)
        sending.start()
        until(lambda: endpoint.asked)
        sender.stop()
        sending.join(5)
        assert not sending.is_alive()
        assert (only(node).state, only(node).code) == ("failed", "interrupted")


def test_two_lanes_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """A running node: mail leaves while the webhook hangs."""
    with (
        http_server() as (endpoint, url),
        smtp_server() as (box, port),
        district(tmp_path, {**hook(url, timeout=60), **mail(port)}, ids=SeededIds(5)) as node,
    ):
        act(node, "message.rotate", name="archive")
        endpoint.gate.clear()
        with running(node):
            open_case(node)
            until(lambda: len(box.mails) == 2)
            until(lambda: endpoint.asked)
        states = {one.lane: one.state for one in messages(node)}
        assert states == {"webhook:archive": "failed", "smtp": "sent"}
