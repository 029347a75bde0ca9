"""What an edge refuses, in the order in which it looks."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wanmi.coords import Point, from_wgs84
from wanmi.reports import (
    Attachment,
    Box,
    Known,
    Reason,
    Refused,
    Report,
    Rules,
    check_report,
    examine,
    reason_text,
    sign_report,
)

NOW = 1_795_507_200_000_000
MINUTE = 60_000_000
ID = "T210102-0001"
CITY = Box(1_222_000_000, 411_000_000, 1_239_000_000, 430_000_000)
RULES = Rules(CITY, lambda kind, category: (kind, category) == ("event", "0102"))
GOOD = Report(
    v=1,
    terminal=ID,
    report_id="01KB5J9Q4R8ZT3E6W1M0XCVBNA",
    made_at=NOW,
    kind="event",
    category="0102",
    component=None,
    lon_e7=1_234_000_000,
    lat_e7=417_900_000,
    datum="WGS84",
    accuracy_cm=None,
    fix="gnss",
    fix_at=NOW,
    satellites=None,
    source="collector",
    self_handled=False,
    attachments=(),
    app="x",
    queue=0,
)


def with_attachment(role: str, size: int) -> dict[str, object]:
    return {"attachments": (Attachment(role, "0" * 64, size, "image/jpeg"),)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"made_at": NOW + 5 * MINUTE}, None),
        ({"made_at": NOW + 5 * MINUTE + 1}, Reason.FUTURE_TIME),
        ({"fix_at": NOW + 6 * MINUTE}, Reason.FUTURE_TIME),
        ({"made_at": 0, "fix_at": 0}, None),
        ({"lon_e7": 0, "lat_e7": 0}, Reason.NO_POSITION),
        ({"lon_e7": 0}, Reason.OUTSIDE_CITY),
        ({"lon_e7": CITY.west - 1}, Reason.OUTSIDE_CITY),
        ({"lon_e7": CITY.west}, None),
        ({"category": "9999"}, Reason.UNKNOWN_CATEGORY),
        ({"kind": "component"}, Reason.UNKNOWN_CATEGORY),
        (with_attachment("photo", 8 * 1024 * 1024), None),
        (with_attachment("photo", 8 * 1024 * 1024 + 1), Reason.PHOTO_TOO_BIG),
        (with_attachment("sound", 8 * 1024 * 1024 + 1), Reason.PHOTO_TOO_BIG),
        (with_attachment("text", 8 * 1024 + 1), Reason.TEXT_TOO_LONG),
    ],
)
def test_reasons(change: dict[str, object], reason: Reason | None) -> None:
    assert check_report(msgspec.structs.replace(GOOD, **change), NOW, RULES) is reason


def test_the_border_is_asked_in_wgs84() -> None:
    inside = from_wgs84(Point(CITY.east - 100, 417_900_000), "GCJ02")
    assert inside.lon_e7 > CITY.east
    shifted = msgspec.structs.replace(GOOD, lon_e7=inside.lon_e7, lat_e7=inside.lat_e7)
    assert check_report(msgspec.structs.replace(shifted, datum="GCJ02"), NOW, RULES) is None
    assert check_report(shifted, NOW, RULES) is Reason.OUTSIDE_CITY


def examined(report: Report, key: Ed25519PrivateKey, terminals: dict[str, Known], topic: str = ID) -> Reason | None:
    try:
        examine(sign_report(report, key), topic, terminals, NOW, RULES)
    except Refused as refused:
        return refused.reason
    return None


def test_the_sender_is_looked_at_before_what_he_says(key: Ed25519PrivateKey, public: bytes) -> None:
    nowhere = msgspec.structs.replace(GOOD, lon_e7=0, lat_e7=0)
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    known, revoked = {ID: Known(public)}, {ID: Known(public, revoked=True)}
    assert examined(GOOD, key, known) is None
    assert examined(nowhere, key, known) is Reason.NO_POSITION
    assert examined(nowhere, key, {}) is Reason.UNKNOWN_TERMINAL
    assert examined(nowhere, key, revoked) is Reason.REVOKED_TERMINAL
    assert examined(nowhere, stranger, known) is Reason.UNKNOWN_KEY
    assert examined(nowhere, stranger, revoked) is Reason.UNKNOWN_KEY
    assert examined(nowhere, key, known, topic="T210102-0002") is Reason.WRONG_TERMINAL


def test_what_is_found_after_the_signature_is_authentic() -> None:
    before = {reason for reason in Reason if not reason.authentic}
    assert before == {
        Reason.NOT_JSON,
        Reason.WRONG_SCHEMA,
        Reason.TOO_LARGE,
        Reason.WRONG_TERMINAL,
        Reason.UNKNOWN_TERMINAL,
        Reason.BAD_SIGNATURE,
        Reason.UNKNOWN_KEY,
        Reason.REVOKED_TERMINAL,
    }


def test_every_reason_has_its_text_in_both_languages() -> None:
    texts = [(reason_text(reason, "zh"), reason_text(reason, "en")) for reason in Reason]
    assert all(not zh.isascii() and en.isascii() for zh, en in texts)
    assert len(set(texts)) == len(texts)
    assert reason_text("from_a_newer_edge") == "from_a_newer_edge"
