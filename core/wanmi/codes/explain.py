"""Tells the parts of a code and what each means, for people: screens, `wanmi code explain`, error reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wanmi.codes.catalogue import CaseKind, Category
from wanmi.codes.divisions import Divisions
from wanmi.codes.profile import Profile
from wanmi.codes.shapes import Lang, Part

__all__ = ["explain_code"]

_UNKNOWN: Mapping[Lang, str] = {"zh": "未登记", "en": "not in the tables"}
_KIND_OF_LETTER: Mapping[str, CaseKind] = {"C": "component", "E": "event"}


@dataclass(frozen=True)
class _Teller:
    """Tells the parts of one split code."""

    kind: str
    parts: Mapping[str, str]
    profile: Profile
    divisions: Divisions
    lang: Lang

    def tell(self, part: Part) -> str:
        by_name: Mapping[str, Callable[[], str]] = {
            "region": lambda: self._division(""),
            "street": lambda: self._division("street"),
            "community": lambda: self._division("community"),
            "owner": self._owner,
            "letter": self._letter,
            "major": self._major,
            "minor": self._minor,
            "day": self._day,
        }
        return by_name.get(part.name, lambda: self.parts[part.name])()

    def _division(self, down_to: str) -> str:
        code = self.parts["region"]
        for name in ("street", "community") if down_to else ():
            code += self.parts[name]
            if name == down_to:
                break
        return self._named_division(code)

    def _named_division(self, code: str) -> str:
        found = self.divisions.get(code)
        return f"{code} {found.in_lang(self.lang) if found else _UNKNOWN[self.lang]}"

    def _owner(self) -> str:
        owner = self.parts["owner"]
        edge = {"zh": f"（边缘节点 {owner[6:]}）", "en": f" (edge {owner[6:]})"}[self.lang] if owner[6:] else ""
        return self._named_division(owner[:6]) + edge

    def _case_kind(self) -> CaseKind:
        return "component" if self.kind == "component" else _KIND_OF_LETTER.get(self.parts.get("letter", ""), "event")

    def _letter(self) -> str:
        return f"{self.parts['letter']} {self.profile.label('kind', self._case_kind(), self.lang)}"

    def _major(self) -> str:
        major = self.parts["major"]
        words = self.profile.labels.get(f"{self._case_kind()}-major", {})
        return f"{major} {words[major].in_lang(self.lang) if major in words else _UNKNOWN[self.lang]}"

    def _minor(self) -> str:
        code = self.parts["major"] + self.parts["minor"]
        found: Category | None = self.profile.catalogue.get(self._case_kind(), code)
        return f"{code} {self.profile.category_name(found, self.lang) if found else _UNKNOWN[self.lang]}"

    def _day(self) -> str:
        day = self.parts["day"]
        return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def explain_code(
    kind: str, text: str, profile: Profile, divisions: Divisions, lang: Lang = "zh"
) -> list[tuple[str, str]]:
    """Label and meaning of the whole code and of each of its parts, in order; raises BadCode when it does not parse.

    A part that the tables do not know is said to be so; only a wrong form is an error.
    """
    shape = profile.shape(kind)
    teller = _Teller(kind, shape.split(text), profile, divisions, lang)
    present = [part for part in shape.parts if part.name and teller.parts[part.name]]
    told = [(part.zh if lang == "zh" else part.en, teller.tell(part)) for part in present]
    return [(shape.zh if lang == "zh" else shape.en, text), *told]
