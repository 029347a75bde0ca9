"""One-time codes against the vectors of RFC 4226 and RFC 6238; skew, replay, hostile codes; the QR picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanmi.clock import SECOND
from wanmi.identity.totp import STEP, fitting_step, hotp, otpauth_uri, qr_svg, secret_text, step_at

KEY = b"12345678901234567890"
KEYS = {"sha1": KEY, "sha256": KEY + KEY[:12], "sha512": KEY * 3 + KEY[:4]}
RFC6238 = (
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
)
"""Appendix B: seconds, then the code of 8 digits by SHA-1, SHA-256, SHA-512."""


@pytest.mark.parametrize(("seconds", "sha1", "sha256", "sha512"), RFC6238)
def test_the_vectors_of_rfc_6238(seconds: int, sha1: str, sha256: str, sha512: str) -> None:
    counter = step_at(seconds * SECOND)
    codes = [hotp(key, counter, 8, algorithm) for algorithm, key in KEYS.items()]
    assert codes == [sha1, sha256, sha512]


def test_the_vectors_of_rfc_4226() -> None:
    told = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
    assert [hotp(KEY, counter) for counter in range(10)] == told


@pytest.mark.parametrize(("off", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(off: int, fits: bool) -> None:
    now = 1_795_489_200 * SECOND
    code = hotp(KEY, step_at(now) + off)
    assert fitting_step(KEY, code, now, after=-1) == (step_at(now) + off if fits else None)


def test_a_code_is_taken_once_and_no_earlier_one_after_it() -> None:
    now = 1_795_489_200 * SECOND
    here = step_at(now)
    assert fitting_step(KEY, hotp(KEY, here), now, after=here) is None
    assert fitting_step(KEY, hotp(KEY, here - 1), now, after=here) is None
    assert fitting_step(KEY, hotp(KEY, here + 1), now, after=here) == here + 1


@given(st.text(max_size=30))
def test_no_other_text_is_a_code(text: str) -> None:
    now = 50 * STEP * SECOND
    good = {hotp(KEY, step) for step in (49, 50, 51)}
    assert (fitting_step(KEY, text, now, after=-1) is not None) == (text in good)


def test_digits_of_other_scripts_are_no_code() -> None:
    now = 0
    code = hotp(KEY, 0)
    wide = code.translate({ord(str(n)): 0xFF10 + n for n in range(10)})
    assert fitting_step(KEY, wide, now, after=-1) is None
    assert fitting_step(KEY, code, now, after=-1) == 0


def test_the_address_is_what_apps_read() -> None:
    parts = urlsplit(otpauth_uri(KEY, issuer="Wanmi 210102", account="wang.min"))
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == ("otpauth", "totp", "/Wanmi 210102:wang.min")
    query = parse_qs(parts.query)
    assert query == {
        "secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "issuer": ["Wanmi 210102"], "algorithm": ["SHA1"],
        "digits": ["6"], "period": ["30"],
    }  # fmt: skip
    assert secret_text(KEY) == query["secret"][0]


def test_the_picture_is_plain_svg() -> None:
    svg = qr_svg(otpauth_uri(KEY, issuer="<script>", account="wang"))
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "path", "title", "g"}
    assert "style" not in svg
    assert "script" not in svg
