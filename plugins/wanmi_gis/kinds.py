"""Bodies of the imported base data's entries. Data only: coordinates 1e-7 degree WGS-84, dates `YYYY-MM-DD`.

One import of one subject is one or more chunks, each an entry of its own; a chunk stands alone. `file_sha256` names the
file that the rows came from. A ring is [lon, lat, lon, lat, …], open; the exterior first, counter-clockwise.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Dataset = Literal["divisions", "grids", "components"]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class DivisionItem(_Body, frozen=True):
    """A division from `begins` on; `parts` are polygons, each a list of rings; empty where none is known."""

    code: str
    level: Literal["city", "district", "street", "community"]
    name: str
    name_en: str
    parent: str
    begins: str
    ends: str | None
    schematic: bool
    parts: list[list[list[int]]]


class GridItem(_Body, frozen=True):
    """A unit grid: `rings` of its one polygon; `ends` once it is out of force. Its code is never used again."""

    code: str
    area_m2: int
    begins: str
    ends: str | None
    schematic: bool
    rings: list[list[int]]


class ComponentItem(_Body, frozen=True):
    """A component's state from `begins` on; `grid` is where its point was located when it was imported."""

    code: str
    name: str
    grid: str
    lon_e7: int
    lat_e7: int
    state: str
    authority: str
    owner: str
    keeper: str
    data_source: str
    note: str
    begins: str
    ends: str | None


class _Imported(_Body, frozen=True):
    dataset: Dataset
    file_sha256: str
    chunk: int
    chunks: int
    datum: Literal["WGS84"]


class DivisionsImported(_Imported, frozen=True):
    """``divisions.imported``, subject ``divisions:<parent>`` (``divisions:0`` for a city)."""

    rows: list[DivisionItem]


class GridsImported(_Imported, frozen=True):
    """``grids.imported``, subject ``grids:<12-digit community>``."""

    rows: list[GridItem]


class ComponentsImported(_Imported, frozen=True):
    """``components.imported``, subject ``components:<district>:<category>``."""

    rows: list[ComponentItem]
