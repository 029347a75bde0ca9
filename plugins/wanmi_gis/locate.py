"""Which unit grid holds a point: exactly one, in whole numbers, fast.

The rule: cells are closed, and a point on a common edge or vertex belongs to the cell with the lowest code. So every
point of a covered area has one grid, whatever the order in which the grids were loaded; a point outside has none.
Grids that overlap are refused by the import; where neighbours' borders differ by a hair, the same rule decides.
"""

from collections.abc import Iterable

import numpy as np

from wanmi.coords import Datum, Point, to_wgs84
from wanmi_gis.cutter import UnitGrid
from wanmi_gis.exact import OUTSIDE, Ints, lines_of
from wanmi_gis.raster import build
from wanmi_gis.shapes import Rings, covers, oriented

NO_GRID = 0
"""What `locate_many` answers for a point outside every grid."""


class Locator:
    """Built once from unit grids (those in force); answers until they change. Coordinates in 1e-7 degree."""

    def __init__(self, grids: Iterable[UnitGrid]) -> None:
        ordered = sorted(grids, key=lambda grid: grid.code)
        self.codes: tuple[str, ...] = tuple(grid.code for grid in ordered)
        self._cells: list[Rings] = [oriented(grid.rings) for grid in ordered]
        if ordered:
            self._lines = lines_of(self._cells)
            self._raster = build(self._lines)
            self._prepare()

    def _prepare(self) -> None:
        raster = self._raster
        self._numbers = np.array([int(code) for code in self.codes], dtype=np.int64)
        self._flat = memoryview(raster.pixels.reshape(-1).data)
        self._borders: list[list[int]] = raster.borders.tolist()
        self._offsets: list[int] = raster.offsets.tolist()
        self._candidates: list[int] = raster.candidates.tolist()

    def locate(self, lon_e7: int, lat_e7: int, datum: Datum = "WGS84") -> str | None:
        """The 15-digit code of the grid that holds the point; None outside."""
        if datum != "WGS84":
            point = to_wgs84(Point(lon_e7, lat_e7), datum)
            lon_e7, lat_e7 = point.lon_e7, point.lat_e7
        if not self.codes:
            return None
        raster = self._raster
        columns, rows = raster.pixels.shape
        column, row = (lon_e7 - raster.west) >> raster.shift_x, (lat_e7 - raster.south) >> raster.shift_y
        if not (0 <= column < columns and 0 <= row < rows):
            return None
        found = self._flat[column * rows + row]
        if found >= raster.cells:
            found = self._by_borders(found - raster.cells, lon_e7, lat_e7)
        return None if found == OUTSIDE else self.codes[found]

    def _by_borders(self, record: int, x: int, y: int) -> int:
        if record < len(self._borders):
            ax, ay, bx, by, left, right = self._borders[record]
            cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            if cross == 0:
                return max(left, right) if left < 0 or right < 0 else min(left, right)
            return left if cross > 0 else right
        several = record - len(self._borders)
        for cell in self._candidates[self._offsets[several] : self._offsets[several + 1]]:
            if covers(self._cells[cell], (x, y)):
                return cell
        return OUTSIDE

    def locate_many(self, lon_e7: Ints, lat_e7: Ints, datum: Datum = "WGS84") -> Ints:
        """For n points (int64 arrays) the grids' codes as int64, NO_GRID outside: the same answers as `locate`.

        Other datums than WGS-84 are turned point by point (some 10 µs each).
        """
        if datum not in ("WGS84", "CGCS2000"):
            pairs = zip(lon_e7.tolist(), lat_e7.tolist(), strict=True)
            turned = [to_wgs84(Point(lon, lat), datum) for lon, lat in pairs]
            lon_e7 = np.array([point.lon_e7 for point in turned], dtype=np.int64)
            lat_e7 = np.array([point.lat_e7 for point in turned], dtype=np.int64)
        found = self._found(lon_e7, lat_e7)
        if not self.codes:
            return np.zeros_like(lon_e7)
        return np.asarray(np.where(found == OUTSIDE, NO_GRID, self._numbers[found]))

    def _found(self, x: Ints, y: Ints) -> Ints:
        """The cell of every point, OUTSIDE for none."""
        found = np.full(len(x), OUTSIDE, dtype=np.int64)
        if not self.codes:
            return found
        raster = self._raster
        column, row = (x - raster.west) >> raster.shift_x, (y - raster.south) >> raster.shift_y
        inside = (column >= 0) & (row >= 0) & (column < raster.pixels.shape[0]) & (row < raster.pixels.shape[1])
        if inside.all():
            found = raster.pixels[column, row].astype(np.int64)
        else:
            found[inside] = raster.pixels[column[inside], row[inside]]
        return raster.decide(self._lines, found, x, y)
