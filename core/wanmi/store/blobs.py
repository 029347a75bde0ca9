"""Sealed blobs: what can be erased (photos, free text) lives here, never in an entry.

A blob is content encrypted with a key of its own (ChaCha20-Poly1305; each key seals once, so the nonce is
constant); its id is the SHA-256 of the sealed bytes. Erasing is destroying the key. Keys rest wrapped with
the node's local key and travel wrapped for one receiver (ephemeral X25519, HKDF-SHA256).
Small blobs stand in the database, in the same transaction as the entry that names them; big ones are files,
written and synced before that transaction.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, select, update

from wanmi.clock import Clock
from wanmi.errors import BadInput, NotAllowed, NotFound
from wanmi.ids import Ids
from wanmi.models import AttachmentRow, BlobRow, table
from wanmi.store.engine import Store
from wanmi.store.rows import upsert_rows

INLINE = 16 * 1024
"""Sealed bytes up to which a blob stands in the database instead of a file."""
TAG = 16
_NONCE = bytes(12)
_WRAP_INFO = b"wanmi/blob-key/1"


@dataclass(frozen=True)
class Sealed:
    """A blob that was sealed but is not stored yet; ``size`` counts sealed bytes."""

    blob: str
    data: bytes
    key: bytes

    @property
    def size(self) -> int:
        """Sealed bytes."""
        return len(self.data)


@dataclass(frozen=True)
class Missing:
    """A blob that an entry names and that is not here; ``size`` is the content's, sealed is 16 more."""

    blob: str
    size: int
    origin: str


