"""One database a node: an engine, the one writer with group commit, query-only readers, sealed blobs."""

from wanmi.store.blobs import Blobs, Missing, Sealed, unwrap_key, wrap_key
from wanmi.store.engine import Store
from wanmi.store.rows import delete_keys, insert_rows, upsert_rows
from wanmi.store.scratch import open_scratch
from wanmi.store.writer import Writer

__all__ = [
    "Blobs",
    "Missing",
    "Sealed",
    "Store",
    "Writer",
    "delete_keys",
    "insert_rows",
    "open_scratch",
    "unwrap_key",
    "upsert_rows",
    "wrap_key",
]
