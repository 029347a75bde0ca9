"""Integer polygons: rings of 1e-7 degree pairs, joined and checked without rounding.

A `Ring` is open (the first vertex is not repeated). Exteriors run counter-clockwise, holes clockwise, so the inside is
always on the left and an edge shared by two neighbours appears once in each direction. `dissolve` relies on that.
"""

from collections.abc import Iterable, Iterator

Vertex = tuple[int, int]
"""(lon_e7, lat_e7), both in 1e-7 degree."""
Ring = tuple[Vertex, ...]
Rings = tuple[Ring, ...]
"""One polygon: the exterior, then its holes."""
Shape = tuple[Rings, ...]
"""A polygon or multipolygon: one `Rings` for each part."""
Edge = tuple[Vertex, Vertex]


def area2(ring: Ring) -> int:
    """Twice the signed area in square units (positive: counter-clockwise). Exact."""
    total = 0
    x0, y0 = ring[-1]
    for x1, y1 in ring:
        total += x0 * y1 - x1 * y0
        x0, y0 = x1, y1
    return total


def shape_area2(shape: Shape) -> int:
    """Twice the area of a shape whose rings are oriented; holes count negative. Exact."""
    return sum(area2(ring) for rings in shape for ring in rings)


def edges(ring: Ring) -> Iterator[Edge]:
    """The directed edges of a ring, closing edge included."""
    previous = ring[-1]
    for vertex in ring:
        yield previous, vertex
        previous = vertex


def oriented(rings: Iterable[Ring]) -> Rings:
    """The same polygon with its exterior counter-clockwise and its holes clockwise."""
    result = []
    for number, ring in enumerate(rings):
        clockwise = area2(ring) < 0
        result.append(ring if clockwise == (number > 0) else tuple(reversed(ring)))
    return tuple(result)


def ring_of(points: Iterable[Vertex]) -> Ring:
    """An open ring: closing vertex and repeated neighbours dropped.  Starts at the lowest vertex, so equal rings are equal tuples."""
    kept: list[Vertex] = []
    for point in points:
        if not kept or kept[-1] != point:
            kept.append(point)
    while len(kept) > 1 and kept[0] == kept[-1]:
        kept.pop()
    start = kept.index(min(kept)) if kept else 0
    return tuple(kept[start:] + kept[:start])


def on_edge(point: Vertex, edge: Edge) -> bool:
    """True if the point lies on the closed segment."""
    (ax, ay), (bx, by) = edge
    px, py = point
    if (bx - ax) * (py - ay) != (by - ay) * (px - ax):
        return False
    return min(ax, bx) <= px <= max(ax, bx) and min(ay, by) <= py <= max(ay, by)


def covers(rings: Rings, point: Vertex) -> bool:
    """True if the closed polygon holds the point; on its border counts. Exact, by crossing parity."""
    px, py = point
    inside = False
    for ring in rings:
        for (ax, ay), (bx, by) in edges(ring):
            cross = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
            if cross == 0 and on_edge(point, ((ax, ay), (bx, by))):
                return True
            if (ay <= py) != (by <= py) and (cross > 0) == (by > ay):
                inside = not inside
    return inside


def dissolve(polygons: Iterable[Rings]) -> Shape:
    """The union of polygons that share identical edges; no vertex is moved, added or dropped.

    Neighbours' common edges run in opposite directions and cancel; what remains is linked to rings again.
    """
    left: set[Edge] = set()
    for rings in polygons:
        for ring in rings:
            for start, end in edges(ring):
                if (end, start) in left:
                    left.remove((end, start))
                else:
                    left.add((start, end))
    return dissolve_edges(left)


def dissolve_edges(left: set[Edge]) -> Shape:
    """The shape whose border is this set of directed edges, inside on the left."""
    return _group([ring_of(loop) for trace in _traces(left) for loop in _simple_loops(trace)])


def _traces(left: set[Edge]) -> Iterator[list[Vertex]]:
    """Closed walks over all edges, keeping to one side where walks meet in a vertex."""
    out: dict[Vertex, list[Vertex]] = {}
    for start, end in sorted(left):
        out.setdefault(start, []).append(end)
    for start in sorted(out):
        while out[start]:
            walk = [start]
            before, here = start, out[start].pop(0)
            while here != start:
                walk.append(here)
                ends = out[here]
                pick = 0 if len(ends) == 1 else _first_clockwise(before, here, ends)
                before, here = here, ends.pop(pick)
            yield walk


def _first_clockwise(before: Vertex, here: Vertex, ends: list[Vertex]) -> int:
    """Index of the end met first when turning clockwise from the way back: it bounds the same wedge of inside."""
    from math import atan2, tau

    back = atan2(before[1] - here[1], before[0] - here[0])

    def turn(end: Vertex) -> float:
        return (back - atan2(end[1] - here[1], end[0] - here[0])) % tau or tau

    return min(range(len(ends)), key=lambda number: turn(ends[number]))


def _simple_loops(walk: list[Vertex]) -> Iterator[list[Vertex]]:
    """Cuts a walk that touches itself in a vertex into loops that do not."""
    stack: list[Vertex] = []
    seen: dict[Vertex, int] = {}
    for vertex in walk:
        if vertex in seen:
            at = seen[vertex]
            loop = stack[at:]
            for gone in stack[at + 1 :]:
                del seen[gone]
            del stack[at + 1 :]
            yield loop
        else:
            seen[vertex] = len(stack)
            stack.append(vertex)
    yield stack


def _group(rings: list[Ring]) -> Shape:
    """Holes put with the smallest exterior around them; parts ordered by their first vertex."""
    real = [ring for ring in rings if len(ring) > 2 and area2(ring) != 0]
    outer = sorted(ring for ring in real if area2(ring) > 0)
    parts: dict[Ring, list[Ring]] = {ring: [ring] for ring in outer}
    for hole in sorted(ring for ring in real if area2(ring) < 0):
        homes = [ring for ring in outer if len(outer) == 1 or all(covers((ring,), vertex) for vertex in hole)]
        if homes:
            parts[min(homes, key=area2)].append(hole)
    return tuple(tuple(part) for part in parts.values())
