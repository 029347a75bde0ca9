"""Cuts a community into unit grids (单元网格) of about 100 m x 100 m along irregular borders (CJ/T 213, GB/T 30428.1).

1. The community's rings and the lattice lines are noded on the 1e-7 degree grid; the faces inside are the raw cells.
   Where a line meets the community's border, the cut is put on the whole coordinate nearest to the border within
   `SEEK` units, so that the border keeps its area, and a neighbour that has the same border gets the same cut.
2. A face smaller than `sliver_share` of a nominal cell is joined to the neighbour with the longest common edge
   (smallest face first; ties: the lower-numbered neighbour from the south-west). A face without a neighbour stays.
3. Numbers: rows are bands of one nominal cell height of northing on EPSG:4550 (band k holds northings from k x height
   to (k + 1) x height); a cell is in the row that holds its centroid. Rows run from north to south, and in a row cells
   run from west to east by their centroid's easting: 001, 002 … 999.

The cells are a partition: neighbours share identical vertices, nothing overlaps, nothing is left out.
"""

import heapq
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wanmi.errors import BadInput
from wanmi_gis.lattice import stretches
from wanmi_gis.noding import faces_inside
from wanmi_gis.plane import ring_area_m2, to_metres
from wanmi_gis.shapes import Edge, Rings, Shape, dissolve, edges, oriented

OnOverflow = Literal["refuse", "grow"]
MOST_CELLS = 999
CELL_M = 100
SLIVER_SHARE = 0.3
_SIZES = ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 3), (4, 4), (5, 5), (6, 6), (8, 8), (10, 10), (14, 14), (20, 20))


@dataclass(frozen=True)
class UnitGrid:
    """A unit grid: 15-digit code, its 12-digit community, rings in 1e-7 degree WGS-84 (exterior first, oriented).

    `area_m2` on the plane of EPSG:4550, rounded; `begins` and `ends` are dates `YYYY-MM-DD`, `ends` None while in force.
    """

    code: str
    community: str
    rings: Rings
    area_m2: int
    begins: str
    ends: str | None = None


@dataclass(frozen=True)
class Cut:
    """The grids of a community; `cell_m` is the nominal (width, height), `message` says what was chosen and why."""

    grids: tuple[UnitGrid, ...]
    cell_m: tuple[int, int]
    joined: int
    message: str


def cut(
    community: str,
    shape: Shape,
    begins: str,
    *,
    on_overflow: OnOverflow = "refuse",
    cell_m: int = CELL_M,
    sliver_share: float = SLIVER_SHARE,
) -> Cut:
    """Cuts a community (12 digits; a polygon with or without holes, or several) into unit grids.

    More than 999 cells: `refuse` raises BadInput; `grow` takes every second, third … line until they fit, and says so.
    Raises BadInput for a code that is no community's, or for rings that are not simple or enclose no area.
    """
    _check(community, shape)
    tried, count = "", 0
    for columns, rows in _SIZES if on_overflow == "grow" else _SIZES[:1]:
        cells, joined = _cells(shape, cell_m, (columns, rows), sliver_share)
        count = len(cells)
        if count <= MOST_CELLS:
            size = (columns * cell_m, rows * cell_m)
            message = f"community {community}: {count} cells of about {size[0]} m x {size[1]} m{tried}"
            return Cut(_numbered(community, cells, size[1], begins), size, joined, message)
        tried = tried or f"; grown, since {count} cells of {cell_m} m exceed {MOST_CELLS} (on_overflow=grow)"
    raise BadInput(
        f"community {community}: {count} cells exceed the {MOST_CELLS} that a code can number "
        f"(on_overflow={on_overflow}); split the community or choose on_overflow=grow for larger cells"
    )


def _check(community: str, shape: Shape) -> None:
    import shapely

    if len(community) != 12 or not (community.isascii() and community.isdigit()):
        raise BadInput(f"community {community!r}: not a 12-digit community code; give one such as 210102001002")
    if not shape:
        raise BadInput(f"community {community}: has no polygon; give at least one ring")
    parts = [shapely.Polygon(rings[0], rings[1:]) if all(len(ring) > 2 for ring in rings) else None for rings in shape]
    whole = shapely.MultiPolygon([part for part in parts if part is not None])
    if None in parts or not whole.is_valid:
        raise BadInput(f"community {community}: {shapely.is_valid_reason(whole)} (1e-7 degree); mend its border")


