"""A text in both languages."""

from __future__ import annotations

from typing import Literal, NamedTuple

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")


class Text(NamedTuple):
    """A text in both languages; ``{facts}`` are filled in."""

    zh: str
    en: str

    def to(self, lang: Lang, **facts: object) -> str:
        """The text in one language with its facts."""
        text = self.zh if lang == "zh" else self.en
        return text.format(**facts) if facts else text
