"""A city-wide lattice of winding lines about 100 m apart, in whole 1e-7 degrees.

Lines run near the multiples of the cell's side on the plane of EPSG:4550. A crossing strays by up to `STRAY` of the
side, and each stretch between two crossings has a bend in its middle: all by a hash of the lattice coordinates, so the
lattice is the same for every community, and neighbours that share a border share its cuts.
"""

from dataclasses import dataclass

import numpy as np

from wanmi_gis.plane import Metres, Units, spread, to_units

STRAY = 0.15
BEND = 0.07


@dataclass(frozen=True)
class Stretches:
    """Straight pieces of lattice lines: `starts` and `ends`, (n, 2) e7; only every k-th line may be drawn."""

    starts: Units
    ends: Units
    drawn: np.ndarray[tuple[int], np.dtype[np.bool_]]


def stretches(low: Metres, high: Metres, side_m: int, every: tuple[int, int]) -> Stretches:
    """The lattice around the box `low`..`high` (east, north in metres).

    `every` = (columns, rows): which of the lines are drawn; the others are still returned, since they mark borders too.
    """
    first = np.floor(low / side_m).astype(np.int64) - 1
    last = np.ceil(high / side_m).astype(np.int64) + 2
    columns, rows = np.meshgrid(np.arange(first[0], last[0]), np.arange(first[1], last[1]), indexing="ij")
    crossings = _crossings(columns, rows, side_m)
    along, up = _bends(columns, rows, side_m, 0), _bends(columns, rows, side_m, 1)
    east_west = (rows % every[1] == 0)[:-1, :].ravel()
    north_south = (columns % every[0] == 0)[:, :-1].ravel()
    west, east = crossings[:-1, :].reshape(-1, 2), crossings[1:, :].reshape(-1, 2)
    south, north = crossings[:, :-1].reshape(-1, 2), crossings[:, 1:].reshape(-1, 2)
    middle_row, middle_column = along[:-1, :].reshape(-1, 2), up[:, :-1].reshape(-1, 2)
    return Stretches(
        np.concatenate((west, middle_row, south, middle_column)),
        np.concatenate((middle_row, east, middle_column, north)),
        np.concatenate((east_west, east_west, north_south, north_south)),
    )


def _crossings(columns: Units, rows: Units, side_m: int) -> Units:
    """(columns, rows, 2): where the lines cross."""
    east = (columns + STRAY * spread(columns, rows, side_m, 1)) * side_m
    north = (rows + STRAY * spread(columns, rows, side_m, 2)) * side_m
    return to_units(np.column_stack((east.ravel(), north.ravel()))).reshape(*columns.shape, 2)


def _bends(columns: Units, rows: Units, side_m: int, axis: int) -> Units:
    """(columns, rows, 2): the bend of the stretch that leaves each crossing eastward (axis 0) or northward (axis 1)."""
    step = np.array([1 - axis, axis])
    east = columns + STRAY * spread(columns, rows, side_m, 1)
    north = rows + STRAY * spread(columns, rows, side_m, 2)
    next_east = columns + step[0] + STRAY * spread(columns + step[0], rows + step[1], side_m, 1)
    next_north = rows + step[1] + STRAY * spread(columns + step[0], rows + step[1], side_m, 2)
    middle_east = (east + next_east) / 2 + BEND * spread(columns, rows, side_m, 3 + axis)
    middle_north = (north + next_north) / 2 + BEND * spread(columns, rows, side_m, 5 + axis)
    metres = np.column_stack((middle_east.ravel(), middle_north.ravel())) * side_m
    return to_units(metres).reshape(*columns.shape, 2)
