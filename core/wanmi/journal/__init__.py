"""The journal: one chain a node, replicas of the others', projections, reactors, replay and proof."""

from wanmi.journal.core import register_core
from wanmi.journal.journal import Journal
from wanmi.journal.projecting import body_of
from wanmi.journal.reactors import ReactorRunner
from wanmi.journal.refilling import refill
from wanmi.journal.types import Batch, Cursor, Gap, Item

__all__ = ["Batch", "Cursor", "Gap", "Item", "Journal", "ReactorRunner", "body_of", "refill", "register_core"]
