"""The node: built from its directory's settings, run, supervised, stopped; admin actions; new nodes."""

from wanmi.node.calling import await_commands, call_action, connect_live, run_action
from wanmi.node.creating import Created, NewNode, create_node, node_card, read_run_file
from wanmi.node.migrating import migrate_node
from wanmi.node.node import Node, load_enabled, new_registry
from wanmi.node.proving import prove_archive
from wanmi.node.rekeying import rekey_node
from wanmi.node.restarting import restart_in_place, restart_process
from wanmi.node.restoring import Restored, restore_node
from wanmi.node.trial import begin_start, give_up

__all__ = [
    "Created",
    "NewNode",
    "Node",
    "Restored",
    "await_commands",
    "begin_start",
    "call_action",
    "connect_live",
    "create_node",
    "give_up",
    "load_enabled",
    "migrate_node",
    "new_registry",
    "node_card",
    "prove_archive",
    "read_run_file",
    "rekey_node",
    "restart_in_place",
    "restart_process",
    "restore_node",
    "run_action",
]
