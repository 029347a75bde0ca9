"""The MQTT client against a real mosquitto: acknowledgements, windows, reconnection, the probe."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wanmi.errors import BadInput, LinkError
from wanmi.mqtt import NOT_AUTHORIZED, Address, Message, MqttClient, Session, ack_all, read_address

pytestmark = pytest.mark.mosquitto

ACL = "user boss\ntopic readwrite #\npattern readwrite own/%u/#\n"


class Broker:
    """A mosquitto of the test's own, with two users."""

    def __init__(self, dir: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        passwords = dir / "passwords"
        passwords.write_text("")
        for user in ("boss", "worker"):
            subprocess.run(["mosquitto_passwd", "-b", passwords, user, "secret"], check=True, capture_output=True)
        (dir / "acl").write_text(ACL)
        self.config = dir / "mosquitto.conf"
        self.config.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            f"acl_file {dir / 'acl'}\npersistence true\npersistence_location {dir}/\nmax_queued_messages 10000\n"
        )
        self.start()

    def start(self) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert program, "the suite needs mosquitto: install it"
        self.process = subprocess.Popen([program, "-c", self.config], stderr=subprocess.DEVNULL)
        until(self._answers, "the broker listens")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def address(self, user: str = "boss", password: str = "secret") -> Address:
        return Address("127.0.0.1", self.port, user=user, password=password)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def until(true: Callable[[], Any], what: str, seconds: float = 15.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := true():
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


@contextmanager
def connected(address: Address, session: Session) -> Iterator[MqttClient]:
    client = MqttClient(address, session)
    client.start()
    try:
        assert client.wait_connected(15), client.last_error
        yield client
    finally:
        client.stop()


def take(client: MqttClient, n: int) -> list[Message]:
    """Exactly ``n`` messages, and no more in the next moment."""
    got: list[Message] = []
    until(lambda: got.extend(client.take(100, 0.1)) or len(got) >= n, f"{n} messages")
    assert len(got) == n
    assert client.take(100, 0.2) == []
    return got


def test_what_was_not_acknowledged_comes_again_and_only_that(broker: Broker) -> None:
    consumer = Session("consumer", ("t/#",))
    with connected(broker.address(), Session("maker")) as maker:
        with connected(broker.address(), consumer) as first:
            for n in range(5):
                assert maker.send("t/x", b"%d" % n).result(5) == 0
            ack_all(take(first, 5)[:3])
        with connected(broker.address(), consumer) as second:
            assert [m.payload for m in take(second, 2)] == [b"3", b"4"]


def test_a_slow_consumer_holds_the_broker_back(broker: Broker) -> None:
    """mosquitto 2.0 hands over more than the window once that was acknowledged: reading stops at two windows."""
    with connected(broker.address(), Session("consumer", ("t",), window=10)) as consumer:
        with connected(broker.address(), Session("maker")) as maker:
            for n in range(500):
                maker.send("t", b"%d" % n).result(5)
        got: list[Message] = []
        while len(got) < 500:
            more = until(lambda: consumer.take(7, 1), "more")
            assert consumer.waiting <= 21
            ack_all(more)
            got += more
        assert [int(m.payload) for m in got] == list(range(500))
        assert consumer.connections == 1


def test_it_stops_while_its_queue_is_full(broker: Broker) -> None:
    wide, narrow = Session("consumer", ("t",), window=10), Session("consumer", ("t",), window=2)
    with connected(broker.address(), Session("maker")) as maker, connected(broker.address(), wide) as consumer:
        consumer.session = narrow
        for n in range(20):
            maker.send("t", b"%d" % n).result(5)
        until(lambda: consumer.waiting == 4, "full")
    assert consumer.waiting >= 4
    assert not consumer.connected


def test_acks_of_an_earlier_connection_are_not_sent(broker: Broker) -> None:
    sessions = Session("maker"), Session("consumer", ("t",))
    with connected(broker.address(), sessions[0]) as maker, connected(broker.address(), sessions[1]) as consumer:
        maker.send("t", b"old").result(5)
        (old,) = take(consumer, 1)
        reconnect(consumer)
        (again,) = take(consumer, 1)
        assert again.payload == b"old"
        assert again.generation != old.generation
        old.ack()
        reconnect(consumer)
        (third,) = take(consumer, 1)
        assert third.payload == b"old"
        third.ack()


def reconnect(client: MqttClient) -> None:
    """Cut the connection, wait for the next one."""
    before = client.connections
    broker_side_close(client)
    until(lambda: client.connected and client.connections > before, "reconnected")


def broker_side_close(client: MqttClient) -> None:
    """Cut the connection as a network does."""
    sock = client._client.socket()
    assert sock is not None
    sock.shutdown(socket.SHUT_RDWR)


def test_a_forbidden_publish_is_told_by_its_code(broker: Broker) -> None:
    with connected(broker.address("worker"), Session("worker")) as worker:
        assert worker.send("own/worker/x", b"").result(5) in (0, 16)
        assert worker.send("own/boss/x", b"").result(5) == NOT_AUTHORIZED


def test_a_wrong_password_is_named_and_tried_again(broker: Broker) -> None:
    client = MqttClient(broker.address(password="wrong"), Session("x"))
    client.start()
    try:
        until(lambda: "refused" in client.last_error, "refusal")
        assert not client.connected
        assert not client.publish("t", b"")
        with pytest.raises(LinkError, match="no connection"):
            client.send("t", b"").result(1)
    finally:
        client.stop()


def test_it_comes_back_after_the_broker_was_away(broker: Broker) -> None:
    with connected(broker.address(), Session("consumer", ("t",), retry_max=1)) as consumer:
        broker.stop()
        until(lambda: not consumer.connected, "noticed")
        pending = consumer.send("t", b"")
        with pytest.raises(LinkError):
            pending.result(1)
        broker.start()
        until(lambda: consumer.connected, "back")
        assert consumer.send("t", b"after").result(5) == 0
        assert take(consumer, 1)[0].payload == b"after"


def test_the_probe_hears_itself_and_knows_a_deaf_broker(broker: Broker) -> None:
    with connected(broker.address(), Session("prober", probe=True)) as client:
        assert 0 < client.probe(5) < 5
        broker.process.send_signal(19)  # SIGSTOP: connected, and deaf
        try:
            with pytest.raises(LinkError, match="deaf"):
                client.probe(0.3)
        finally:
            broker.process.send_signal(18)
        assert until(lambda: _probes(client), "hears again") > 0


def _probes(client: MqttClient) -> float:
    try:
        return client.probe(1)
    except LinkError:
        return 0.0


def test_many_threads_publish_and_each_learns_its_code(broker: Broker) -> None:
    codes: list[int] = []

    def publish(client: MqttClient) -> None:
        futures = [client.send("own/worker/n" if n % 2 else "own/boss/n", b"") for n in range(200)]
        codes.extend(future.result(10) for future in futures)

    with connected(broker.address("worker"), Session("worker")) as client:
        threads = [threading.Thread(target=publish, args=(client,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert codes.count(NOT_AUTHORIZED) == 400
    assert len(codes) == 800


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://127.0.0.1", Address("127.0.0.1", 1883)),
        ("mqtts://edge.example:9/", Address("edge.example", 9, tls=True)),
        ("mqtt://a%40b:p%3A@[::1]:5", Address("::1", 5, user="a@b", password="p:")),
    ],
)
def test_addresses_are_read(url: str, address: Address) -> None:
    assert read_address(url) == address
    assert "p%3A" not in read_address(url).url
    assert read_address(read_address(url).url).host == address.host


@pytest.mark.parametrize("url", ["", "http://x", "mqtt://", "mqtt://x:y", "mqtt://x/topic", "x:1883"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="broker"):
        read_address(url)
