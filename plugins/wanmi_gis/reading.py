"""Reads CSV and GeoJSON files of base data into rows with numbers, properties and geometry in WGS-84.

Datum: from the option, or stated by the file: GeoJSON member `datum` (or `crs` naming CRS84, EPSG:4326 or EPSG:4490),
CSV column `datum`. None, or two that differ, is refused: mixing them puts points some 500 m off.
CSV geometry: column `geometry` (or `wkt`) as WKT; points as columns `lon`, `lat` in decimal degrees.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wanmi.coords import Datum, Point, parse_datum, to_wgs84
from wanmi.errors import BadInput
from wanmi_gis.shapes import Ring, Rings, Shape, oriented, ring_of

E7 = 10_000_000
CRS_DATUMS: Mapping[str, Datum] = {"CRS84": "WGS84", "4326": "WGS84", "4490": "CGCS2000"}
Properties = Mapping[str, object]


@dataclass(frozen=True)
class SourceRow:
    """A row: `number` as the file's reader counts (CSV: header is 1; GeoJSON: the feature's place from 1).

    `geometry` is GeoJSON-like or WKT text, still in the file's datum; None where the row has none.
    """

    number: int
    properties: Properties
    geometry: Mapping[str, object] | str | None

    def text(self, *names: str) -> str:
        """The first of these properties that is there, as trimmed text; "" for none."""
        for name in names:
            value = self.properties.get(name)
            if value is not None and str(value).strip():
                return str(value).strip()
        return ""


@dataclass(frozen=True)
class Source:
    """A file that was read: its SHA-256, the datum its coordinates are in, and its rows."""

    name: str
    sha256: str
    datum: Datum
    rows: tuple[SourceRow, ...]
    schematic: bool


def read_source(path: Path, datum: Datum | None) -> Source:
    """The rows of a `.csv`, `.geojson` or `.json` file; raises BadInput for a file that is not, or states no datum."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"file {path}: cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"file {path.name}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    table = path.suffix.lower() == ".csv"
    rows, stated, schematic = _csv(path.name, text) if table else _geojson(path.name, text)
    return Source(path.name, hashlib.sha256(data).hexdigest(), _agreed(path.name, datum, stated), rows, schematic)


def _agreed(name: str, option: Datum | None, stated: set[Datum]) -> Datum:
    datums = stated | ({option} if option else set())
    if not datums:
        raise BadInput(f"file {name}: states no datum; give --datum WGS84, GCJ02, BD09 or CGCS2000")
    if len(datums) > 1:
        raise BadInput(
            f"file {name}: two datums, {' and '.join(sorted(datums))}; state one (option and file must agree)"
        )
    return datums.pop()


