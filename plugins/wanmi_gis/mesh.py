"""A mesh of small irregular cells (Voronoi cells of a jittered lattice) from which schematic areas are put together.

Every schematic border follows edges of one mesh, so areas of one level neither overlap nor leave gaps, and a parent's
border is made of its children's borders, vertex by vertex.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wanmi_gis.plane import Metres, Units, spread, to_units
from wanmi_gis.shapes import Shape, dissolve_edges

Labels = NDArray[np.int64]
SQUARE_M = 1000
"""Side of a coarse lattice square in metres."""
JITTER = 0.36
"""How far a mesh point strays from the middle of its square, as a share of the square's side."""


def lattice(low: Metres, high: Metres) -> Labels:
    """(n, 2) whole coordinates of the coarse squares that fill the box from `low` to `high` (east, north in metres)."""
    first, last = np.floor(low / SQUARE_M).astype(np.int64), np.ceil(high / SQUARE_M).astype(np.int64)
    columns, rows = np.meshgrid(np.arange(first[0], last[0]), np.arange(first[1], last[1]))
    return np.column_stack((columns.ravel(), rows.ravel()))


def points_in(squares: Labels, parts: Labels, seed: int) -> tuple[Metres, Labels]:
    """Jittered points, parts[k] x parts[k] in square k, and the number of each point's square."""
    points, owners = [], []
    for count in np.unique(parts):
        chosen = np.flatnonzero(parts == count)
        steps = np.arange(count)
        inner = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(1, -1, 2)
        whole = (squares[chosen][:, None, :] * count + inner).reshape(-1, 2)
        stray = np.column_stack([spread(whole[:, 0], whole[:, 1], seed * 8 + axis, int(count)) for axis in (0, 1)])
        points.append((whole + 0.5 + JITTER * stray) * (SQUARE_M / count))
        owners.append(np.repeat(chosen, count * count))
    return np.concatenate(points), np.concatenate(owners)


@dataclass(frozen=True)
class Mesh:
    """Voronoi cells: `points` (n, 2) metres, `areas` (n) m2, corners (m, 2) e7, directed edges with their cells.

    `edges` is (k, 4): start corner, end corner, the cell on the left, the cell on the right (-1: none).
    """

    points: Metres
    areas: Metres
    corners: Units
    edges: Labels

    @cached_property
    def neighbours(self) -> tuple[Labels, Labels]:
        """CSR adjacency: offsets (n + 1) and the neighbouring cells."""
        inner = self.edges[self.edges[:, 3] >= 0]
        order = np.argsort(inner[:, 2], kind="stable")
        offsets = np.searchsorted(inner[order, 2], np.arange(len(self.points) + 1))
        return offsets, inner[order, 3]

    def shapes(self, labels: Labels) -> dict[int, Shape]:
        """The oriented shape of every label >= 0."""
        left = labels[self.edges[:, 2]]
        right = np.where(self.edges[:, 3] >= 0, labels[self.edges[:, 3]], -1)
        border = np.flatnonzero((left != right) & (left >= 0))
        border = border[np.argsort(left[border], kind="stable")]
        names, starts = np.unique(left[border], return_index=True)
        ends = np.append(starts[1:], len(border))
        corners = [(int(lon), int(lat)) for lon, lat in self.corners]
        result = {}
        for name, start, end in zip(names.tolist(), starts.tolist(), ends.tolist(), strict=True):
            pairs = self.edges[border[start:end], :2].tolist()
            result[name] = dissolve_edges({(corners[a], corners[b]) for a, b in pairs})
        return result


def build_mesh(points: Metres) -> Mesh:
    """The Voronoi cells of the points (outermost cells are cut off a little outside the points)."""
    import shapely

    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), ordered=True))
    cells = shapely.orient_polygons(cells)
    coordinates, owner = shapely.get_coordinates(cells, return_index=True)
    exact, number = np.unique(coordinates, axis=0, return_inverse=True)
    corners, merged = np.unique(to_units(exact), axis=0, return_inverse=True)
    corner = merged[number]
    last = np.flatnonzero(np.append(owner[1:] != owner[:-1], True))
    keep = np.ones(len(corner), dtype=bool)
    keep[last] = False
    start, end, cell = corner[:-1][keep[:-1]], corner[1:][keep[:-1]], owner[:-1][keep[:-1]]
    real = start != end
    return Mesh(points, shapely.area(cells), corners, _paired(start[real], end[real], cell[real], len(corners)))


def _paired(start: Labels, end: Labels, cell: Labels, count: int) -> Labels:
    """Every directed edge with the cell beyond it: the owner of the same edge in the other direction."""
    key, twin = start * count + end, end * count + start
    order = np.argsort(key)
    at = np.minimum(np.searchsorted(key[order], twin), len(key) - 1)
    found = order[at]
    right = np.where(key[found] == twin, cell[found], -1)
    return np.column_stack((start, end, cell, right))
