"""New keys for a node whose old ones are gone or known to others: `wanmi node rekey`, while the node does not run."""

from __future__ import annotations

from pathlib import Path

from wanmi.identity import NodeKeys
from wanmi.ids import Ids, SystemIds
from wanmi.node.lock import NodeLock
from wanmi.settings import read_settings


def rekey_node(dir: Path, ids: Ids | None = None) -> NodeKeys:
    """Make new signing, link and sealing keys; its parent must then revoke the node and admit it again.

    The local key stays, if it is there: what is sealed on this disk is opened with it. Raises SettingsError (no node),
    StoreError (the node runs), Conflict (its keys are systemd credentials).
    """
    read_settings(dir)
    lock = NodeLock.take(dir)
    try:
        return NodeKeys.renew(dir, ids or SystemIds())
    finally:
        lock.release()
