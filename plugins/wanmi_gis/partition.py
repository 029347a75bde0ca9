"""Splitting a set of mesh cells into parts of wanted sizes with winding borders, each part in one piece.

A power diagram (nearest site less a weight) on warped coordinates; the weights are adjusted until the sizes fit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from wanmi_gis.mesh import Labels, Mesh
from wanmi_gis.plane import Metres, spread

BOX_COST = 30.0


@dataclass(frozen=True)
class Sites:
    """The power diagram's sites (metres) and weights (m2): a cell belongs to the least squared distance less weight."""

    places: Metres
    weights: Metres
    boxes: tuple[Metres, Metres] | None = None
    """Lower and upper corners of a box for each site; leaving it costs `BOX_COST` times the squared way out."""

    def labels(self, points: Metres) -> Labels:
        """The number of the site that each point belongs to."""
        x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
        cost = np.full(len(points), np.inf)
        labels = np.zeros(len(points), dtype=np.int64)
        for number, (place, weight) in enumerate(zip(self.places, self.weights, strict=True)):
            here = (x - place[0]) ** 2 + (y - place[1]) ** 2 - weight
            if self.boxes is not None:
                low, high = self.boxes[0][number], self.boxes[1][number]
                here += BOX_COST * (_beyond(x, low[0], high[0]) + _beyond(y, low[1], high[1]))
            better = here < cost
            np.copyto(cost, here, where=better)
            np.copyto(labels, number, where=better)
        return labels


def _beyond(values: Metres, low: float, high: float) -> Metres:
    """The squared way from each value into low..high."""
    return np.asarray(np.maximum(np.maximum(low - values, values - high), 0.0) ** 2)


@dataclass(frozen=True)
class Wanted:
    """What the parts should come to: areas (m2) and, if given, where their centres should lie (metres)."""

    areas: Metres
    centres: Metres | None = None


def warp(points: Metres, scale_m: float, seed: int) -> Metres:
    """The points displaced by a few slow waves of up to a third of `scale_m`, so that straight borders wind."""
    moved = points.copy()
    for wave in range(6):
        angle, phase, length = (float(spread(seed, wave, part)) for part in (0, 1, 2))
        direction = np.array([np.cos(angle * np.pi), np.sin(angle * np.pi)])
        along = points @ direction / (scale_m * (1.1 + 0.7 * length)) + phase
        strength = scale_m * 0.12 / (1 + wave * 0.35)
        moved += np.outer(np.sin(along * 2 * np.pi), direction[::-1] * np.array([-1.0, 1.0])) * strength
    return moved


def fitted(points: Metres, areas: Metres, wanted: Wanted, sites: Sites, rounds: int, pull: float) -> Sites:
    """Sites whose parts come near the wanted areas: the best of `rounds` rounds. Deterministic.

    In the first half, sites also move by the share `pull`: so that the parts' centres come to the wanted ones or, if
    none are wanted, to the parts' own centres, which makes compact parts (Lloyd). A part's weight takes smaller steps
    each time that it overshoots.
    """
    best, best_miss = sites, np.inf
    step, before = np.full(len(wanted.areas), 0.3), np.zeros(len(wanted.areas))
    for number in range(rounds):
        labels = sites.labels(points)
        short = wanted.areas - np.bincount(labels, areas, minlength=len(wanted.areas))
        miss = float(np.max(np.abs(short / wanted.areas)))
        if number >= rounds // 2 and miss < best_miss:
            best, best_miss = sites, miss
        step = np.clip(np.where(short * before < 0, step * 0.5, step * 1.15), 0.01, 0.8)
        places = _moved(points, areas, labels, wanted, sites, pull) if number < rounds // 2 else sites.places
        sites, before = replace(sites, places=places, weights=sites.weights + step * short), short
    return best


def _moved(points: Metres, areas: Metres, labels: Labels, wanted: Wanted, sites: Sites, pull: float) -> Metres:
    count = len(wanted.areas)
    sizes = np.bincount(labels, areas, minlength=count)
    sums = np.column_stack([np.bincount(labels, areas * points[:, axis], minlength=count) for axis in (0, 1)])
    middles = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1.0)[:, None], sites.places)
    if wanted.centres is None:
        return np.asarray(sites.places + pull * (middles - sites.places))
    return np.asarray(sites.places + pull * (wanted.centres - middles))


def spread_sites(points: Metres, count: int, seed: int) -> Metres:
    """`count` of the points, far from each other (farthest-point choice from a hashed start), ordered west to east."""
    first = int(spread(seed, count) * 0.5 * len(points) + 0.5 * len(points)) % len(points)
    chosen, distance = [first], np.full(len(points), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2) @ np.ones(2))
        chosen.append(int(np.argmax(distance)))
    sites = points[chosen]
    return np.asarray(sites[np.lexsort((-sites[:, 1], sites[:, 0]))])


def in_one_piece(mesh: Mesh, cells: Labels, labels: Labels) -> Labels:
    """Labels (one for each of `cells`) with every part's stray pieces given to the neighbour they touch most.

    A piece without a neighbour among `cells` stays as it is.
    """
    whole = np.full(len(mesh.points), -1, dtype=np.int64)
    whole[cells] = labels
    for _ in range(8):
        strays = list(_strays(mesh, cells, whole))
        if sum(_give_away(mesh, piece, whole) for piece in strays) == 0:
            break
    return whole[cells]


def _strays(mesh: Mesh, cells: Labels, whole: Labels) -> Iterable[list[int]]:
    """Every piece that is not the largest of its label."""
    largest: dict[int, list[int]] = {}
    for piece in _pieces(mesh, cells, whole):
        label = int(whole[piece[0]])
        held = largest.get(label, [])
        loser = held if len(piece) > len(held) else piece
        if loser is held:
            largest[label] = piece
        if loser:
            yield loser


def _pieces(mesh: Mesh, cells: Labels, whole: Labels) -> Iterable[list[int]]:
    offsets, beyond = (part.tolist() for part in mesh.neighbours)
    names = whole.tolist()
    seen: set[int] = set()
    for start in cells.tolist():
        if start in seen:
            continue
        seen.add(start)
        piece = [start]
        for cell in piece:
            for other in beyond[offsets[cell] : offsets[cell + 1]]:
                if other not in seen and names[other] == names[cell]:
                    seen.add(other)
                    piece.append(other)
        yield piece


def _give_away(mesh: Mesh, piece: list[int], whole: Labels) -> bool:
    offsets, beyond = mesh.neighbours
    touched = np.concatenate([whole[beyond[offsets[cell] : offsets[cell + 1]]] for cell in piece])
    touched = touched[(touched >= 0) & (touched != whole[piece[0]])]
    if len(touched) == 0:
        return False
    whole[piece] = np.bincount(touched).argmax()
    return True
