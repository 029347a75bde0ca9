"""Authentication codes: one a vehicle, made from a key that stays in the device's folder."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path


class CodeBook:
    """The same terminal gets the same code as long as the key stands; deleting ``auth.key`` revokes all."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def open(cls, folder: Path) -> CodeBook:
        """Read the key, or make it (0600)."""
        path = folder / "auth.key"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            new = path.with_suffix(".new")
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            new.rename(path)
        return cls(path.read_bytes())

    def code(self, phone: str) -> str:
        """The code of a terminal."""
        return hmac.new(self._key, phone.encode(), hashlib.sha256).hexdigest()[:20]

    def fits(self, phone: str, code: str) -> bool:
        """Whether it is that code, in constant time."""
        return hmac.compare_digest(self.code(phone).encode(), code.encode("utf-8", "replace"))
