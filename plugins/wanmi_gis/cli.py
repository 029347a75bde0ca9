"""`wanmi import …` and `wanmi gis …` at the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from wanmi.cli.shared import AsJson, call, print_json
from wanmi.coords import Datum, parse_datum
from wanmi.errors import BadInput
from wanmi_gis.cutter import CELL_M, SLIVER_SHARE, cut
from wanmi_gis.geojson import Feature, area_feature, grid_feature, write_features
from wanmi_gis.reading import is_schematic, read_source, shape_of
from wanmi_gis.rules import date_of

if TYPE_CHECKING:
    from wanmi.registry import AdminResult
    from wanmi_gis.schematic import Area, Schematic

HERE = Path()
imports = typer.Typer(help="Import divisions, grids or components into a node.", no_args_is_help=True)
gis = typer.Typer(help="Schematic areas, and communities cut into unit grids.", no_args_is_help=True)

SOME_REFUSED = 2
"""Exit code when rows were refused and the others taken."""
MOST_TOLD = 50
"""Refused rows that are shown; --json shows all."""

File = Annotated[Path, typer.Argument(help="A .csv, .geojson or .json file.", exists=True, dir_okay=False)]
Dir = Annotated[Path, typer.Option("--dir", help="The node's directory.", exists=True, file_okay=False)]
DatumName = Annotated[
    str | None, typer.Option("--datum", help="WGS84, GCJ02, BD09 or CGCS2000, if the file says none.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Take nothing if one row is bad.")]
Out = Annotated[Path, typer.Argument(help="The GeoJSON file to write.")]


@imports.command()
def divisions(
    file: File, dir: Dir = HERE, datum: DatumName = None, strict: Strict = False, as_json: AsJson = False
) -> None:
    """Import districts, streets and communities."""
    _import("divisions", file, dir, datum, strict, as_json)


@imports.command()
def grids(
    file: File, dir: Dir = HERE, datum: DatumName = None, strict: Strict = False, as_json: AsJson = False
) -> None:
    """Import unit grids."""
    _import("grids", file, dir, datum, strict, as_json)


@imports.command()
def components(
    file: File, dir: Dir = HERE, datum: DatumName = None, strict: Strict = False, as_json: AsJson = False
) -> None:
    """Import components."""
    _import("components", file, dir, datum, strict, as_json)


def _import(dataset: str, file: Path, dir: Path, datum: str | None, strict: bool, as_json: bool) -> None:
    arguments = {"dataset": dataset, "file": str(file.absolute()), "datum": datum, "strict": strict}
    result = call(dir, "import", arguments)
    print_json(result) if as_json else typer.echo("\n".join(_lines(result)))
    if result["refused"]:
        raise typer.Exit(1 if strict else SOME_REFUSED)


def _lines(result: AdminResult) -> Iterator[str]:
    for bad in result["refused"][:MOST_TOLD]:
        yield f"row {bad['row']}: {bad['reason']}"
    if len(result["refused"]) > MOST_TOLD:
        yield f"… and {len(result['refused']) - MOST_TOLD} more refused rows (--json shows all)"
    yield (
        f"{result['file']} ({result['datum']}): {result['journaled']} rows journaled in {result['entries']} entries, "
        f"{result['unchanged']} unchanged, {len(result['refused'])} refused"
    )
    if not result["taken"]:
        yield "nothing was taken: --strict refuses a file with a bad row; mend the rows above"


@gis.command()
def schematic(
    out: Out,
    level: Annotated[str, typer.Option(help="district, street, community, or all of them.")] = "all",
    district: Annotated[list[str] | None, typer.Option(help="Only these districts (6 digits).")] = None,
) -> None:
    """Write schematic (示意) divisions with polygons: real codes and sizes, nobody's real borders."""
    from wanmi_gis.schematic import Schematic

    features = list(_schematic(Schematic.shipped(), level, set(district or ())))
    count = write_features(out, features, schematic=True)
    typer.echo(f"{out}: {count} schematic (示意) divisions")


def _schematic(city: Schematic, level: str, wanted: set[str]) -> Iterator[Feature]:
    if level not in ("district", "street", "community", "all"):
        raise BadInput(f"level {level!r}: unknown; one of district, street, community, all")
    areas = {area.division.code: area for area in city.districts()}
    missing = wanted - set(areas)
    if missing:
        raise BadInput(f"district {', '.join(sorted(missing))}: not in this city; there are {', '.join(sorted(areas))}")
    for code in sorted(wanted or areas):
        parts: list[Area] = [areas[code]] if level in ("district", "all") else []
        parts += city.streets(code) if level in ("street", "all") else []
        parts += city.communities(code) if level in ("community", "all") else []
        yield from map(area_feature, parts)


@gis.command(name="cut")
def cut_file(
    file: File,
    out: Out,
    begins: Annotated[str, typer.Option(help="The grids' first day, YYYY-MM-DD.")],
    on_overflow: Annotated[str, typer.Option(help="More than 999 cells: refuse, or grow (larger cells).")] = "refuse",
    cell_m: Annotated[int, typer.Option(help="Side of a cell in metres.", min=10, max=1000)] = CELL_M,
    sliver_share: Annotated[float, typer.Option(help="Smaller pieces join a neighbour.", min=0, max=1)] = SLIVER_SHARE,
    datum: DatumName = None,
) -> None:
    """Cut the communities of a file of divisions into unit grids."""
    choice: Literal["refuse", "grow"] = "grow" if on_overflow == "grow" else "refuse"
    if on_overflow != choice:
        raise BadInput(f"--on-overflow {on_overflow!r}: unknown; refuse or grow")
    told: Datum | None = parse_datum(datum) if datum else None
    features = list(_cut(file, told, _day(begins), choice, cell_m, sliver_share))
    schematic_ = any(feature["properties"].get("schematic") for feature in features)
    count = write_features(out, features, schematic=schematic_)
    typer.echo(f"{out}: {count} unit grids{' (示意)' if schematic_ else ''}")


def _day(text: str) -> str:
    from wanmi_gis.reading import SourceRow

    return date_of(SourceRow(0, {"begins": text}, None), "begins") or text


def _cut(
    file: Path, datum: Datum | None, begins: str, on_overflow: Literal["refuse", "grow"], cell_m: int, share: float
) -> Iterator[Feature]:
    source = read_source(file, datum)
    communities = [row for row in source.rows if len(row.text("code", "code12")) == 12 and row.geometry is not None]
    if not communities:
        raise BadInput(f"file {file.name}: has no community (12-digit code) with a polygon")
    for row in communities:
        code, shape = row.text("code", "code12"), shape_of(row, source.datum)
        done = cut(code, shape or (), begins, on_overflow=on_overflow, cell_m=cell_m, sliver_share=share)
        if done.cell_m != (cell_m, cell_m):
            typer.echo(done.message, err=True)
        marked = source.schematic or is_schematic(row)
        yield from (grid_feature(grid, marked) for grid in done.grids)
