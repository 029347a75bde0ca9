"""The signed list of what an archive holds: members with their hashes, and how far every chain in it goes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.entries import canonical, public_key
from wanmi.errors import StoreError

BACKUP: Literal["wanmi-backup/1"] = "wanmi-backup/1"
DOMAIN = b"wanmi/archive/1\n"
Hex32 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]


class Member(msgspec.Struct, frozen=True):
    """A file in the archive: its bytes' number and SHA-256."""

    name: str
    size: int
    sha256: Hex32


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an archive says of itself; ``made_at`` µs UTC, ``chains`` (seq, hash) by origin.

    ``plugins`` are names with versions (the core: ``wanmi``). ``unsound`` are blobs whose file was missing or did not
    have its hash when the archive was made: whoever restores it fetches them from other nodes.
    """

    format: Literal["wanmi-backup/1"]
    node: str
    role: str
    made_at: int
    schema: int
    plugins: dict[str, str]
    database: Literal["sqlite", "postgresql"]
    chains: dict[str, tuple[int, Hex32]]
    members: list[Member]
    unsound: list[Hex32] = []

    @property
    def entries(self) -> int:
        """Entries in all chains."""
        return sum(seq for seq, _ in self.chains.values())


def sign_manifest(manifest: Manifest, key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """The manifest's canonical bytes and their signature."""
    data = canonical(msgspec.to_builtins(manifest))
    return data, key.sign(DOMAIN + data)


def verified_manifest(data: bytes, signature: bytes, public: bytes, name: str) -> Manifest:
    """Read a manifest; StoreError if the key (32 public bytes) did not sign it or it does not read."""
    try:
        public_key(public).verify(signature, DOMAIN + data)
    except InvalidSignature as error:
        raise StoreError(
            f"{name}: its manifest was not signed with the key given here; "
            "give the keys of the node that it is a backup of"
        ) from error
    try:
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise StoreError(f"{name}: its manifest does not read: {error}; a newer program may have made it") from error
