"""Standard Webhooks signatures (https://www.standardwebhooks.com), and the file that holds an endpoint's secrets.

Signed is ``id.timestamp.body`` with HMAC-SHA256; the header carries one ``v1,<base64>`` a secret, so that while
a secret is changed the receiver may know the old one or the new one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wanmi.clock import SECOND
from wanmi.errors import BadInput, NotFound
from wanmi.ids import Ids

PREFIX = "whsec_"
SECRET_BYTES = 32
_LINE = re.compile(r"(whsec_[A-Za-z0-9+/=]+)(?:\s+until\s+([0-9]{1,18}))?")


@dataclass(frozen=True)
class Secret:
    """A signing secret of 24 to 64 bytes; ``until`` µs UTC, None: the one that stays."""

    key: bytes
    until: int | None = None

    @property
    def text(self) -> str:
        """As it is shown to the receiver once."""
        return PREFIX + base64.b64encode(self.key).decode()


def signature_headers(secrets: Sequence[Secret], id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of a message; ``at`` is µs UTC, signed in whole seconds. A retry keeps ``id``."""
    stamp = str(at // SECOND)
    signed = b".".join((id.encode(), stamp.encode(), body))
    marks = [base64.b64encode(hmac.digest(one.key, signed, hashlib.sha256)).decode() for one in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
    }


def parse_secrets(text: str, now: int) -> tuple[Secret, ...]:
    """The secrets that sign now, in the file's order; BadInput for a line that is none (it is not repeated)."""
    secrets = []
    for n, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise BadInput(f"line {n}: is not `whsec_…` or `whsec_… until MICROSECONDS`")
        secret = Secret(_key(n, found[1]), int(found[2]) if found[2] else None)
        if secret.until is None or secret.until > now:
            secrets.append(secret)
    return tuple(secrets)


def load_secrets(path: Path, now: int) -> tuple[Secret, ...]:
    """The secrets of a file that nobody else may read; NotFound or BadInput otherwise."""
    try:
        if path.stat().st_mode & 0o077:
            raise BadInput(f"{path}: others may read it; chmod 600")
        secrets = parse_secrets(path.read_text(encoding="ascii"), now)
    except FileNotFoundError:
        raise NotFound(f"{path}: no secret is there; `wanmi messages rotate` makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    if not secrets:
        raise NotFound(f"{path}: holds no secret that is still good; `wanmi messages rotate` makes one")
    return secrets


def rotate(path: Path, ids: Ids, now: int, overlap: int) -> Secret:
    """A new secret, first in the file; the ones before sign for ``overlap`` seconds more, then are left out."""
    new = Secret(ids.token(SECRET_BYTES))
    old = load_secrets(path, now) if path.exists() else ()
    end = now + overlap * SECOND
    kept = [Secret(one.key, min(end, one.until or end)) for one in old] if overlap else []
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, [new, *kept])
    return new


def _write(path: Path, secrets: Iterable[Secret]) -> None:
    lines = [one.text + (f" until {one.until}" if one.until is not None else "") for one in secrets]
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123 - born 0600
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _key(n: int, text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise BadInput(f"line {n}: the secret is no base64") from None
    if not 24 <= len(key) <= 64:
        raise BadInput(f"line {n}: a secret has 24 to 64 bytes, this one {len(key)}")
    return key
