"""Bodies of the hotline's entries: what happened to a call, never who called (that is sealed). Data only.

Subject of all: ``call:<node>:<call>``, where call is 20 hex digits made of the telephone system's name and its id of
the call. ``event`` is made the same way of an event's id: what was taken once is not taken twice. ``at`` is the
telephone system's time (µs UTC), the entry has this node's. Persons are opaque ids.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wanmi.kinds import Sealed

Direction = Literal["in", "out"]
Outcome = Literal["report", "about_case", "consultation", "nuisance", "no_answer"]
CallBackResult = Literal["reached", "no_answer", "refused"]
Rating = Literal["satisfied", "basically_satisfied", "dissatisfied"]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class CallBegun(_Body, frozen=True):
    """``call.begun``: a call came (or was made). ``caller`` holds the number, sealed; null when it is hidden.

    ``called`` is our own line. ``seat`` is the extension where it rings, ``operator`` who sits there.
    """

    event: str
    system: str
    direction: Direction
    at: int
    called: str
    seat: str
    operator: str | None
    caller: Sealed | None


class CallRang(_Body, frozen=True):
    """``call.rang``: it rings at one more seat."""

    event: str
    at: int
    seat: str
    operator: str | None


class CallAnswered(_Body, frozen=True):
    """``call.answered``: an operator took it."""

    event: str
    at: int
    seat: str
    operator: str | None


class CallHeld(_Body, frozen=True):
    """``call.held``: the caller waits (``on``), or no longer."""

    event: str
    at: int
    on: bool


class CallEnded(_Body, frozen=True):
    """``call.ended``: somebody hung up; ``reason`` as the telephone system says it, in a word."""

    event: str
    at: int
    reason: str


class CallRecorded(_Body, frozen=True):
    """``call.recorded``: the recording, sealed; ``report`` is the subject of the call's report, where there is one."""

    event: str
    at: int
    recording: Sealed
    report: str | None


class CallWrapped(_Body, frozen=True):
    """``call.wrapped``: the operator wrote down what the call was.

    ``report`` is the subject of the report made of it, ``about`` the number of a case that was asked after,
    ``recordings`` the digests of what was recorded by then. ``caller`` (number, name) and ``text`` are sealed.
    """

    outcome: Outcome
    report: str | None
    about: str | None
    caller: Sealed | None
    text: Sealed | None
    recordings: list[str]
    call_back: bool


class CallCalledBack(_Body, frozen=True):
    """``call.called_back``: the caller was asked afterwards; ``note`` is sealed."""

    result: CallBackResult
    note: Sealed | None


class CallRated(_Body, frozen=True):
    """``call.rated``: how satisfied the caller is; ``report`` and ``about`` say with what."""

    rating: Rating
    report: str | None
    about: str | None


CallBody = (
    CallBegun | CallRang | CallAnswered | CallHeld | CallEnded | CallRecorded | CallWrapped | CallCalledBack | CallRated
)
