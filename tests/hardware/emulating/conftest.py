"""A port for an emulated device."""

from __future__ import annotations

import pytest

from support.snmp_agents import free_port


@pytest.fixture
def unused_udp_port() -> int:
    return free_port()
