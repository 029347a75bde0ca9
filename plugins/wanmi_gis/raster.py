"""A raster over cells' borders: which pixel lies in one cell, which is crossed by one border, which needs a full test.

Pixels are powers of two in 1e-7 degree. Building marks every pixel that an edge may touch (generously, by one unit),
then fills the untouched runs between them from one exact test each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wanmi_gis.exact import OUTSIDE, Ints, Lines, beside, first_covering

MOST_PIXELS = 24_000_000
PIXELS_A_CELL = 240


@dataclass(frozen=True)
class Raster:
    """`pixels` (columns, rows) int32: OUTSIDE; a cell's number; cells + k: one border, row k of `borders`;
    cells + len(borders) + k: several borders, candidates[offsets[k]:offsets[k + 1]].

    A row of `borders` is (ax, ay, bx, by, left cell, right cell), OUTSIDE for no cell; the candidates are ascending.
    """

    west: int
    south: int
    shift_x: int
    shift_y: int
    pixels: NDArray[np.int32]
    cells: int
    borders: Ints
    offsets: Ints
    candidates: Ints

    def decide(self, lines: Lines, found: Ints, x: Ints, y: Ints) -> Ints:
        """The cell of each point, from its pixel's value: that cell, or what its borders say, exactly."""
        result = found.copy()
        unsure = np.flatnonzero(found >= self.cells)
        record = found[unsure] - self.cells
        one = record < len(self.borders)
        single, several = unsure[one], unsure[~one]
        result[single] = beside(self.borders[record[one]], x[single], y[single])
        groups = (self.offsets, self.candidates)
        result[several] = first_covering(lines, groups, record[~one] - len(self.borders), x[several], y[several])
        return result


def build(lines: Lines) -> Raster:
    """The raster of oriented, non-overlapping cells in the order of their precedence."""
    unique = _unique_edges(lines)
    count = len(lines.offsets) - 1
    ends = unique[:, :4].reshape(-1, 2)
    low, high = ends.min(axis=0) - 2, ends.max(axis=0) + 2
    shift_x, shift_y = _shifts(high - low, count)
    size = ((high[0] - low[0]) >> shift_x) + 1, ((high[1] - low[1]) >> shift_y) + 1
    pixel, line = _touched(unique, low, (shift_x, shift_y), size)
    raster = _records(unique, pixel, line, size, count, (int(low[0]), int(low[1]), shift_x, shift_y))
    _fill(raster, lines, np.unique(pixel))
    return raster


def _unique_edges(lines: Lines) -> Ints:
    """(n, 6): each edge once, lower end first, with the cells on its left and right (twice where more claim a side)."""
    ax, ay, bx, by = lines.ends.T
    swap = (ax > bx) | ((ax == bx) & (ay > by))
    ends = np.where(swap[:, None], lines.ends[:, [2, 3, 0, 1]], lines.ends)
    cells = lines.cells
    table = np.column_stack((ends, np.where(swap, OUTSIDE, cells), np.where(swap, cells, OUTSIDE)))
    table = table[np.lexsort(table[:, 3::-1].T)]
    fresh = np.append(True, np.any(table[1:, :4] != table[:-1, :4], axis=1))
    starts = np.flatnonzero(fresh)
    sides = np.maximum.reduceat(table[:, 4:], starts, axis=0)
    twice = np.add.reduceat((table[:, 4:] >= 0).astype(np.int64), starts, axis=0).max(axis=1) > 1
    merged = np.column_stack((table[starts, :4], sides))
    return np.concatenate((merged[~twice], table[twice[np.cumsum(fresh) - 1]]))


def _shifts(extent: Ints, cells: int) -> tuple[int, int]:
    """Pixel sizes as powers of two: a quarter to all of PIXELS_A_CELL for each cell, were the extent full of cells; bounded."""
    target = min(MOST_PIXELS, max(4096, cells * PIXELS_A_CELL))
    side = max(2.0, (float(extent[0]) * float(extent[1]) / target) ** 0.5)
    shift = max(1, int(np.ceil(np.log2(side))))
    return shift, shift


def _touched(lines: Ints, low: Ints, shifts: tuple[int, int], size: tuple[int, int]) -> tuple[Ints, Ints]:
    """(pixel, line) for every pixel that a line may touch, ordered by pixel."""
    ax, ay, bx, by = (lines[:, :4] - np.tile(low, 2)).T
    first, last = (ax - 1) >> shifts[0], (bx + 1) >> shifts[0]
    line, column = _ranges(first, last)
    slope = (by - ay) / np.maximum(bx - ax, 1)
    x0, x1 = (column << shifts[0]) - 1, ((column + 1) << shifts[0]) + 1
    y0 = ay[line] + slope[line] * (np.clip(x0, ax[line], bx[line]) - ax[line])
    y1 = ay[line] + slope[line] * (np.clip(x1, ax[line], bx[line]) - ax[line])
    steep = ax[line] == bx[line]
    y0, y1 = np.where(steep, ay[line], y0), np.where(steep, by[line], y1)
    bottom = (np.floor(np.minimum(y0, y1)).astype(np.int64) - 1) >> shifts[1]
    top = (np.ceil(np.maximum(y0, y1)).astype(np.int64) + 1) >> shifts[1]
    which, row = _ranges(np.maximum(bottom, 0), np.minimum(top, size[1] - 1))
    pixel, line = column[which] * size[1] + row, line[which]
    order = np.argsort(pixel, kind="stable")
    return pixel[order], line[order]


def _ranges(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Every whole number first[k]..last[k], with k."""
    counts = last - first + 1
    owner = np.repeat(np.arange(len(first)), counts)
    inside = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, first[owner] + inside


def _records(
    lines: Ints, pixel: Ints, line: Ints, size: tuple[int, int], cells: int, frame: tuple[int, int, int, int]
) -> Raster:
    touched, starts, counts = np.unique(pixel, return_index=True, return_counts=True)
    single = counts == 1
    borders, which = np.unique(line[starts[single]], return_inverse=True)
    pixels = np.full(size[0] * size[1], OUTSIDE, dtype=np.int32)
    pixels[touched[single]] = cells + which
    several = np.repeat(~single, counts)
    group = np.repeat(np.cumsum(~single) - 1, counts)[several]
    pairs = np.column_stack((np.tile(group, 2), lines[line[several]][:, 4:].T.ravel()))
    pairs = pairs[pairs[:, 1] >= 0]
    key = np.unique(pairs[:, 0] * cells + pairs[:, 1])
    offsets = np.searchsorted(key // cells, np.arange(int((~single).sum()) + 1))
    pixels[touched[~single]] = cells + len(borders) + np.arange(int((~single).sum()))
    return Raster(*frame, pixels.reshape(size), cells, lines[borders], offsets, key % cells)


def _fill(raster: Raster, lines: Lines, touched: Ints) -> None:
    """Gives each untouched run north of a touched pixel its cell: one of the touched pixel's, or none."""
    rows = raster.pixels.shape[1]
    flat = raster.pixels.reshape(-1)
    ends = np.minimum(np.append(touched[1:], len(flat)), (touched // rows + 1) * rows)
    real = touched + 1 < ends
    start, end = touched[real] + 1, ends[real]
    x = raster.west + ((start // rows) << raster.shift_x)
    y = raster.south + ((start % rows) << raster.shift_y)
    cell = raster.decide(lines, flat[touched[real]].astype(np.int64), x, y)
    inside = cell != OUTSIDE
    for first, last, held in zip(start[inside].tolist(), end[inside].tolist(), cell[inside].tolist(), strict=True):
        flat[first:last] = held
