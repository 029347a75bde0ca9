"""An NMEA talker for tests, written from the standard's text: it shares no code with the reader."""

from __future__ import annotations

from datetime import UTC, datetime


def sentence(body: str) -> bytes:
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}\r\n".encode()


def angle(e7: int, width: int) -> str:
    degrees, rest = divmod(abs(e7), 10_000_000)
    return f"{degrees:0{width}d}{rest * 60 / 10_000_000:08.5f}"


def place(lon_e7: int, lat_e7: int) -> str:
    return f"{angle(lat_e7, 2)},{'S' if lat_e7 < 0 else 'N'},{angle(lon_e7, 3)},{'W' if lon_e7 < 0 else 'E'}"


def moment(at: int) -> tuple[str, str]:
    when = datetime.fromtimestamp(at / 1_000_000, UTC)
    return when.strftime("%H%M%S.") + f"{when.microsecond // 10_000:02d}", when.strftime("%d%m%y")


def gga(at: int, lon_e7: int, lat_e7: int, quality: int = 1, talker: str = "GN") -> bytes:
    return sentence(f"{talker}GGA,{moment(at)[0]},{place(lon_e7, lat_e7)},{quality},09,0.9,45.2,M,8.0,M,,")


def rmc(at: int, lon_e7: int, lat_e7: int, status: str = "A", talker: str = "GN") -> bytes:
    time, day = moment(at)
    return sentence(
        f"{talker}RMC,{time},{status},{place(lon_e7, lat_e7)},12.5,084.4,{day},,,{'A' if status == 'A' else 'N'}"
    )


def no_fix(at: int) -> bytes:
    time, day = moment(at)
    return sentence(f"GNGGA,{time},,,,,0,00,99.99,,,,,,") + sentence(f"GNRMC,{time},V,,,,,,,{day},,,N")


def epoch(at: int, lon_e7: int, lat_e7: int) -> bytes:
    """A whole epoch: position, satellites of GPS and BeiDou, signals."""
    return b"".join((
        gga(at, lon_e7, lat_e7),
        sentence("GNGSA,A,3,01,03,08,,,,,,,,,,1.6,0.9,1.3,1"),
        sentence("GNGSA,A,3,19,22,29,36,,,,,,,,,1.6,0.9,1.3,4"),
        sentence("GPGSV,1,1,03,01,40,083,46,03,17,308,41,08,07,344,39"),
        sentence("GBGSV,1,1,04,19,40,083,44,22,17,308,40,29,07,344,36,36,22,228,45"),
        rmc(at, lon_e7, lat_e7),
    ))  # fmt: skip
