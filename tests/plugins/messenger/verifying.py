"""A receiver's check of Standard Webhooks signatures, written from the standard and not from the sender's code."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

TOLERANCE = 5 * 60


def fits(secret: str, headers: Mapping[str, str], body: bytes, now_us: int) -> bool:
    """Whether one of the signatures is by ``secret``, and the timestamp is of now."""
    stamp = headers["webhook-timestamp"]
    if abs(int(stamp) - now_us // 1_000_000) > TOLERANCE:
        return False
    content = f"{headers['webhook-id']}.{stamp}.".encode("ascii") + body
    for given in headers["webhook-signature"].split(" "):
        version, _, mark = given.partition(",")
        if version != "v1":
            continue
        mac = HMAC(b64decode(secret.removeprefix("whsec_")), SHA256())
        mac.update(content)
        try:
            mac.verify(b64decode(mark))
        except InvalidSignature:
            continue
        return True
    return False
