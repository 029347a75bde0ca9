"""Logging in, at a bounded rate: guessing passwords must take longer than anybody has."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from wanmi.errors import NotAllowed
from wanmi.identity.people import Desk, Person, find_password, password_fits

WINDOW = 15 * 60.0
"""Seconds in which failures are counted."""
PER_PAIR = 5
"""Failures allowed of one login from one address."""
PER_ADDRESS = 30
PER_LOGIN = 100
_MOST_KEYS = 10_000


class TooManyTries(NotAllowed):
    """Too many failed logins; ``wait`` is how many seconds to wait."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many failed logins; wait {wait} seconds and try again")
        self.wait = wait


class LoginGate:
    """Counts failed logins, in memory: by login and address, by address, by login. Bounded in size.

    ``monotonic`` gives seconds. The limit by login is wide, so that a stranger cannot easily lock somebody out.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def enter(self, login: str, address: str) -> None:
        """Count a try, as failed until told otherwise; TooManyTries when there were too many of late.

        Counted before the password is looked at, so that tries at the same moment count too.
        """
        now = self._monotonic()
        waits = [self._wait(key, most, now) for key, most in _keys(login, address)]
        if max(waits) > 0:
            raise TooManyTries(int(max(waits)) + 1)
        for key, most in _keys(login, address):
            self._failures.setdefault(key, deque(maxlen=most)).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, login: str, address: str) -> None:
        """The last try was good: forget it, and the failures of this login from this address."""
        for key, _ in _keys(login, address):
            times = self._failures.get(key)
            if times:
                times.pop()
        self._failures.pop((login[:80], address), None)

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        """Seconds until one more try is allowed; the oldest of the last ``most`` failures decides."""
        times = self._failures.get(key)
        if times is None or len(times) < most:
            return 0.0
        return times[0] + WINDOW - now


def log_in(desk: Desk, gate: LoginGate, *, login: str, password: str, address: str) -> Person:
    """The person, when login and password fit; NotAllowed otherwise, without saying which was wrong.

    Takes as long for an unknown login as for a wrong password: call it in a thread (about 0.1 s of hashing).
    """
    gate.enter(login, address)
    found = find_password(desk, login)
    fits = password_fits(found[1] if found else None, password)
    if found is None or not fits or not found[0].active or not found[0].posts:
        raise NotAllowed("login or password is not right")
    gate.succeeded(login, address)
    return found[0]


def _keys(login: str, address: str) -> list[tuple[tuple[str, str], int]]:
    shown = login[:80]
    return [((shown, address), PER_PAIR), (("", address), PER_ADDRESS), ((shown, ""), PER_LOGIN)]
