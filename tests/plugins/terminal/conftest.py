"""A terminal, a private broker, and edges that answer as they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plugins.terminal.fakes import TERMINAL, Broker, Cable, FakeEdge, TlsBroker
from wanmi.ids import SystemIds
from wanmi.reports import ReportMessage
from wanmi_terminal.home import Home, init_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    district = Ed25519PrivateKey.from_private_bytes(b"d" * 32).public_key().public_bytes_raw().hex()
    return init_home(tmp_path / "terminal", TERMINAL, SystemIds(), district_keys=(district,))


@pytest.fixture
def public(home: Home) -> bytes:
    return home.key.public_key().public_bytes_raw()


@pytest.fixture
def broker(tmp_path: Path, home: Home) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker", [home])
    made.start()
    yield made
    made.kill()


@pytest.fixture
def tls_broker(tmp_path: Path, home: Home) -> Iterator[TlsBroker]:
    made = TlsBroker(tmp_path / "tls", [home])
    made.start()
    yield made
    made.kill()


@pytest.fixture
def cable(broker: Broker) -> Iterator[Cable]:
    made = Cable(broker)
    yield made
    made.close()


@pytest.fixture
def make_edge(broker: Broker, public: bytes) -> Iterator[Callable[..., FakeEdge]]:
    """An edge on the test's broker; takes `answer`, and another broker by name."""
    made: list[FakeEdge] = []

    def make(answer: Callable[[ReportMessage, int], list[str]] | None = None, at: Broker = broker) -> FakeEdge:
        made.append(FakeEdge(at, public, answer))
        return made[-1]

    yield make
    for edge in made:
        edge.stop()
