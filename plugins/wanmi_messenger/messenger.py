"""What the plugin's parts share in one node: the decider, and the sender while the node runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wanmi.errors import NotFound
from wanmi.registry import Draft, Health, NodeContext, Stored
from wanmi_messenger.deciding import Decider, release
from wanmi_messenger.health import messenger_health
from wanmi_messenger.sender import Sender

PROBE = "messenger"


@dataclass
class Messenger:
    """The reactors, the task and the probe of one node."""

    decider: Decider = field(default_factory=Decider)
    sender: Sender | None = None

    def decide(self, node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:
        """The reactor ``messenger.decide``."""
        return self.decider.decide(node, batch)

    def release(self, node: NodeContext, batch: Sequence[Stored]) -> list[tuple[Stored, Draft]]:
        """The reactor ``messenger.release``."""
        drafts = release(node, batch)
        self.wake()
        return drafts

    async def run(self, node: NodeContext) -> None:
        """The supervised task."""
        self.sender = Sender(node)
        try:
            await self.sender.run()
        finally:
            self.sender = None

    def wake(self) -> None:
        """Something new may be sent."""
        sender = self.sender
        if sender is not None:
            sender.wake()

    def __call__(self, node: NodeContext) -> Sequence[Health]:
        """The probe."""
        held = {lane.name: lane.held_until for lane in self.sender.lanes} if self.sender else {}
        return messenger_health(node, self.decider, held)


def messenger_of(node: NodeContext) -> Messenger:
    """The messenger of a node; NotFound where the plugin is not enabled."""
    probe = node.registry.probes.get(PROBE)
    if probe is None or not isinstance(probe.read, Messenger):
        raise NotFound("the messenger is not enabled; add it to plugins in node.toml")
    return probe.read
