"""The page's words: English in the source, ``locales/LANGUAGE.json`` says them in a language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files

from wanmi.codes import Lang

LANGS: tuple[Lang, ...] = ("zh", "en")
Translate = Callable[[str], str]


def translator(lang: Lang) -> Translate:
    """Says a message in a language; the message itself where there is no other word."""
    words = _words(lang)
    return lambda message: words.get(message, message)


@lru_cache(maxsize=4)
def _words(lang: Lang) -> Mapping[str, str]:
    text = (files("wanmi_hotline") / "locales" / f"{lang}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
