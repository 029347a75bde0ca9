"""Links between nodes: a sans-I/O state machine a peer, and the hub that carries its effects out.

``wanmi_federation`` gives it ZeroMQ, the tests give it memory and a fault simulator. docs/federation.md tells the
protocol byte by byte.
"""

from wanmi.links.claims import Claim
from wanmi.links.directory import StoreDepot, StoreDirectory
from wanmi.links.effects import Alarm, Apply, Effect, PeerDown, PeerUp, Send
from wanmi.links.hub import Carrier, Hub, Surroundings
from wanmi.links.link import Link, LinkStatus
from wanmi.links.outgoing import StreamStatus
from wanmi.links.rows import LINK_ROWS, HoldRow, TailRow
from wanmi.links.terms import Book, Depot, Directory, Ends, Face, Instant, Limits, Peer, instant

__all__ = [
    "LINK_ROWS",
    "Alarm",
    "Apply",
    "Book",
    "Carrier",
    "Claim",
    "Depot",
    "Directory",
    "Effect",
    "Ends",
    "Face",
    "HoldRow",
    "Hub",
    "Instant",
    "Limits",
    "Link",
    "LinkStatus",
    "Peer",
    "PeerDown",
    "PeerUp",
    "Send",
    "StoreDepot",
    "StoreDirectory",
    "StreamStatus",
    "Surroundings",
    "TailRow",
    "instant",
]
