"""Exact tests of many points at once, in int64: which side of a border, whether a cell covers a point.

Differences of 1e-7 degrees within 100 degrees are below 2^31, so every cross product fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from wanmi_gis.shapes import Rings

Ints = NDArray[np.int64]
OUTSIDE = -1


@dataclass(frozen=True)
class Lines:
    """The directed edges of cells: `ends` (n, 4) from x, y to x, y; those of cell k are offsets[k]:offsets[k + 1]."""

    ends: Ints
    offsets: Ints

    @property
    def cells(self) -> Ints:
        """The cell of every edge."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


def lines_of(cells: Sequence[Rings]) -> Lines:
    """The edges of oriented cells."""
    rings = [ring for cell in cells for ring in cell]
    sizes = np.array([len(ring) for ring in rings], dtype=np.int64)
    numbers = chain.from_iterable(chain.from_iterable(rings))
    starts = np.fromiter(numbers, dtype=np.int64, count=2 * int(sizes.sum())).reshape(-1, 2)
    follows = np.arange(1, len(starts) + 1)
    ends = np.cumsum(sizes)
    follows[ends - 1] = ends - sizes
    ring_offsets = np.append(0, ends)
    last_ring = np.append(0, np.cumsum([len(cell) for cell in cells]))
    return Lines(np.concatenate((starts, starts[follows]), axis=1), ring_offsets[last_ring])


def beside(borders: Ints, x: Ints, y: Ints) -> Ints:
    """For points near one border each (rows ax, ay, bx, by, left, right): the side's cell; on it, the lower cell."""
    ax, ay, bx, by, left, right = borders.T
    cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    lower = np.where((left < 0) | (right < 0), np.maximum(left, right), np.minimum(left, right))
    return np.asarray(np.where(cross > 0, left, np.where(cross < 0, right, lower)))


def first_covering(lines: Lines, groups: tuple[Ints, Ints], which: Ints, x: Ints, y: Ints) -> Ints:
    """For each point the first cell of its group that covers it, OUTSIDE for none.

    `groups` = (offsets, cells): group k is cells[offsets[k]:offsets[k + 1]]; `which` is each point's group.
    """
    offsets, cells = groups
    found = np.full(len(which), OUTSIDE, dtype=np.int64)
    first, count = offsets[which], np.diff(offsets)[which]
    for turn in range(int(count.max(initial=0))):
        open_ = np.flatnonzero((found == OUTSIDE) & (turn < count))
        cell = cells[first[open_] + turn]
        held = covered(lines, cell, x[open_], y[open_])
        found[open_[held]] = cell[held]
    return found


def covered(lines: Lines, cell: Ints, x: Ints, y: Ints) -> NDArray[np.bool_]:
    """Whether each cell, closed, holds its point: crossing parity over the cell's edges."""
    if len(cell) == 0:
        return np.zeros(0, dtype=bool)
    begin, count = lines.offsets[cell], np.diff(lines.offsets)[cell]
    starts = np.cumsum(count) - count
    owner = np.repeat(np.arange(len(cell)), count)
    ax, ay, bx, by = lines.ends[begin[owner] + np.arange(len(owner)) - starts[owner]].T
    px, py = x[owner], y[owner]
    cross = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    within = (np.minimum(ax, bx) <= px) & (px <= np.maximum(ax, bx))
    within &= (np.minimum(ay, by) <= py) & (py <= np.maximum(ay, by))
    passed = ((ay <= py) != (by <= py)) & ((cross > 0) == (by > ay))
    odd = np.add.reduceat(passed.astype(np.int64), starts) % 2 == 1
    return np.asarray(odd | np.logical_or.reduceat((cross == 0) & within, starts))
