"""One-time codes by time (TOTP, RFC 6238 over HOTP, RFC 4226): arithmetic, address for the app, QR picture. Pure."""

from __future__ import annotations

import base64
import hmac
import struct
from urllib.parse import quote, urlencode

from wanmi.clock import SECOND

STEP = 30
"""Seconds that a code is shown."""
DIGITS = 6
SKEW = 1
"""Steps that the clock of somebody's phone may be off, either way."""
SECRET_BYTES = 20
"""160 bits, as RFC 4226 asks for."""


def hotp(key: bytes, counter: int, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """The code of a counter (RFC 4226, 5.3: dynamic truncation)."""
    mac = hmac.digest(key, struct.pack(">Q", counter), algorithm)
    at = mac[-1] & 0x0F
    value = struct.unpack(">I", mac[at : at + 4])[0] & 0x7FFF_FFFF
    return str(value % 10**digits).zfill(digits)


def step_at(now: int) -> int:
    """The step of a time (µs UTC) since 1970."""
    return now // (STEP * SECOND)


def fitting_step(key: bytes, code: str, now: int, after: int) -> int | None:
    """The step whose code was given, at most ``SKEW`` steps from now and later than ``after``; None when none fits.

    ``after`` is the step of the last code that was taken, so that none is taken twice (RFC 6238, 5.2).
    """
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    here = step_at(now)
    fitting = None
    for step in range(max(0, here - SKEW), here + SKEW + 1):
        if hmac.compare_digest(hotp(key, step), code) and step > after:
            fitting = step
    return fitting


def secret_text(key: bytes) -> str:
    """The secret as people type it: Base32 without padding."""
    return base64.b32encode(key).decode().rstrip("=")


def otpauth_uri(key: bytes, *, issuer: str, account: str) -> str:
    """The address that authenticator apps read."""
    query = urlencode(
        {"secret": secret_text(key), "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP},
        quote_via=quote,
    )
    return f"otpauth://totp/{quote(f'{issuer}:{account}', safe=':')}?{query}"


def qr_svg(text: str) -> str:
    """The text as a QR picture in SVG: black on white, no style and no script in it."""
    from io import BytesIO

    import segno

    picture = BytesIO()
    segno.make(text, micro=False, error="m").save(
        picture, kind="svg", xmldecl=False, nl=False, scale=5, border=4, light="#fff", title="QR"
    )
    return picture.getvalue().decode()
