"""A node's four keys: signing (Ed25519), link (CURVE25519), sealing (X25519), local (32 bytes).

They lie in DIR/keys, readable by their owner alone, or come as systemd credentials
(``LoadCredential=sign.key:…``, $CREDENTIALS_DIRECTORY); never in the database nor in a backup of it.
Each file holds 64 hex digits.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wanmi.errors import BadInput, Conflict, StoreError
from wanmi.ids import Ids

NAMES = ("sign", "curve", "seal", "local")
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_VALUE = {character: value for value, character in enumerate(_Z85)}


@dataclass(frozen=True)
class NodeKeys:
    """The loaded keys. ``curve_*`` are Z85 (40 bytes), as ZeroMQ takes them; ``*_public`` 32 raw bytes."""

    sign: Ed25519PrivateKey = field(repr=False)
    sign_public: bytes
    curve_secret: bytes = field(repr=False)
    curve_public: bytes
    seal: X25519PrivateKey = field(repr=False)
    seal_public: bytes
    local: bytes = field(repr=False)

    @classmethod
    def create(cls, dir: Path, ids: Ids) -> NodeKeys:
        """Make the keys of the node in ``dir``; Conflict if there are some (a node's keys are its name)."""
        folder = dir / "keys"
        there = [name for name in NAMES if (folder / f"{name}.key").exists()]
        if there:
            raise Conflict(f"{folder}: {there[0]}.key is there already; a node's keys are not made twice")
        secrets = {name: ids.token(32) for name in NAMES}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, secret in secrets.items():
            _write_secret(folder / f"{name}.key", secret)
        return cls.from_secrets(secrets)

    @classmethod
    def renew(cls, dir: Path, ids: Ids, credentials: Path | None = None) -> NodeKeys:
        """New signing, link and sealing keys in place of those in ``dir``, and a local one if there is none.

        One file after the other: when it breaks off, do it again. Conflict when the keys are given as credentials.
        """
        folder, given = dir / "keys", credentials or credentials_directory()
        if given is not None and any((given / f"{name}.key").exists() for name in NAMES):
            raise Conflict(f"{given}: the node's keys come from there; make new ones where that gets them from")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in NAMES:
            path, new = folder / f"{name}.key", folder / f"{name}.key.new"
            if name != "local" or not path.exists():
                new.unlink(missing_ok=True)
                _write_secret(new, ids.token(32))
                new.replace(path)
        return cls.load(dir)

    @classmethod
    def load(cls, dir: Path, credentials: Path | None = None) -> NodeKeys:
        """The keys of the node in ``dir``; a file in ``credentials`` (systemd's directory) goes before.

        Raises StoreError: missing, open to others, or not 64 hex digits.
        """
        given = credentials or credentials_directory()
        return cls.from_secrets({name: _read_secret(dir, name, given) for name in NAMES})

    @classmethod
    def from_secrets(cls, secrets: dict[str, bytes]) -> NodeKeys:
        """Keys from 32 bytes each."""
        sign = Ed25519PrivateKey.from_private_bytes(secrets["sign"])
        curve = X25519PrivateKey.from_private_bytes(secrets["curve"])
        seal = X25519PrivateKey.from_private_bytes(secrets["seal"])
        return cls(
            sign=sign,
            sign_public=sign.public_key().public_bytes_raw(),
            curve_secret=z85_encode(secrets["curve"]),
            curve_public=z85_encode(curve.public_key().public_bytes_raw()),
            seal=seal,
            seal_public=seal.public_key().public_bytes_raw(),
            local=secrets["local"],
        )


def credentials_directory() -> Path | None:
    """systemd's directory of credentials, where the process has one."""
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(given) if given else None


def z85_encode(raw: bytes) -> bytes:
    """Z85 (ZeroMQ RFC 32) of bytes whose length is a multiple of 4: 32 bytes make 40 characters."""
    if len(raw) % 4:
        raise BadInput(f"Z85 takes a multiple of 4 bytes, not {len(raw)}")
    text = []
    for at in range(0, len(raw), 4):
        value = int.from_bytes(raw[at : at + 4], "big")
        text += [_Z85[value // 85**power % 85] for power in (4, 3, 2, 1, 0)]
    return "".join(text).encode("ascii")


def z85_decode(text: bytes) -> bytes:
    """The bytes of Z85 text; BadInput if it is none."""
    characters = text.decode("latin-1")
    if len(characters) % 5 or any(character not in _VALUE for character in characters):
        raise BadInput("not Z85: a multiple of 5 of its 85 characters")
    raw = b""
    for at in range(0, len(characters), 5):
        value = 0
        for character in characters[at : at + 5]:
            value = value * 85 + _VALUE[character]
        if value >= 2**32:
            raise BadInput("not Z85: a group is beyond 32 bits")
        raw += value.to_bytes(4, "big")
    return raw


def fingerprint(public: bytes) -> str:
    """A key's fingerprint for people to compare: 8 groups of 4 hex digits of its SHA-256."""
    digits = hashlib.sha256(public).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


def _write_secret(path: Path, secret: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _read_secret(dir: Path, name: str, credentials: Path | None) -> bytes:
    path = dir / "keys" / f"{name}.key"
    if credentials is not None and (credentials / f"{name}.key").exists():
        path = credentials / f"{name}.key"
    elif path.exists() and path.stat().st_mode & 0o077:
        raise StoreError(
            f"{path}: others can read this key; `chmod 600 {path}`, and think about whether it is still secret"
        )
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise StoreError(f"{path}: not there; give it back from your safe copy, or make a new node") from None
    except (ValueError, OSError) as error:
        raise StoreError(f"{path}: not a key of 64 hex digits: {error}") from error
    if len(secret) != 32:
        raise StoreError(f"{path}: {len(secret)} bytes, a key has 32")
    return secret
