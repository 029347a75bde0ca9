"""The archive: a plain tar file, its manifest and the manifest's signature last, so that half of one has none.

It is written under another name beside its place, synced, and only then gets its name. ``tar xf`` and ``sqlite3`` are
enough to look into it.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.errors import Conflict, StoreError
from wanmi.keeping.manifest import Manifest, Member, sign_manifest, verified_manifest

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
NAMES = re.compile(r"node\.toml|journal\.db|journal\.pg_dump|blobs/[0-9a-f]{2}/[0-9a-f]{64}")
"""What may be in an archive besides: nothing else is ever written to disk from one."""
PIECE = 1024 * 1024
Told = Callable[[int, int], None]
"""Told (bytes done, bytes in all)."""


class ArchiveWriter:
    """Writes one archive; leaving the ``with`` without ``finish`` leaves nothing behind."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise Conflict(f"{path}: it is there already; a backup is never written over another")
        self.path = path
        self.members: list[Member] = []
        self.partial = path.with_name(f".{path.name}.partial")
        try:
            self._file = os.fdopen(os.open(self.partial, os.O_WRONLY | os.O_CREAT, 0o600), "wb")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # what a killed one left is nobody's: written over
            self._file.truncate()
        except BlockingIOError as error:
            raise Conflict(f"{path}: another backup is being written there") from error
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - see __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.partial.unlink(missing_ok=True)
        self._file.close()

    def add(self, name: str, path: Path, told: Callable[[int], None] = lambda _: None) -> Member:
        """Add a file, hashed on the way; ``told`` gets the bytes of each piece. FileNotFoundError, OSError as they are."""
        with path.open("rb") as file:
            hashing = _Hashing(file, told)
            info = tarfile.TarInfo(name)
            info.size, info.mode = os.fstat(file.fileno()).st_size, 0o600
            self._tar.addfile(info, hashing)
        member = Member(name, info.size, hashing.digest.hexdigest())
        self.members.append(member)
        return member

    def finish(self, manifest: Manifest, key: Ed25519PrivateKey) -> None:
        """Write the manifest with its signature, sync all, and give the archive its name."""
        data, signature = sign_manifest(manifest, key)
        for name, content in ((MANIFEST, data), (SIGNATURE, signature.hex().encode() + b"\n")):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o600
            self._tar.addfile(info, io.BytesIO(content))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self.partial.rename(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_manifest(path: Path, public: bytes) -> Manifest:
    """The manifest of an archive, its signature checked; StoreError for what is no whole archive of that node."""
    with _opened(path) as tar:
        return _manifest(tar, path, public)


def check_archive(path: Path, public: bytes, told: Told = lambda _done, _total: None) -> Manifest:
    """Read an archive through: signature, every member's hash, nothing more in it. StoreError names what is wrong."""
    with _opened(path) as tar:
        manifest = _manifest(tar, path, public)
        for _ in _members(tar, path, manifest, told):
            pass
        return manifest


def extract_archive(
    path: Path, public: bytes, folder: Path, told: Told = lambda _done, _total: None, *, only: str = ""
) -> Manifest:
    """Write the members (or ``only`` one) below ``folder``, each checked; on an error the caller removes the folder."""
    with _opened(path) as tar:
        manifest = _manifest(tar, path, public)
        for name, pieces in _members(tar, path, manifest, told):
            if only not in ("", name):
                continue
            target = folder / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        return manifest


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes], told: Callable[[int], None]) -> None:
        self._file = file
        self._told = told
        self.digest = hashlib.sha256()

    def read(self, n: int = -1) -> bytes:
        piece = self._file.read(n)
        self.digest.update(piece)
        self._told(len(piece))
        return piece


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, mode="r:")
    except (OSError, tarfile.TarError) as error:
        raise StoreError(f"{path}: cannot be read as a backup: {error}") from error


def _manifest(tar: tarfile.TarFile, path: Path, public: bytes) -> Manifest:
    try:
        names = set(tar.getnames())
    except (tarfile.TarError, OSError) as error:
        raise StoreError(f"{path}: damaged: {error}") from error
    if not {MANIFEST, SIGNATURE} <= names:
        raise StoreError(f"{path}: it has no manifest at its end: no backup, or one that was cut off")
    try:
        signature = bytes.fromhex(_content(tar, SIGNATURE).decode("ascii"))
    except ValueError as error:
        raise StoreError(f"{path}: damaged: its signature does not read") from error
    manifest = verified_manifest(_content(tar, MANIFEST), signature, public, str(path))
    listed = [member.name for member in manifest.members]
    strange = [name for name in listed if not NAMES.fullmatch(name)] + sorted(names - {*listed, MANIFEST, SIGNATURE})
    if strange or sorted([*listed, MANIFEST, SIGNATURE]) != sorted(tar.getnames()):
        raise StoreError(f"{path}: damaged: {', '.join(strange[:3]) or 'a file'} is not as the manifest lists it")
    return manifest


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise StoreError(f"{name} of the backup is no file: damaged")
    return file.read()


def _members(tar: tarfile.TarFile, path: Path, manifest: Manifest, told: Told) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each member's pieces; StoreError after the last one if the whole does not have its hash."""
    done, total = 0, sum(member.size for member in manifest.members)
    for member in manifest.members:
        info = tar.getmember(member.name)
        file = tar.extractfile(info)
        if file is None or info.size != member.size:
            raise StoreError(f"{path}: damaged: {member.name} is not as the manifest lists it")
        pieces = _checked(file, member, path)
        yield member.name, pieces
        for _ in pieces:
            pass
        done += member.size
        told(done, total)


def _checked(file: IO[bytes], member: Member, path: Path) -> Iterator[bytes]:
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != member.sha256:
        raise StoreError(f"{path}: damaged: {member.name} does not have the hash that the manifest lists")
