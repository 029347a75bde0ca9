"""DIR/node.lock: one process a node."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from wanmi.errors import StoreError

LOCK_FILE = "node.lock"


class NodeLock:
    """The held lock of a node's directory; the kernel lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def take(cls, dir: Path) -> NodeLock:
        """Take the lock; StoreError names the process that holds it."""
        path = dir / LOCK_FILE
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise StoreError(f"{dir}: in use by process {holder} (node.lock); stop that one first") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
        return cls(path, handle)

    def release(self) -> None:
        """Let the next process in."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
