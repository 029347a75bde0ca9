"""Where one catalogue's categories went in another: data with the way each was found and its confidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import msgspec

from wanmi.codes.catalogue import CaseKind, Confidence
from wanmi.codes.resources import Row, folder_named, read_rows
from wanmi.errors import BadInput, NotFound

__all__ = ["CodeMap", "How", "Mapped", "mapping_file", "read_mapping"]

How = Literal["hand", "equal-name", "near-name", "twin", "unmapped"]
"""hand: named in a source; equal-name, near-name: by the names; twin: the matter `X异常` of component X; unmapped: none."""


@dataclass(frozen=True)
class Mapped:
    """One row: a category of the old catalogue, and one of the new (None where none was found)."""

    source: tuple[CaseKind, str]
    source_zh: str
    target: tuple[CaseKind, str] | None
    target_zh: str
    confidence: Confidence
    how: How


class CodeMap:
    """The rows between two profiles, both ways."""

    def __init__(self, old: str, new: str, rows: Iterable[Mapped]) -> None:
        self.old = old
        self.new = new
        self.rows = tuple(rows)

    @classmethod
    def load(cls, old: str = "cjt-2007", new: str = "gbt-47678") -> CodeMap:
        """The mapping shipped with the profile ``new``; raises NotFound where it has none from ``old``."""
        return _load(old, new)

    def forward(self, kind: CaseKind, code: str) -> tuple[Mapped, ...]:
        """Where a category of the old catalogue went: itself first, then its twin matter; empty when nowhere."""
        return tuple(one for one in self.rows if one.source == (kind, code) and one.target is not None)

    def back(self, kind: CaseKind, code: str) -> tuple[Mapped, ...]:
        """Which categories of the old catalogue came to this one of the new."""
        return tuple(one for one in self.rows if one.target == (kind, code))

    @property
    def unmapped(self) -> tuple[Mapped, ...]:
        """Categories of the old catalogue that have no place in the new."""
        return tuple(one for one in self.rows if one.target is None)


def mapping_file(old: str) -> str:
    """The file of a profile that tells where another's categories went."""
    return f"from_{old}.csv"


def read_mapping(row: Row) -> Mapped:
    """One row of a mapping file; raises BadInput that says what is wrong in it."""
    how = row["how"]
    if how not in get_args(How):
        raise BadInput(f"mapping of {row['from']}: how {how!r} is not one of {', '.join(get_args(How))}")
    if (how == "unmapped") == bool(row["to"]):
        raise BadInput(f"mapping of {row['from']}: {how} {'and yet a target' if row['to'] else 'and no target'}")
    return Mapped(
        source=_place(row["from"]),
        source_zh=row["from_zh"],
        target=_place(row["to"]) if row["to"] else None,
        target_zh=row["to_zh"],
        confidence=msgspec.convert(row["confidence"], Confidence),
        how=msgspec.convert(how, How),
    )


@cache
def _load(old: str, new: str) -> CodeMap:
    folder = folder_named(new)
    if not (folder / mapping_file(old)).is_file():
        raise NotFound(f"profile {new}: has no mapping from {old} ({mapping_file(old)})")
    return CodeMap(old, new, (read_mapping(row) for row in read_rows(folder, mapping_file(old))))


def _place(text: str) -> tuple[CaseKind, str]:
    kind, _, code = text.partition(":")
    if kind not in get_args(CaseKind) or not code:
        raise BadInput(f"mapping: {text!r} is no category; write component:0101 or event:0101")
    return msgspec.convert(kind, CaseKind), code
