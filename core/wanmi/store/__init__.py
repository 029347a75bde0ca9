"""One database a node: an engine, the one writer with group commit, query-only readers, sealed blobs."""

from wanmi.store.blobs import Blobs, Missing, Sealed, unwrap_key, wrap_key
from wanmi.store.engine import Store
from wanmi.store.named import Naming, counting, namings_of, of_one_district, vouchers_of
from wanmi.store.rows import delete_keys, insert_rows, rows_among, upsert_rows
from wanmi.store.schema import Migrated, schema_of
from wanmi.store.scratch import open_scratch
from wanmi.store.writer import Writer

__all__ = [
    "Blobs",
    "Migrated",
    "Missing",
    "Naming",
    "Sealed",
    "Store",
    "Writer",
    "counting",
    "delete_keys",
    "insert_rows",
    "namings_of",
    "of_one_district",
    "open_scratch",
    "rows_among",
    "schema_of",
    "unwrap_key",
    "upsert_rows",
    "vouchers_of",
    "wrap_key",
]
