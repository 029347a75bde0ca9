"""Any life of a message: sent only by the peer's word, never more tries than there are, later and later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.messenger.nodes import SMTP, act, advance, district
from wanmi.node import Node
from wanmi_messenger import outbox
from wanmi_messenger.outbox import Message, Outcome
from wanmi_messenger.sender import Sender

TRIES = 4
OUTCOMES = st.builds(
    Outcome,
    st.sampled_from(["sent", "again", "again", "again", "never"]),
    st.sampled_from(["http 500", "timeout"]),
    st.text(max_size=400),
    st.none() | st.integers(0, 200_000),
    st.booleans(),
)


class Scripted:
    """A channel that ends each try as written down."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.left = list(outcomes)
        self.tried: list[tuple[str, int]] = []

    def send(self, message: Message, now: int) -> Outcome:
        """The next outcome; sent when there is none left."""
        self.tried.append((message.id, now))
        return self.left.pop(0) if self.left else Outcome("sent", "http 200")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    dir: Path = tmp_path_factory.mktemp("lives")
    with district(dir, {"messenger": {"tries": TRIES}, "messenger.smtp": {**SMTP, "port": 9}}) as node:
        yield node


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(st.lists(OUTCOMES, max_size=6))
def test_a_life(node: Node, outcomes: list[Outcome]) -> None:
    id = act(node, "message.test", channel="smtp", address="li@city.example")["id"]
    sender, channel = Sender(node), Scripted(outcomes)
    (lane,) = sender.lanes
    lane.channel = channel
    for _ in range(len(outcomes) + 2):
        sender.run_due()
        advance(node, 86_400)
    with node.store.reader() as tx:
        end = outbox.find(tx, id)
    happened = [*outcomes, Outcome("sent", "http 200")][: len(channel.tried)]
    assert {one for one, _ in channel.tried} == {id}
    assert len(channel.tried) == end.tries <= TRIES
    assert [one.end for one in happened[:-1]] == ["again"] * (len(happened) - 1)
    if end.state == "sent":
        assert happened[-1].end == "sent"
    else:
        assert end.state == "dead"
        assert happened[-1].end == "never" or end.tries == TRIES
    times = [at for _, at in channel.tried]
    assert times == sorted(set(times))
