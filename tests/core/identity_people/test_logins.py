"""Logging in at a bounded rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.clock import ManualClock
from wanmi.errors import NotAllowed
from wanmi.identity import add_person, set_active
from wanmi.identity.logins import PER_ADDRESS, PER_PAIR, WINDOW, LoginGate, TooManyTries, log_in
from wanmi.node import Node

PASSWORD = "correct horse battery"


def test_the_right_password_lets_in_and_the_wrong_one_says_little(node: Node) -> None:
    add_person(node, login="wang", name="王敏", posts=["operator"], password=PASSWORD)
    gate = LoginGate(node.clock.monotonic)
    said = set()
    for login, password in (("wang", "wrong password"), ("ghost", PASSWORD)):
        with pytest.raises(NotAllowed) as refused:
            log_in(node, gate, login=login, password=password, address="::1")
        said.add(str(refused.value))
    assert len(said) == 1, "whether a login exists is not told"
    assert log_in(node, gate, login="wang", password=PASSWORD, address="::1").name == "王敏"


def test_who_may_not_log_in_does_not(node: Node) -> None:
    add_person(node, login="wang", name="王敏", posts=["operator"], password=PASSWORD)
    set_active(node, "wang", active=False)
    with pytest.raises(NotAllowed):
        log_in(node, LoginGate(node.clock.monotonic), login="wang", password=PASSWORD, address="::1")


def test_too_many_failures_wait_for_the_window() -> None:
    clock = ManualClock()
    gate = LoginGate(clock.monotonic)
    for _ in range(PER_PAIR):
        gate.enter("wang", "10.0.0.1")
        clock.advance(1_000_000)
    with pytest.raises(TooManyTries) as refused:
        gate.enter("wang", "10.0.0.1")
    assert WINDOW - PER_PAIR <= refused.value.wait <= WINDOW
    gate.enter("wang", "10.0.0.2")
    gate.enter("li", "10.0.0.1")
    clock.advance(refused.value.wait * 1_000_000)
    gate.enter("wang", "10.0.0.1")


def test_one_address_cannot_try_everybody() -> None:
    clock = ManualClock()
    gate = LoginGate(clock.monotonic)
    for n in range(PER_ADDRESS):
        gate.enter(f"person{n}", "10.0.0.1")
    with pytest.raises(TooManyTries):
        gate.enter("another", "10.0.0.1")


def test_good_logins_do_not_count() -> None:
    clock = ManualClock()
    gate = LoginGate(clock.monotonic)
    for n in range(PER_ADDRESS * 3):
        gate.enter(f"person{n}", "10.0.0.1")
        gate.succeeded(f"person{n}", "10.0.0.1")
    gate.enter("wang", "10.0.0.1")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 400)), max_size=60))
def test_never_more_failures_of_a_pair_in_a_window_than_allowed(tries: list[tuple[str, str, int]]) -> None:
    clock = ManualClock()
    gate = LoginGate(clock.monotonic)
    let_in: dict[tuple[str, str], list[float]] = {}
    for login, address, pause in tries:
        clock.advance(pause * 1_000_000)
        try:
            gate.enter(login, address)
        except TooManyTries:
            continue
        times = let_in.setdefault((login, address), [])
        times.append(clock.monotonic())
        assert len([t for t in times if t > clock.monotonic() - WINDOW]) <= PER_PAIR
