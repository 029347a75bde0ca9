"""A small family of nodes on a transport."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from federation.sites import MemoryNetwork, Site, Transport, ZmqNetwork


@dataclass
class Family:
    """City, district and edge, enrolled; their links do not run yet."""

    city: Site
    district: Site
    edge: Site
    transport: Transport

    def start(self, *sites: Site) -> None:
        """Run the links of some sites, parents first; of all when none is named."""
        for site in sites or (self.city, self.district, self.edge):
            self.transport.start(site)


@pytest.fixture(params=["memory", "zmq"])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Every test of the conformance suite runs on both."""
    return MemoryNetwork() if request.param == "memory" else ZmqNetwork()


@pytest.fixture
def make_family(tmp_path: Path) -> Iterator[Callable[[Transport], Family]]:
    """Make a family; it is closed at the end."""
    made: list[Site] = []

    def make(transport: Transport) -> Family:
        city = Site("210100", "city", tmp_path / "city")
        district = Site("210102", "district", tmp_path / "district", city)
        edge = Site("21010201", "edge", tmp_path / "edge", district)
        made.extend((city, district, edge))
        city.admit(district)
        district.admit(edge)
        return Family(city, district, edge, transport)

    yield make
    for site in reversed(made):
        site.close()


@pytest.fixture
def family(make_family: Callable[[Transport], Family], transport: Transport) -> Family:
    """A family on the transport under test."""
    return make_family(transport)
