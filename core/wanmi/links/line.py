"""What the streams of one session share: the peer, the session, the way out."""

from __future__ import annotations

from wanmi.journal.types import Cursor
from wanmi.links.effects import Effect, Send
from wanmi.links.frames import LOW, NO_SESSION, SINCE, Header, encode
from wanmi.links.terms import Book, Limits


class Line:
    """One session's surroundings; effects gather here until the link hands them over.

    ``tail_lost``: this peer may hold more of this node's chain than the node; it outlives the session.
    ``tail_given``: how far this peer has given that back in this session, applied or kept apart.
    """

    def __init__(self, peer: str, book: Book, limits: Limits) -> None:
        self.peer = peer
        self.book = book
        self.limits = limits
        self.session = NO_SESSION
        self.version = LOW
        self.peer_key = b""
        self.window = limits.window
        self.effects: list[Effect] = []
        self.tail_lost = False
        self.tail_given = Cursor()

    def emit(self, effect: Effect) -> None:
        """Ask the surroundings for something."""
        self.effects.append(effect)

    def send(self, header: Header, body: bytes = b"") -> None:
        """Send a frame of the current session; one that the session's protocol does not know is not sent."""
        if SINCE.get(type(header), 1) > self.version:
            return
        self.effects.append(Send(encode(self.session, header, body)))

    def take(self) -> list[Effect]:
        """What has gathered; the list starts anew."""
        effects, self.effects = self.effects, []
        return effects
