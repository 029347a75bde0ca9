"""What a connection's monitor says, in words: why the parent cannot be reached."""

from __future__ import annotations

from dataclasses import dataclass

import zmq
from zmq.utils.monitor import parse_monitor_message

WORDS: dict[int, str] = {
    zmq.EVENT_CLOSED: "unreachable: nothing answers at the parent's address",
    zmq.EVENT_DISCONNECTED: "the connection was closed",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "wrong key: the parent does not speak with the key that link.parent pins",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "what answers at the parent's address is no Wanmi node",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "refused: the parent has not admitted this node's key, or has revoked it",
}


@dataclass
class Wire:
    """The state of the way to the parent. ``refused``: libzmq gives up after a refusal, so we dial again ourselves."""

    open: bool = False
    trouble: str = "not connected yet"
    failures: int = 0
    refused: bool = False

    def heard(self, message: list[bytes]) -> bool | None:
        """A monitor event: True when the way has opened, False when it has closed, None otherwise."""
        event = parse_monitor_message(message)["event"]
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.open, self.trouble, self.failures, self.refused = True, "", 0, False
            return True
        if event not in WORDS:
            return None
        was_open, self.open = self.open, False
        if event != zmq.EVENT_DISCONNECTED or was_open:
            self.trouble = WORDS[event]
        self.refused |= event == zmq.EVENT_HANDSHAKE_FAILED_AUTH
        self.failures += event != zmq.EVENT_DISCONNECTED
        return False if was_open else None
