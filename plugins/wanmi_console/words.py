"""Words in Chinese and English: messages are English in the source, ``locales/LANGUAGE.po`` says them in a language.

The catalogues are read as they are (no compile step), once per process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from wanmi.codes import Lang

LANGS: Final[tuple[Lang, ...]] = ("zh", "en")
TAGS: Final[Mapping[Lang, str]] = MappingProxyType({"zh": "zh-Hans", "en": "en"})
Translate = Callable[[str], str]


def n_(message: str) -> str:
    """Mark a message for the catalogues; it is said later."""
    return message


SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "collector": n_("Collector"),
        "inspector": n_("Inspector"),
        "citizen": n_("Citizen"),
        "sensor": n_("Sensor"),
    }
)
FIXES: Final[Mapping[str, str]] = MappingProxyType(
    {"gnss": n_("satellite fix"), "network": n_("network position"), "manual": n_("set by hand")}
)
ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {"city": n_("City node"), "district": n_("District node"), "edge": n_("Edge node")}
)
STATES: Final[Mapping[str, str]] = MappingProxyType(
    {"fine": n_("Fine"), "warn": n_("Warning"), "bad": n_("Bad"), "unknown": n_("Unknown")}
)
NODE_STATES: Final[Mapping[str, str]] = MappingProxyType({"admitted": n_("Admitted"), "revoked": n_("Revoked")})
EVIDENCE_ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {"photo": n_("Photo"), "text": n_("Description"), "sound": n_("Sound")}
)


@lru_cache(maxsize=4)
def translator(lang: Lang) -> Translate:
    """Says a message in a language; the message itself where the catalogue has none (English needs none)."""
    words = catalogue(lang)
    return lambda message: words.get(message, message)


@lru_cache(maxsize=4)
def catalogue(lang: Lang) -> Mapping[str, str]:
    """The messages of ``locales/LANGUAGE.po``; none for the language of the source."""
    from babel.messages.pofile import read_po

    file = files("wanmi_console") / "locales" / f"{lang}.po"
    with file.open("rb") as opened:
        found = read_po(opened, locale=lang, abort_invalid=True)
    return {str(one.id): str(one.string) for one in found if one.id and one.string and not one.fuzzy}