class Blobs:
    """A node's sealed blobs."""

    def __init__(
        self,
        store: Store,
        root: Path,
        *,
        local_key: bytes,
        seal: X25519PrivateKey,
        clock: Clock,
        ids: Ids,
        erased: Callable[[Connection, str], bool] = lambda _tx, _blob: False,
    ) -> None:
        self._store = store
        self._root = root
        self._local = ChaCha20Poly1305(local_key)
        self._seal = seal
        self._clock = clock
        self._ids = ids
        self._erased = erased

    def seal(self, content: bytes) -> Sealed:
        """Encrypt ``content`` with a new key; nothing is stored."""
        key = self._ids.token(32)
        data = ChaCha20Poly1305(key).encrypt(_NONCE, content, None)
        return Sealed(hashlib.sha256(data).hexdigest(), data, key)

    def add(self, tx: Connection, sealed: Sealed) -> None:
        """Store a sealed blob within a write; a big one becomes a synced file first."""
        inline: bytes | None = sealed.data
        if sealed.size > INLINE:
            self._write_file(sealed.blob, sealed.data)
            inline = None
        self._record(tx, sealed.blob, sealed.size, sealed.key, inline)

    def has(self, blob: str) -> bool:
        """Whether the whole blob is here (its key may have been destroyed)."""
        return self._row(blob) is not None

    def open(self, blob: str) -> bytes:
        """The content; NotFound if the blob is not here yet, NotAllowed if its key was destroyed."""
        row = self._row(blob)
        if row is None:
            raise NotFound(f"blob {blob}: not here yet; it comes after the entries, when the link is up")
        if row.key is None:
            raise NotAllowed(f"blob {blob}: erased; its key was destroyed")
        return ChaCha20Poly1305(self._unwrap_local(row.key)).decrypt(_NONCE, self._bytes(row), None)

    def size(self, blob: str) -> int:
        """Sealed bytes of a blob that is here; NotFound otherwise."""
        return int(self._known(blob).size)

    def read(self, blob: str, offset: int, n: int) -> bytes:
        """Up to ``n`` sealed bytes from ``offset``: what a link sends."""
        row = self._known(blob)
        if row.data is not None:
            return bytes(row.data[offset : offset + n])
        with self._path(blob).open("rb") as file:
            file.seek(offset)
            return file.read(n)

    def wrap_key(self, blob: str, seal_public: bytes) -> bytes:
        """The blob's key for the holder of an X25519 key; NotAllowed once it was destroyed."""
        row = self._known(blob)
        if row.key is None:
            raise NotAllowed(f"blob {blob}: erased; its key was destroyed")
        return wrap_key(self._unwrap_local(row.key), blob, seal_public, self._ids)

    def missing(self, limit: int = 100, skip: int = 0) -> list[Missing]:
        """Blobs that entries name and that are not here, oldest first."""
        attachment, blob = table(AttachmentRow).c, table(BlobRow).c
        query = (
            select(attachment.blob, attachment.size, attachment.origin)
            .outerjoin_from(table(AttachmentRow), table(BlobRow), attachment.blob == blob.blob)
            .where(blob.blob.is_(None))
            .order_by(attachment.origin, attachment.seq, attachment.n)
            .limit(limit)
            .offset(skip)
        )
        with self._store.reader() as connection:
            return [Missing(row.blob, row.size, row.origin) for row in connection.execute(query)]

    def receive(self, blob: str, offset: int, chunk: bytes) -> int:
        """Write a chunk of a blob that is being fetched; returns the offset that is wanted next.

        A chunk that does not continue what is here is ignored, so that fetching resumes anywhere.
        """
        path = self._partial(blob)
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.stat().st_size if path.exists() else 0
        if offset != held:
            return held
        with path.open("ab") as file:
            file.write(chunk)
        return held + len(chunk)

    def finish(self, blob: str, wrapped: bytes) -> Future[None]:
        """Check a fetched blob's hash, unwrap its key, keep it; BadInput (and a fresh start) on a mismatch."""
        path = self._partial(blob)
        data = path.read_bytes() if path.exists() else b""
        path.unlink(missing_ok=True)
        return self.accept(blob, data, wrapped)

    def accept(self, blob: str, data: bytes, wrapped: bytes) -> Future[None]:
        """Keep the sealed bytes of a blob that came whole."""
        if hashlib.sha256(data).hexdigest() != blob:
            raise BadInput(f"blob {blob}: the bytes that came have another hash; it is fetched again")
        key = unwrap_key(wrapped, blob, self._seal)
        sealed = Sealed(blob, data, key)
        return self._store.write(lambda tx: self.add(tx, sealed))

    def destroy_key(self, tx: Connection, blob: str) -> None:
        """Erase: without its key the blob is noise; hashes and scores stay valid.

        SQLite overwrites what it frees; ``Store.scrub`` then empties the write-ahead log of older pages.
        """
        if tx.dialect.name == "sqlite":
            tx.exec_driver_sql("PRAGMA secure_delete=ON")
        row = table(BlobRow)
        tx.execute(update(row).where(row.c.blob == blob).values(key=None))

    def _record(self, tx: Connection, blob: str, size: int, key: bytes, inline: bytes | None) -> None:
        # One that was erased before it came, or comes again, gets no key here.
        wrapped = None if self._erased(tx, blob) else self._wrap_local(key)
        upsert_rows(tx, BlobRow, [(blob, size, wrapped, inline, self._clock.now())])

    def _row(self, blob: str) -> Any:
        row = table(BlobRow)
        with self._store.reader() as connection:
            return connection.execute(select(row).where(row.c.blob == blob)).one_or_none()

    def _known(self, blob: str) -> Any:
        row = self._row(blob)
        if row is None:
            raise NotFound(f"blob {blob}: not here")
        return row

    def _bytes(self, row: Any) -> bytes:
        return bytes(row.data) if row.data is not None else self._path(row.blob).read_bytes()

    def _path(self, blob: str) -> Path:
        return self._root / blob[:2] / blob

    def _partial(self, blob: str) -> Path:
        return self._root / "partial" / blob

    def _write_file(self, blob: str, data: bytes) -> None:
        path = self._path(blob)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_synced(path, data)

    def _wrap_local(self, key: bytes) -> bytes:
        nonce = self._ids.token(12)
        return nonce + self._local.encrypt(nonce, key, None)

    def _unwrap_local(self, wrapped: bytes) -> bytes:
        return self._local.decrypt(bytes(wrapped[:12]), bytes(wrapped[12:]), None)


def write_synced(path: Path, data: bytes, *, sync: Callable[[int], None] = os.fsync) -> None:
    """Write a file so that it is wholly there or not at all, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        sync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        sync(folder)
    finally:
        os.close(folder)


def wrap_key(key: bytes, blob: str, receiver: bytes, ids: Ids) -> bytes:
    """``key`` for the holder of the X25519 public key ``receiver``: 32 ephemeral public bytes + 48 sealed."""
    ephemeral = X25519PrivateKey.from_private_bytes(ids.token(32))
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(receiver))
    public = ephemeral.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    cipher = ChaCha20Poly1305(_derive(shared, public + receiver))
    return public + cipher.encrypt(_NONCE, key, blob.encode())


def unwrap_key(wrapped: bytes, blob: str, own: X25519PrivateKey) -> bytes:
    """The key that was wrapped for ``own``; BadInput if it was not."""
    try:
        public = wrapped[:32]
        shared = own.exchange(X25519PublicKey.from_public_bytes(public))
        receiver = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return ChaCha20Poly1305(_derive(shared, public + receiver)).decrypt(_NONCE, wrapped[32:], blob.encode())
    except (InvalidTag, ValueError) as error:
        raise BadInput(f"blob {blob}: its key was not wrapped for this node") from error


def _derive(shared: bytes, context: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=_WRAP_INFO + context).derive(shared)