def _csv(name: str, text: str) -> tuple[tuple[SourceRow, ...], set[Datum], bool]:
    try:
        table = list(csv.DictReader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise BadInput(f"file {name}: not CSV: {error}; mend its quoting") from error
    rows = tuple(SourceRow(number, row, _csv_geometry(row)) for number, row in enumerate(table, start=2))
    stated = {parse_datum(row.text("datum")) for row in rows if row.text("datum")}
    return rows, stated, bool(rows) and all(is_schematic(row) for row in rows)


def _csv_geometry(row: Properties) -> str | Mapping[str, object] | None:
    for column in ("geometry", "wkt"):
        value = row.get(column)
        if isinstance(value, str) and value.strip():
            return value.strip()
    lon, lat = row.get("lon"), row.get("lat")
    return {"type": "Point", "coordinates": [lon, lat]} if lon and lat else None


def _geojson(name: str, text: str) -> tuple[tuple[SourceRow, ...], set[Datum], bool]:
    try:
        tree = json.loads(text, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"file {name}: neither CSV (by its name) nor JSON: {error}") from error
    features = tree.get("features") if isinstance(tree, dict) else None
    if not isinstance(features, list):
        raise BadInput(f"file {name}: not a GeoJSON FeatureCollection; its member `features` is missing")
    rows = tuple(_feature(number, feature) for number, feature in enumerate(features, start=1))
    return rows, _stated(tree), tree.get("schematic") is True


def _feature(number: int, feature: object) -> SourceRow:
    if not isinstance(feature, dict):
        return SourceRow(number, {}, None)
    properties, geometry = feature.get("properties"), feature.get("geometry")
    return SourceRow(
        number,
        properties if isinstance(properties, dict) else {},
        geometry if isinstance(geometry, dict) else None,
    )


def _stated(tree: Mapping[str, object]) -> set[Datum]:
    stated: set[Datum] = set()
    if tree.get("datum") is not None:
        stated.add(parse_datum(str(tree["datum"])))
    crs = tree.get("crs")
    if crs is not None:
        found = [datum for word, datum in CRS_DATUMS.items() if word in json.dumps(crs)]
        if not found:
            raise BadInput(f"crs {json.dumps(crs)}: unknown; state a `datum`, or turn the file to CRS84 or EPSG:4490")
        stated.add(found[0])
    return stated


def is_schematic(row: SourceRow) -> bool:
    """Whether a row is marked as schematic."""
    return row.text("schematic").lower() in ("true", "1")


def shape_of(row: SourceRow, datum: Datum) -> Shape | None:
    """The row's polygon or multipolygon, oriented, in 1e-7 degree WGS-84; None if it has no geometry.

    Raises BadInput for anything that is not simple and closed.
    """
    geometry = _mapping(row.geometry)
    if geometry is None:
        return None
    parts = _list(geometry.get("coordinates"))
    if geometry.get("type") == "Polygon":
        parts = [parts]
    elif geometry.get("type") != "MultiPolygon":
        raise BadInput(f"geometry is {geometry.get('type')}; give a Polygon or MultiPolygon")
    shape = tuple(oriented(_ring(ring, datum) for ring in _list(part)) for part in parts)
    _check_valid(shape)
    return shape


def point_of(row: SourceRow, datum: Datum) -> Point:
    """The row's point in WGS-84; raises BadInput if it has none."""
    geometry = _mapping(row.geometry)
    if geometry is None or geometry.get("type") != "Point":
        raise BadInput("has no point; give columns lon and lat, or a Point geometry")
    return to_wgs84(_point(geometry.get("coordinates")), datum)


def _mapping(geometry: Mapping[str, object] | str | None) -> Mapping[str, object] | None:
    if not isinstance(geometry, str):
        return geometry
    import shapely

    try:
        found: Mapping[str, object] = shapely.from_wkt(geometry).__geo_interface__
    except shapely.errors.GEOSException as error:
        raise BadInput(f"geometry is not WKT: {error}") from error
    return found


def _list(value: object) -> list[object]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise BadInput(f"coordinates are not nested lists but {str(value)[:40]!r}")
    return list(value)


def _ring(value: object, datum: Datum) -> Ring:
    points = [_point(one) for one in _list(value)]
    if len(points) < 4 or points[0] != points[-1]:
        raise BadInput(f"a ring of {len(points)} points is not closed; its last point must repeat its first")
    turned = (to_wgs84(point, datum) for point in points)
    return ring_of((point.lon_e7, point.lat_e7) for point in turned)


def _point(value: object) -> Point:
    pair = _list(value)
    if len(pair) not in (2, 3):
        raise BadInput(f"a position needs longitude and latitude, not {pair}")
    return Point.parse(*(_degrees(part) for part in pair[:2]))


def _degrees(value: object) -> str:
    return f"{value:.9f}" if isinstance(value, float) else str(value).strip()


def _check_valid(shape: Shape) -> None:
    import shapely

    if not shape or any(len(ring) < 3 for ring in _rings(shape)):
        raise BadInput("the polygon encloses nothing at 1e-7 degree")
    whole = shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in shape])
    if not whole.is_valid:
        raise BadInput(f"the polygon is not simple: {shapely.is_valid_reason(whole)} (1e-7 degree); mend it")


def _rings(shape: Shape) -> Iterator[Ring]:
    for rings in shape:
        yield from rings


def flat_rings(rings: Rings) -> list[list[int]]:
    """Rings as entries hold them: for each, [lon, lat, lon, lat, …] in 1e-7 degree, open."""
    return [[number for vertex in ring for number in vertex] for ring in rings]


def rings_of(flat: Sequence[Sequence[int]]) -> Rings:
    """The rings of what `flat_rings` made; raises BadInput if they are not pairs."""
    if any(len(ring) % 2 or len(ring) < 6 for ring in flat) or not flat:
        raise BadInput("rings are not lists of longitude, latitude pairs")
    return tuple(tuple(zip(ring[::2], ring[1::2], strict=True)) for ring in flat)
