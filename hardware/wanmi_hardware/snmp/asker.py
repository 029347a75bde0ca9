"""One question to one agent and its answer: what v1/v2c (community.py) and v3 (usm.py) have in common."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from wanmi.errors import DeviceFault, DeviceGarbled, DeviceRefused
from wanmi_hardware.snmp.ber import Pairs
from wanmi_hardware.snmp.values import Oid, Var, oid_text

Question = Literal["get", "next", "bulk", "set"]
NOTHING = Var("null")

TOO_BIG = 1
NO_SUCH_NAME = 2
GENERAL_ERROR = 5

STATUS: dict[int, tuple[str, str]] = {
    1: ("tooBig", "the answer does not fit one datagram: set batch lower"),
    2: ("noSuchName", "the agent has no such object, or the community may not write it"),
    3: ("badValue", "the agent does not take this value"),
    4: ("readOnly", "the object cannot be written with these rights"),
    5: ("genErr", "the agent itself failed"),
    6: ("noAccess", "the object cannot be reached with these rights"),
    7: ("wrongType", "the agent wants another type"),
    8: ("wrongLength", "the agent wants another length"),
    9: ("wrongEncoding", "the agent did not understand the encoding"),
    10: ("wrongValue", "the agent does not take this value"),
    11: ("noCreation", "the agent cannot create this row"),
    12: ("inconsistentValue", "not now: the agent is in the wrong state for it"),
    13: ("resourceUnavailable", "the agent has no room for it"),
    14: ("commitFailed", "the agent failed while doing it"),
    15: ("undoFailed", "the agent failed, and half of it may be done"),
    16: ("authorizationError", "user or community may not do this: look at the agent's access table"),
    17: ("notWritable", "the object cannot be written"),
    18: ("inconsistentName", "the row does not exist"),
}
"""Error status of a response (RFC 3416): its name and what to look at."""


class Answer(msgspec.Struct, frozen=True):
    """What came back: error status (0: none), which variable it is about (from 1), and the variables."""

    status: int
    index: int
    vars: Pairs


class Asker(Protocol):
    """A way to one agent. ``bulk`` says whether it knows GETBULK (v1 does not)."""

    where: str
    bulk: bool

    async def ask(self, question: Question, pairs: Pairs, repeat: int = 0) -> Answer:
        """Ask once (sent again where no answer comes); DeviceFault's children for everything but an error status."""
        ...

    def close(self) -> None:
        """Let go of sockets."""
        ...


def refusal(where: str, answer: Answer, asked: tuple[Oid, ...]) -> DeviceFault:
    """The fault of an answer whose status is not 0."""
    name, hint = STATUS.get(answer.status, (f"error {answer.status}", "an error that SNMP does not know"))
    about = f" for {oid_text(asked[answer.index - 1])}" if 1 <= answer.index <= len(asked) else ""
    kind = DeviceGarbled if answer.status == GENERAL_ERROR or answer.status not in STATUS else DeviceRefused
    return kind(f"{where} answers {name}{about}: {hint}")
