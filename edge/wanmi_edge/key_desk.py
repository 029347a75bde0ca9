"""Terminals' requests for new keys: journaled once each; and what terminals are told of their keys.

The edge grants nothing: its district does, by ``terminal.rotated``, when the request has reached it. A terminal is told which
key is its own whenever it says how it is with another one, when it asked, and when an order to rotate stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import select

from wanmi.journal.terminal_keys import TerminalRotatingRow
from wanmi.kinds import TerminalRotating
from wanmi.models import table
from wanmi.mqtt import MqttClient
from wanmi.registry import Draft, NodeContext
from wanmi.reports import Known, Status, key_topic
from wanmi.reports.rotations import KeyNote, encode_note, rotation_digest
from wanmi_edge.terminals import TerminalBook
from wanmi_edge.verdicts import Rotating

NOTE_SECONDS = 7 * 86_400
"""For how long the broker keeps a note for a terminal that is away."""


class KeyDesk:
    """Used by the intake's thread alone, but for ``tell_changed``, which the tasks' thread calls."""

    def __init__(self, node: NodeContext, client: Callable[[], MqttClient | None], book: TerminalBook) -> None:
        self._node = node
        self._client = client
        self._book = book
        self._by = f"edge@{node.registry.plugins.get('edge', '0')}"
        self._looked: Mapping[str, Known] = book.all_known()
        self._told = {terminal: known.public_key for terminal, known in self._looked.items()}

    def asked(self, verdicts: Sequence[Rotating]) -> None:
        """Journal what is new; durable when it returns. A request that was granted is only answered."""
        for verdict in verdicts:
            rotation, wire = verdict.rotation, verdict.wire
            known = self._book.known(rotation.terminal)
            digest = rotation_digest(wire)
            is_open = known is not None and known.public_key.hex() == rotation.old_key
            if is_open and self._newest(rotation.terminal) != digest:
                body = TerminalRotating(rotation.terminal, digest, wire.envelope, wire.sig, wire.new_sig)
                subject = f"rotate:{self._node.code}:{rotation.terminal}"
                draft = Draft("terminal.rotating", subject, body, by=self._by, actor=rotation.terminal)
                self._node.journal.append(draft).result()
            self.tell(rotation.terminal)

    def heard(self, status: Status, public_key: bytes) -> None:
        """A terminal said how it is, by this key."""
        known = self._book.known(status.terminal)
        if known is not None and (known.public_key != public_key or self._book.is_ordered(status.terminal)):
            self.tell(status.terminal)

    def tell_changed(self) -> None:
        """Tell every terminal whose key is another one than before, or whose district wants that."""
        self._book.refresh_if_stale()
        known = self._book.all_known()
        if known is self._looked:
            return
        self._looked = known
        changed = [one for one, keys in known.items() if self._told.get(one, keys.public_key) != keys.public_key]
        self._told = {terminal: keys.public_key for terminal, keys in known.items()}
        for terminal in {*changed, *self._book.ordered()}:
            self.tell(terminal)

    def tell(self, terminal: str) -> None:
        """Tell a terminal which key is its own; nothing is promised by it, the next status brings it again."""
        known, client = self._book.known(terminal), self._client()
        if known is None or known.revoked or client is None:
            return
        at, rotate = self._node.clock.now(), self._book.is_ordered(terminal)
        note = KeyNote(1, terminal, self._node.code, at, known.public_key.hex(), rotate)
        client.publish(key_topic(terminal), encode_note(note), expiry=NOTE_SECONDS)

    def _newest(self, terminal: str) -> str | None:
        row = table(TerminalRotatingRow).c
        query = select(row.digest).where(row.edge == self._node.code, row.terminal == terminal)
        with self._node.store.reader() as connection:
            found: str | None = connection.execute(query).scalar_one_or_none()
        return found