def _cells(shape: Shape, cell_m: int, every: tuple[int, int], sliver_share: float) -> tuple[list[Rings], int]:
    """The cells, slivers joined, and how many were joined."""
    whole = tuple(oriented(rings) for rings in shape)
    metres = to_metres(np.array([vertex for rings in whole for ring in rings for vertex in ring], dtype=np.int64))
    lines = stretches(metres.min(axis=0), metres.max(axis=0), cell_m, every)
    faces = faces_inside(whole, lines)
    areas = [sum(ring_area_m2(ring) for ring in face) for face in faces]
    groups = _joined(faces, areas, sliver_share * cell_m * cell_m * every[0] * every[1])
    cells = [part for group in groups for part in dissolve([faces[number] for number in group])]
    return cells, len(faces) - len(groups)


def _joined(faces: list[Rings], areas: list[float], least: float) -> list[list[int]]:
    """Groups of faces: every group below `least` m2 went to the neighbour with the longest common edge."""
    members = {number: [number] for number in range(len(faces))}
    touching = _common_edges(faces)
    sizes = dict(enumerate(areas))
    waiting = [(area, number) for number, area in enumerate(areas) if area < least]
    heapq.heapify(waiting)
    while waiting:
        area, small = heapq.heappop(waiting)
        if sizes.get(small) != area or not touching[small]:
            continue
        into = min(touching[small], key=lambda other: (-touching[small][other], other))
        sizes[into] += sizes.pop(small)
        members[into] += members.pop(small)
        for other, length in touching.pop(small).items():
            del touching[other][small]
            if other != into:
                touching[into][other] = touching[other][into] = touching[into].get(other, 0.0) + length
        if sizes[into] < least:
            heapq.heappush(waiting, (sizes[into], into))
    return [members[number] for number in sorted(members)]


def _common_edges(faces: list[Rings]) -> dict[int, dict[int, float]]:
    """For every face, the length in metres that it shares with each neighbour."""
    owner = {edge: number for number, face in enumerate(faces) for ring in face for edge in edges(ring)}
    shared = [(edge, number, owner[edge[1], edge[0]]) for edge, number in owner.items() if (edge[1], edge[0]) in owner]
    touching: dict[int, dict[int, float]] = {number: {} for number in range(len(faces))}
    lengths = _lengths([edge for edge, _, _ in shared])
    for (_, number, other), length in zip(shared, lengths, strict=True):
        touching[number][other] = touching[number].get(other, 0.0) + length
    return touching


def _lengths(wanted: list[Edge]) -> list[float]:
    if not wanted:
        return []
    metres = to_metres(np.array(wanted, dtype=np.int64).reshape(-1, 2)).reshape(-1, 2, 2)
    return [float(length) for length in np.hypot(*(metres[:, 1] - metres[:, 0]).T).round(6).tolist()]


def centroid_m(rings: Rings) -> tuple[float, float]:
    """Centroid (east, north in metres) of one oriented polygon on the plane."""
    area = east = north = 0.0
    base = to_metres(np.array(rings[0][:1], dtype=np.int64))[0]
    for ring in rings:
        x, y = (to_metres(np.array(ring, dtype=np.int64)) - base).T
        cross = x * np.roll(y, -1) - np.roll(x, -1) * y
        area += float(cross.sum()) / 2
        east += float(np.dot(x + np.roll(x, -1), cross)) / 6
        north += float(np.dot(y + np.roll(y, -1), cross)) / 6
    return float(base[0]) + east / area, float(base[1]) + north / area


def _numbered(community: str, cells: list[Rings], height_m: int, begins: str) -> tuple[UnitGrid, ...]:
    def place(cell: Rings) -> tuple[int, float, float]:
        east, north = centroid_m(cell)
        return -int(north // height_m), east, -north

    ordered = sorted(cells, key=lambda cell: (place(cell), cell))
    return tuple(
        UnitGrid(f"{community}{number:03d}", community, cell, round(sum(map(ring_area_m2, cell))), begins)
        for number, cell in enumerate(ordered, start=1)
    )
