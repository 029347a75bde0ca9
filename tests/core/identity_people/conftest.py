"""A small node whose people, sessions and tokens the tests handle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wanmi.node import Node
from wanmi.testing import small_node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A district without plugins; time stands still."""
    with small_node(tmp_path / "node") as opened:
        yield opened
