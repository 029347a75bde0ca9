"""Copies of a node to keep: an archive with a signed list of what is in it, made while the node runs."""

from wanmi.keeping.archive import ArchiveWriter, check_archive, extract_archive, read_manifest
from wanmi.keeping.backing import back_up, backup_action, register_keeping
from wanmi.keeping.copying import restore_postgresql
from wanmi.keeping.manifest import BACKUP, Manifest, Member

__all__ = [
    "BACKUP",
    "ArchiveWriter",
    "Manifest",
    "Member",
    "back_up",
    "backup_action",
    "check_archive",
    "extract_archive",
    "read_manifest",
    "register_keeping",
    "restore_postgresql",
]
