"""What only real sockets show: keys, refusals, silent wires, health."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq

from federation.conftest import Family
from federation.sites import QUICK, Site, Transport, ZmqNetwork, wait_until, zmq_loop
from wanmi.errors import LinkError
from wanmi.identity import NodeKeys
from wanmi.ids import SystemIds
from wanmi.links import Hub
from wanmi_federation.gate import Gate
from wanmi_federation.loop import LinkLoop, Places
from wanmi_federation.sockets import CurveKeys


@pytest.fixture
def family(make_family: Callable[[Transport], Family]) -> Family:
    """City, district, edge over ZeroMQ."""
    return make_family(ZmqNetwork())


def test_a_wrong_parent_key_is_named(family: Family, tmp_path: Path) -> None:
    family.district.curve_parent = NodeKeys.create(tmp_path / "other", SystemIds()).curve_public
    family.start(family.city, family.district)
    loop = zmq_loop(family.district)
    wait_until(lambda: "wrong key" in loop.wire.trouble, told=lambda: loop.wire)
    assert not loop.hub.status()[0].up
    assert not family.city.journal.cursor(family.district.code).seq


def test_who_is_not_admitted_does_not_get_in(family: Family, tmp_path: Path) -> None:
    stranger = Site("210103", "district", tmp_path / "stranger", family.city)
    family.start(family.city, stranger)
    loop = zmq_loop(stranger)
    wait_until(lambda: "refused" in loop.wire.trouble, told=lambda: loop.wire)
    assert family.city.journal.cursor(stranger.code).seq == 0
    family.city.admit(stranger)
    wait_until(lambda: family.city.has(stranger), told=lambda: loop.wire)
    stranger.close()


def test_nothing_listening_is_named_and_found_later(family: Family) -> None:
    family.start(family.city)
    endpoint = family.city.endpoint
    family.city.runner.stop()  # type: ignore[union-attr]
    family.start(family.district)
    loop = zmq_loop(family.district)
    wait_until(lambda: "unreachable" in loop.wire.trouble, told=lambda: loop.wire)
    assert family.city.endpoint == endpoint
    family.start(family.city)
    wait_until(lambda: family.city.has(family.district), told=lambda: loop.wire)


def test_a_port_that_is_taken_is_an_error_that_names_it(family: Family) -> None:
    family.start(family.city)
    other = LinkLoop(family.district.around(QUICK), _keys(family.district), Places(family.city.endpoint, None))
    with pytest.raises(LinkError, match=r"link\.listen tcp://127"):
        other.start()


def test_another_childs_code_over_ones_own_key_changes_nothing(family: Family, tmp_path: Path) -> None:
    """The CURVE key says who speaks: a HELLO in another's name is refused."""
    liar = Site("210103", "district", tmp_path / "liar", family.city)
    family.city.admit(liar)
    liar.code = family.district.code
    family.start(family.city, liar)
    hub: Hub = zmq_loop(family.city).hub
    wait_until(lambda: any(a.kind == "refused" and "210103" in a.text for a in hub.alarms))
    assert family.city.journal.cursor(family.district.code).seq == 0
    liar.close()


def test_garbage_from_an_admitted_key_stops_nothing(family: Family) -> None:
    family.start(family.city)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.CURVE_SERVERKEY, family.city.keys.curve_public)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, family.district.keys.curve_public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, family.district.keys.curve_secret)
    socket.connect(family.city.endpoint)
    for size in (0, 1, 20, 21, 500, 100_000):
        socket.send(os.urandom(size))
    socket.send_multipart([b"two", b"frames"])
    hub = zmq_loop(family.city).hub
    wait_until(lambda: sum(alarm.kind == "protocol" for alarm in hub.alarms) >= 4)
    socket.close(0)
    context.destroy(0)
    family.start(family.district)
    wait_until(lambda: family.city.has(family.district))


def test_the_gate_takes_curve_only() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    gate = Gate(context, lambda key: True)
    asking = context.socket(zmq.REQ)
    asking.connect("inproc://zeromq.zap.01")
    answers = []
    for request in ([b"1.0", b"7", b"", b"::1", b"", b"NULL"], [b"1.0", b"7", b"", b"::1", b"", b"CURVE", b"k" * 32]):
        asking.send_multipart(request)
        gate.answer()
        answers.append(asking.recv_multipart()[2])
    assert answers == [b"400", b"200"]
    gate.close()
    context.destroy(0)


def _keys(site: Site) -> CurveKeys:
    return CurveKeys(site.keys.curve_public, site.keys.curve_secret)
