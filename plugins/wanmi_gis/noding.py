"""Faces of a polygon cut by lines, on whole coordinates: crossings are found, snapped and noded without losing topology."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wanmi_gis.lattice import Stretches
from wanmi_gis.plane import Metres, Units
from wanmi_gis.shapes import Ring, Rings, Shape, edges, oriented, ring_of

if TYPE_CHECKING:
    from shapely import Polygon

NEAR = 2.0
"""Lines that pass within so many units mark the border too: noding may pull it to their vertices, on both sides of it."""
SEEK = 200
"""How far along a border a cut is moved to meet it better: 200 units are about 2 m."""
ROUNDS = 6
"""Moving a cut can make its line cross the border elsewhere: those crossings are cut too, at most so many times."""
TOO_FAR_OFF = 0.004
"""A cut that would still miss the border by more (units) goes to the nearest place that does not, however far."""


def faces_inside(shape: Shape, lines: Stretches) -> list[Rings]:
    """The faces into which the drawn lines cut an oriented shape, ordered from the south-west; rings oriented.

    Every line (drawn or not) leaves a vertex where it crosses the shape's border.
    """
    import shapely

    origin = np.array(min(vertex for rings in shape for ring in rings for vertex in ring), dtype=np.int64)
    sides = np.array([edge for rings in shape for ring in rings for edge in edges(ring)], dtype=np.int64) - origin
    paths = np.stack((lines.starts, lines.ends), axis=1) - origin
    area = shapely.MultiPolygon([_polygon(rings, origin) for rings in shape])
    shapely.prepare(area)
    near = shapely.dwithin(area, shapely.linestrings(paths.astype(float)), NEAR)
    paths, drawn = paths[near], lines.drawn[near]
    for _ in range(ROUNDS):
        line, side, cuts = _crossings(paths, sides)
        if len(line) == 0:
            break
        sides, _ = _broken(sides, side, cuts)
        paths, pieces_of = _broken(paths, line, cuts)
        drawn = drawn[pieces_of]
    pieces = np.concatenate((sides, paths[drawn])).astype(float)
    noded = shapely.unary_union(shapely.linestrings(pieces), grid_size=1.0)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = faces[shapely.contains(area, shapely.point_on_surface(faces))]
    return sorted(oriented(_rings(face, origin)) for face in inside)


def _polygon(rings: Rings, origin: Units) -> Polygon:
    import shapely

    moved = [(np.array(ring, dtype=np.int64) - origin).astype(float) for ring in rings]
    return shapely.Polygon(moved[0], moved[1:])


def _rings(face: Polygon, origin: Units) -> list[Ring]:
    x, y = (int(value) for value in origin)
    return [
        ring_of((round(east) + x, round(north) + y) for east, north in ring.coords)
        for ring in (face.exterior, *face.interiors)
    ]


def _crossings(paths: Units, sides: Units) -> tuple[Units, Units, Units]:
    """(path, side, cut): which path crosses which side elsewhere than in an end of both, and the whole point for it."""
    import shapely

    tree = shapely.STRtree([shapely.LineString(side) for side in sides.astype(float)])
    path, side = tree.query(shapely.linestrings(paths.astype(float)), predicate="intersects")
    order = np.lexsort((side, path))
    path, side = path[order], side[order]
    apart = ~np.any(np.all(paths[path][:, :, None] == sides[side][:, None, :], axis=3), axis=(1, 2))
    path, side = path[apart], side[apart]
    ends = _keyed(sides[side])
    a, b = ends[:, 0], ends[:, 1]
    start, end = paths[path, 0], paths[path, 1]
    return path, side, _best_points(a, b, _share(a, b, start, end))


def _keyed(sides: Units) -> Units:
    """Sides with their ends in one order, so that both neighbours of a border compute the same."""
    swap = (sides[:, 0, 0] > sides[:, 1, 0]) | ((sides[:, 0, 0] == sides[:, 1, 0]) & (sides[:, 0, 1] > sides[:, 1, 1]))
    return np.where(swap[:, None, None], sides[:, ::-1], sides)


def _share(a: Units, b: Units, start: Units, end: Units) -> Metres:
    """Where on a..b (0 to 1) the line through start and end crosses; 0 where they are parallel."""
    along, across, to = b - a, end - start, start - a
    below = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    above = to[:, 0] * across[:, 1] - to[:, 1] * across[:, 0]
    return np.clip(np.where(below == 0, 0.0, above / np.where(below == 0, 1, below)), 0.0, 1.0)


def _best_points(a: Units, b: Units, share: Metres) -> Units:
    """For each crossing a whole point on or very near to a..b, close to where it crosses; a and b themselves count."""
    along = b - a
    flat = np.abs(along[:, 0]) >= np.abs(along[:, 1])
    major = np.where(flat, along[:, 0], along[:, 1])
    minor = np.where(flat, along[:, 1], along[:, 0])
    size = np.maximum(np.abs(major), 1)
    middle = np.rint(share * size).astype(np.int64)
    steps = np.clip(middle[:, None] + np.arange(-SEEK, SEEK + 1), 0, size[:, None])
    off = _off(steps, minor[:, None], size[:, None])
    pick = np.lexsort((np.abs(steps - middle[:, None]), off), axis=1)[:, 0] if len(a) else np.zeros(0, dtype=np.int64)
    rows = np.arange(len(a))
    step = steps[rows, pick]
    for row in np.flatnonzero(off[rows, pick] > TOO_FAR_OFF * size):
        step[row] = _nearest_good(middle[row : row + 1], minor[row : row + 1], size[row : row + 1])
    other = (2 * step * minor + size) // (2 * size)
    step = step * np.sign(major)
    return a + np.where(flat[:, None], np.column_stack((step, other)), np.column_stack((other, step)))


def _off(steps: Units, minor: Units, size: Units) -> Units:
    """How far the whole points at these steps are off the side, times its size."""
    product = steps * minor
    return np.abs(product - (2 * product + size) // (2 * size) * size)


def _nearest_good(middle: Units, minor: Units, size: Units) -> int:
    """The step nearest to `middle` whose whole point is near enough to the side; its ends always are."""
    steps = np.arange(size[0] + 1)
    good = steps[_off(steps, minor, size) <= TOO_FAR_OFF * size]
    return int(good[np.argmin(np.abs(good - middle))])


def _broken(segments: Units, owner: Units, cuts: Units) -> tuple[Units, Units]:
    """The segments, each broken at its cuts in order along it, empty pieces dropped; and whose piece each is."""
    start, along = segments[owner, 0], segments[owner, 1] - segments[owner, 0]
    place = np.sum((cuts - start) * along, axis=1) / np.maximum(np.sum(along * along, axis=1), 1)
    count = len(segments)
    who = np.concatenate((np.arange(count), owner, np.arange(count)))
    where = np.concatenate((np.full(count, -np.inf), place, np.full(count, np.inf)))
    what = np.concatenate((segments[:, 0], cuts, segments[:, 1]))
    order = np.lexsort((where, who))
    who, what = who[order], what[order]
    pieces = np.stack((what[:-1], what[1:]), axis=1)
    kept = (who[:-1] == who[1:]) & np.any(what[:-1] != what[1:], axis=1)
    return np.asarray(pieces[kept]), np.asarray(who[:-1][kept])
