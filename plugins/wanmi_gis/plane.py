"""The metric plane of Shenyang: EPSG:4550 (CGCS2000, 3-degree zone, central meridian 123 E).

EPSG:4550 declares north first; `always_xy` forces (east, north). From CGCS2000 degrees (EPSG:4490), which are WGS-84
degrees at our precision, no datum shift is made. Scale error within the city (122.4-123.9 E) is below 7e-5.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wanmi_gis.shapes import Ring, Shape

if TYPE_CHECKING:
    from pyproj import Transformer

Metres = NDArray[np.float64]
Units = NDArray[np.int64]
E7 = 10_000_000


@lru_cache(maxsize=2)
def _transformer(inverse: bool) -> "Transformer":
    from pyproj import Transformer

    ends = ("EPSG:4550", "EPSG:4490") if inverse else ("EPSG:4490", "EPSG:4550")
    return Transformer.from_crs(*ends, always_xy=True)


def to_metres(units: Units | Metres) -> Metres:
    """(n, 2) of 1e-7 degrees (lon, lat) to (n, 2) of metres (east, north)."""
    lon, lat = units[:, 0] / E7, units[:, 1] / E7
    east, north = _transformer(False).transform(lon, lat)
    return np.column_stack((east, north))


def to_units(metres: Metres) -> Units:
    """(n, 2) of metres (east, north) to (n, 2) of whole 1e-7 degrees (lon, lat), rounded half to even."""
    lon, lat = _transformer(True).transform(metres[:, 0], metres[:, 1])
    return np.asarray(np.rint(np.column_stack((lon, lat)) * E7), dtype=np.int64)


def ring_area_m2(ring: Ring) -> float:
    """Signed area of a ring on the plane in m2 (counter-clockwise positive)."""
    points = to_metres(np.array(ring, dtype=np.int64))
    x, y = points[:, 0] - points[0, 0], points[:, 1] - points[0, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def shape_area_m2(shape: Shape) -> float:
    """Area of an oriented shape on the plane in m2."""
    return sum(ring_area_m2(ring) for rings in shape for ring in rings)


def mix(*numbers: NDArray[np.int64] | int) -> NDArray[np.uint64]:
    """A well-mixed 64-bit hash of integers (splitmix64): the same on every machine, so schematic data is too."""
    state: NDArray[np.uint64] = np.asarray(0x9E3779B97F4A7C15, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for number in numbers:
            state = state ^ np.asarray(number, dtype=np.int64).astype(np.uint64)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = (state ^ (state >> np.uint64(31))) + np.uint64(0x9E3779B97F4A7C15)
    return state


def spread(*numbers: NDArray[np.int64] | int) -> Metres:
    """Even values in [-1, 1) from the hash of integers."""
    return np.asarray((mix(*numbers) >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1.0)
