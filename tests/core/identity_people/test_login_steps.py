"""Password, then code: enrolment, replay, recovery codes, tickets, lock-out and its release."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from wanmi.clock import SECOND, ManualClock
from wanmi.errors import BadInput, Conflict, NotAllowed, NotFound, SettingsError
from wanmi.identity import IDENTITY_ROWS, Person, add_person, list_people, set_active
from wanmi.identity.codes import (
    CodeRow,
    RecoveryRow,
    begin_enrolment,
    code_state,
    confirm_enrolment,
    remove_code,
    take_code,
)
from wanmi.identity.locks import LockedOut, LockRule, list_locks, lock_person, locked_seconds, release_person
from wanmi.identity.login_steps import (
    TICKET_LIFE,
    TRIES,
    LoginRules,
    give_code,
    give_first_code,
    give_password,
    holder_of,
)
from wanmi.identity.logins import LoginGate, TooManyTries
from wanmi.identity.rules import login_rules
from wanmi.identity.sessions import find_session, start_session
from wanmi.identity.totp import STEP, hotp, step_at
from wanmi.models import mark_of, table
from wanmi.node import Node
from wanmi.settings import IdentitySettings

PASSWORD = "correct horse battery"
RULES = LoginRules(frozenset({"administrator"}), LockRule(4, 600))


@pytest.fixture
def person(node: Node) -> Person:
    return add_person(node, login="wang", name="王敏", posts=["operator"], password=PASSWORD)


def advance(node: Node, seconds: int) -> None:
    assert isinstance(node.clock, ManualClock)
    node.clock.advance(seconds * SECOND)


def code_of(node: Node, key: bytes, off: int = 0) -> str:
    return hotp(key, step_at(node.clock.now()) + off)


def enrolled(node: Node, person: Person) -> tuple[bytes, tuple[str, ...]]:
    key = begin_enrolment(node, person.id)
    recovery = confirm_enrolment(node, person.id, code_of(node, key))
    advance(node, STEP)
    return key, recovery


def log_in(node: Node, password: str = PASSWORD, address: str = "::1", login: str = "wang", rules: LoginRules = RULES):  # type: ignore[no-untyped-def]
    return give_password(node, LoginGate(node.clock.monotonic), rules, login=login, password=password, address=address)


def test_without_a_second_factor_the_password_is_enough(node: Node, person: Person) -> None:
    first = log_in(node)
    assert (first.person, first.then, first.ticket) == (person, "session", "")


def test_with_one_the_code_is_owed_and_no_code_fits_twice(node: Node, person: Person) -> None:
    key, _ = enrolled(node, person)
    first, second = log_in(node), log_in(node)
    assert (first.then, second.then) == ("code", "code")
    code = code_of(node, key)
    assert give_code(node, RULES, first.ticket, code) == person
    with pytest.raises(NotAllowed, match="used already"):
        give_code(node, RULES, second.ticket, code)
    with pytest.raises(NotAllowed, match="begin again"):
        give_code(node, RULES, first.ticket, code_of(node, key, 1))


def test_the_code_of_the_enrolment_does_not_log_in(node: Node, person: Person) -> None:
    key = begin_enrolment(node, person.id)
    code = code_of(node, key)
    confirm_enrolment(node, person.id, code)
    assert not take_code(node, person.id, code)


@pytest.mark.parametrize(("off", "fits"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_one_step_off(node: Node, person: Person, off: int, fits: bool) -> None:
    key, _ = enrolled(node, person)
    advance(node, 3 * STEP)
    assert take_code(node, person.id, code_of(node, key, off)) is fits


def test_a_post_that_needs_one_enrols_while_logging_in(node: Node) -> None:
    root = add_person(node, login="root", name="刘洋", posts=["administrator"], password=PASSWORD)
    first = log_in(node, login="root")
    assert first.then == "enrol"
    key = begin_enrolment(node, root.id)
    assert begin_enrolment(node, root.id) == key, "the page may be loaded again"
    with pytest.raises(NotAllowed, match="does not fit"):
        give_first_code(node, first.ticket, "000000" if code_of(node, key) != "000000" else "000001")
    person, recovery = give_first_code(node, first.ticket, code_of(node, key))
    assert (person, len(set(recovery))) == (root, 10)
    assert log_in(node, login="root").then == "code"
    with pytest.raises(Conflict, match="second factor already"):
        begin_enrolment(node, root.id)


def test_recovery_codes_open_once_each_however_typed(node: Node, person: Person) -> None:
    _, recovery = enrolled(node, person)
    assert take_code(node, person.id, f" {recovery[0].lower().replace('-', ' ')} ")
    assert not take_code(node, person.id, recovery[0])
    assert take_code(node, person.id, recovery[1])
    state = code_state(node, person.id)
    assert state is not None
    assert state.recovery_left == 8


def test_secrets_are_not_stored_in_the_open(node: Node, person: Person) -> None:
    key, recovery = enrolled(node, person)
    with node.store.reader() as tx:
        stored = bytes(tx.execute(select(table(CodeRow).c.secret)).scalar_one())
        digests = set(tx.execute(select(table(RecoveryRow).c.digest)).scalars())
    assert key not in stored
    assert not digests & set(recovery)
    assert {mark_of(row) for row in IDENTITY_ROWS} == {"local"}


def test_tries_at_the_same_moment_take_a_code_once(node: Node, person: Person) -> None:
    key, _ = enrolled(node, person)
    code, taken = code_of(node, key), []
    threads = [threading.Thread(target=lambda: taken.append(take_code(node, person.id, code))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]


def test_a_ticket_ends_by_time_and_tries_and_for_who_may_not(node: Node, person: Person) -> None:
    key, _ = enrolled(node, person)
    late, tried, closed = (log_in(node).ticket for _ in range(3))
    rules = LoginRules(lock=LockRule(50, 600))
    for _ in range(TRIES):
        with pytest.raises(NotAllowed, match="does not fit"):
            give_code(node, rules, tried, "abcdef")
    assert holder_of(node, tried) is None
    with pytest.raises(NotAllowed, match="begin again"):
        give_code(node, rules, tried, code_of(node, key))
    assert holder_of(node, closed) == person
    set_active(node, "wang", active=False)
    assert holder_of(node, closed) is None
    set_active(node, "wang", active=True)
    advance(node, TICKET_LIFE)
    assert holder_of(node, late) is None
    assert find_session(node, late) is None, "a ticket is no session"


def test_a_lost_phone_is_taken_away_by_an_administrator(node: Node, person: Person) -> None:
    enrolled(node, person)
    session = start_session(node, person)
    remove_code(node, "wang")
    assert code_state(node, person.id) is None
    assert find_session(node, session) is None
    with pytest.raises(NotFound):
        remove_code(node, "ghost")


def test_failures_in_a_row_lock_out_from_wherever_they_come(node: Node, person: Person) -> None:
    for n in range(RULES.lock.failures):
        with pytest.raises(NotAllowed, match="not right"):
            log_in(node, "wrong password", address=f"10.0.0.{n}")
    with pytest.raises(LockedOut, match="600 more seconds"):
        log_in(node)
    with pytest.raises(NotAllowed, match="not right") as told:
        log_in(node, "wrong password")
    assert not isinstance(told.value, LockedOut), "who does not know the password learns of no lock"
    advance(node, 599)
    assert locked_seconds(node, person.id) == 1
    advance(node, 1)
    assert log_in(node).then == "session"
    assert list_locks(node) == []


def test_a_good_login_begins_the_count_anew(node: Node, person: Person) -> None:
    for _ in range(3):
        for _ in range(RULES.lock.failures - 1):
            with pytest.raises(NotAllowed):
                log_in(node, "wrong password")
        assert log_in(node).then == "session"


def test_wrong_codes_count_too(node: Node, person: Person) -> None:
    enrolled(node, person)
    ticket = log_in(node).ticket
    for _ in range(RULES.lock.failures):
        with pytest.raises(NotAllowed):
            give_code(node, RULES, ticket, "not a code")
    with pytest.raises(LockedOut):
        log_in(node)


def test_an_administrator_locks_and_releases(node: Node, person: Person) -> None:
    session = start_session(node, person)
    lock_person(node, "wang", 3600, "left the house")
    assert find_session(node, session) is None
    assert [(lock.login, lock.reason) for lock in list_locks(node)] == [("wang", "left the house")]
    with pytest.raises(LockedOut):
        log_in(node)
    release_person(node, "wang")
    assert log_in(node).person == person
    for login, seconds in (("ghost", 60), ("wang", 0), ("wang", 10**9)):
        with pytest.raises((NotFound, BadInput)):
            lock_person(node, login, seconds)


def test_the_rate_limit_stands_before_the_lock(node: Node, person: Person) -> None:
    gate = LoginGate(node.clock.monotonic)
    said = []
    for _ in range(8):
        with pytest.raises(NotAllowed) as refused:
            give_password(node, gate, LoginRules(), login="wang", password="wrong password", address="::1")
        said.append(type(refused.value))
    assert said == [NotAllowed] * 5 + [TooManyTries] * 3


def test_settings_name_posts_that_there_are() -> None:
    rules = login_rules(IdentitySettings(totp_posts=("administrator",), lock_failures=3, lock_minutes=5))
    assert rules == LoginRules(frozenset({"administrator"}), LockRule(3, 300))
    with pytest.raises(SettingsError, match="mayor"):
        login_rules(IdentitySettings(totp_posts=("mayor",)))


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    from wanmi.testing import small_node

    with small_node(tmp_path_factory.mktemp("hostile") / "node") as opened:
        enrolled(opened, add_person(opened, login="wang", name="王敏", posts=["operator"], password=PASSWORD))
        yield opened


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_hostile_text_is_neither_ticket_nor_code(standing: Node, text: str) -> None:
    [person] = list_people(standing)
    assert holder_of(standing, text) is None
    assert take_code(standing, person.id, text) is False
