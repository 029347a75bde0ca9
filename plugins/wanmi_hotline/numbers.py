"""Telephone numbers of China in one spelling, so that one caller is one caller. Pure.

``+8613940012345`` (mobile: 11 digits, 1 3-9 …), ``+862423456789`` (area code without its 0, then 7 or 8 digits),
``+862423456789;ext=801``, ``12345`` (short numbers keep their digits), ``+14155550100`` (abroad). A number without
area code is of the node's own area. Who hides their number has none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from wanmi.errors import BadInput

CHINA = "86"
_HIDDEN = frozenset(
    {"", "anonymous", "unknown", "unavailable", "restricted", "private", "withheld", "s", "nil", "未知", "匿名"}
)
_EXTENSION = re.compile(r"(?:;ext=|转|分机|ext\.?|x|#|,|;|-)+([0-9]{1,6})$")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_AREA = re.compile(r"(10|2[0-9]|[3-9][0-9]{2})([2-8][0-9]{6,7})")
_LOCAL = re.compile(r"[2-8][0-9]{6,7}")
_SHORT = re.compile(r"[1-9][0-9]{2,5}|(?:400|800)[0-9]{7}|1[01][0-9]{3,9}|9[0-9]{4,7}")
_ABROAD = re.compile(r"[1-9][0-9]{6,14}")
LONGEST = 60
"""Characters of a number as a telephone system may spell it."""


@dataclass(frozen=True)
class Number:
    """A number in its one spelling; ``str`` gives it back, with the extension."""

    digits: str
    extension: str = ""

    def __str__(self) -> str:
        return f"{self.digits};ext={self.extension}" if self.extension else self.digits


def normalise(text: str, area: str) -> Number | None:
    """The number in ``text``; None when it is hidden. ``area`` is the node's area code without 0 (``24``).

    Raises BadInput when nothing of it is a number.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    plain = re.sub(r"^(sips?|tel):", "", plain).partition("@")[0]
    if plain in _HIDDEN:
        return None
    if len(plain) > LONGEST:
        raise BadInput(f"a telephone number of {len(plain)} characters; it has at most {LONGEST}")
    plain, extension = _split(plain)
    digits = re.sub(r"[\s().·/_-]", "", plain)
    if not re.fullmatch(r"\+?[0-9]+", digits):
        raise BadInput("that is no telephone number: it holds other than digits")
    found = _abroad(digits) or _national(digits.removeprefix("+"), area)
    return Number(found, extension)


def _split(plain: str) -> tuple[str, str]:
    """The number and its extension: after 转, ext, #, a comma; after a hyphen when the rest is whole without it."""
    found = _EXTENSION.search(plain)
    if found is None:
        return plain, ""
    before = plain[: found.start()].rstrip()
    if found[0].startswith("-") and not _whole(before):
        return plain, ""
    return (before, found[1]) if before else (plain, "")


def _whole(before: str) -> bool:
    """Whether what stands before a hyphen is a number already: 024-23456789-801 is, 024-23456789 is not."""
    digits = re.sub(r"[^0-9]", "", before)
    digits = re.sub(r"^(0086|86)(?=0?[1-9][0-9]{8})", "", digits)
    if digits.startswith("0"):
        return bool(_AREA.fullmatch(digits[1:]))
    return bool(_LOCAL.fullmatch(digits) or (len(digits) > 8 and _AREA.fullmatch(digits)))


def _abroad(digits: str) -> str:
    """A number of another country, with its +; empty for one of China."""
    if digits.startswith("+"):
        far = digits[1:]
    elif digits.startswith("00"):
        far = digits[2:]
    else:
        return ""
    if far.startswith(CHINA) or not _ABROAD.fullmatch(far):
        return ""
    return f"+{far}"


def _national(digits: str, area: str) -> str:
    """A number of China: mobile, with area code, of this area, or short; other digits stay as they are."""
    bare = _without_country(digits)
    trunk = bare.removeprefix("0")
    if _MOBILE.fullmatch(trunk):
        return f"+{CHINA}{trunk}"
    if bare.startswith("0") or bare != digits:
        found = _AREA.fullmatch(trunk)
        if found:
            return f"+{CHINA}{trunk}"
    if _SHORT.fullmatch(bare):
        return bare
    if _LOCAL.fullmatch(bare):
        return f"+{CHINA}{area}{bare}"
    if _AREA.fullmatch(bare):
        return f"+{CHINA}{bare}"
    return digits


def _without_country(digits: str) -> str:
    """Without 0086 or 86, where what follows is a number of China."""
    for prefix in (f"00{CHINA}", CHINA):
        rest = digits.removeprefix(prefix)
        trunk = rest.removeprefix("0")
        if rest != digits and (_MOBILE.fullmatch(trunk) or _AREA.fullmatch(trunk)):
            return rest
    return digits
