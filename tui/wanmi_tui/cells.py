"""Text in terminal cells: a Chinese character takes two. Widths, cuts, ages, sizes, sparklines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from rich.cells import cell_len, set_cell_size

from wanmi_tui.words import Lang, T

ZONE = timezone(timedelta(hours=8))
"""Asia/Shanghai has no summer time."""
SECOND = 1_000_000
MINUTE = 60
HOUR = 3600
DAY = 86_400
_BARS = "▁▂▃▄▅▆▇█"
_CUT = "…"


def cut(text: str, width: int) -> str:
    """At most ``width`` cells of ``text``, one line, with … where something is missing."""
    line = " ".join(text.split())
    if cell_len(line) <= width:
        return line
    return set_cell_size(line, max(width - 1, 0)).rstrip() + _CUT if width > 0 else ""


def fit(text: str, width: int, right: bool = False) -> str:
    """Exactly ``width`` cells."""
    line = cut(text, width)
    gap = " " * (width - cell_len(line))
    return gap + line if right else line + gap


def fold(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells; broken at spaces, and anywhere in Chinese."""
    lines = [""]
    for piece in _pieces(" ".join(text.split())):
        if cell_len(lines[-1] + piece.rstrip()) > width and lines[-1]:
            lines.append("")
        rest = piece
        while cell_len(rest.rstrip()) > width:
            lines[-1] = set_cell_size(rest, width).rstrip()
            rest = rest[len(lines[-1]) :]
            lines.append("")
        lines[-1] += rest
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> list[str]:
    """Pieces that may stand on lines of their own: words with the space behind them, single wide characters."""
    pieces: list[str] = []
    for char in text:
        glued = pieces and cell_len(char) < 2 and not pieces[-1].endswith(" ") and cell_len(pieces[-1][-1]) < 2
        if glued or (pieces and char in " ，。；：、）" and not pieces[-1].endswith(" ")):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def pair_lines(name: str, text: str, width: int, name_width: int = 22) -> list[str]:
    """A name and its text in lines of ``width``: side by side, or the text below where it has lines of its own."""
    if not name:
        return fold(text, width)
    if "\n" in text or cell_len(name) > name_width:
        return [cut(name, width), *(f"  {line}" for part in text.split("\n") for line in _indented(part, width - 2))]
    first, *rest = fold(text, width - name_width - 1)
    return [f"{fit(name, name_width)} {first}", *(" " * (name_width + 1) + line for line in rest)]


def _indented(text: str, width: int) -> list[str]:
    """A line of a text whose indentation means something."""
    gap = text[: len(text) - len(text.lstrip())]
    return [gap + line for line in fold(text, width - len(gap))]


def column_widths(wanted: Sequence[tuple[int, int]], width: int) -> list[int]:
    """Widths in cells of columns given as (least, weight) that share ``width``, one cell between two.

    Columns of weight 0 keep their least; the rest goes to the others by weight. The last columns are left out (0)
    where even the least do not fit.
    """
    kept = list(wanted)
    while len(kept) > 1 and sum(least for least, _ in kept) + len(kept) - 1 > width:
        kept.pop()
    spare = max(width - sum(least for least, _ in kept) - (len(kept) - 1), 0)
    total = sum(weight for _, weight in kept)
    widths = [least + (spare * weight // total if total else 0) for least, weight in kept]
    if total:
        widths[max(n for n, (_, weight) in enumerate(kept) if weight)] += width - len(kept) + 1 - sum(widths)
    return [*widths, *([0] * (len(wanted) - len(kept)))]


def clock(at: int | None, *, date: bool = False) -> str:
    """The time of day of ``at`` µs UTC in Asia/Shanghai, ``11-24 17:45:03`` with the date; – for never."""
    if not at:
        return "–"
    told = datetime.fromtimestamp(at / SECOND, UTC).astimezone(ZONE)
    return told.strftime("%m-%d %H:%M:%S" if date else "%H:%M:%S")


def span(seconds: float, lang: Lang) -> str:
    """A length of time in one unit, coarse enough that it does not change at every look: ``40 s``, ``3 min``."""
    s = max(int(seconds), 0)
    if s < 10:
        return T.just_now.to(lang)
    if s < MINUTE:
        return T.seconds.to(lang, n=s // 10 * 10)
    if s < 2 * HOUR:
        return T.minutes.to(lang, n=s // MINUTE)
    if s < 2 * DAY:
        return T.hours.to(lang, n=s // HOUR)
    return T.days.to(lang, n=s // DAY)


def ago(at: int | None, now: int, lang: Lang) -> str:
    """How long ago ``at`` was at ``now``, both µs UTC; – for never."""
    return "–" if not at else span((now - at) / SECOND, lang)


def size(count: int) -> str:
    """Bytes for people: ``1.2 MB``."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("the loop returns at GB")


def number(value: float) -> str:
    """A measured value: at most three decimals, no zeros for show."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 1e9 else f"{value:.3g}"


def degrees(lon_e7: int | None, lat_e7: int | None) -> str:
    """A place in degrees, longitude first; – for none."""
    if lon_e7 is None or lat_e7 is None:
        return "–"
    return f"{lon_e7 / 1e7:.5f} {lat_e7 / 1e7:.5f}"


def spark(values: Sequence[float | None], width: int) -> str:
    """The newest ``width`` values as bars between their least and greatest; a gap where nothing was known."""
    shown = values[-width:] if width > 0 else []
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    step = (high - low) / (len(_BARS) - 1)
    return "".join(" " if value is None else _BARS[round((value - low) / step) if step else 0] for value in shown)
