"""``wanmi calendar …``: the day list that deadlines are counted on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows
from wanmi.errors import BadInput

app = typer.Typer(
    help="Holidays, make-up workdays and working hours: what deadlines are counted on.", no_args_is_help=True
)


@app.command("import")
def import_(
    dir: Dir,
    file: Annotated[Path, typer.Argument(help="CSV with the columns date,is_workday,name and, if it has it, source.")],
    year: Annotated[int | None, typer.Option(help="The year whose notice this is; default: the dates' years.")] = None,
    source: Annotated[str, typer.Option(help="Where rows without a source are from; default: the file's name.")] = "",
    hours: Annotated[str, typer.Option(help="Hours of a work day: 08:00-12:00,14:00-18:00.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Take nothing if a row is bad.")] = False,
) -> None:
    """Import a year's day list at the city; it replaces that year's list from now on."""
    args = {"file": str(file.absolute()), "year": year, "source": source, "hours": hours, "strict": strict}
    told = call(dir, "calendar.import", args)
    for bad in told["refused"]:
        print(f"row {bad['row']}: {bad['reason']}")
    for one in told["years"]:
        print(f"{one['year']}: {one['days']} days journaled as {', '.join(one['entries'])}")
    for unchanged in told["unchanged"]:
        print(f"{unchanged}: here already, unchanged")
    if not told["taken"]:
        raise BadInput(f"{told['file']}: nothing was taken; mend the rows above and import it again")


@app.command()
def show(
    dir: Dir, year: Annotated[int | None, typer.Argument(help="Show this year's days.")] = None, as_json: AsJson = False
) -> None:
    """The calendar that counts at this node, or one year's days."""
    told = call(dir, "calendar.show", {"year": year})
    if as_json:
        print_json(told)
    elif year is None:
        rows = [
            (one["year"], one["days"], one["hours"], _from(one["imported"], told["owner"])) for one in told["years"]
        ]
        print_rows(("year", "days", "hours", "from"), rows)
    elif not told["known"]:
        print(f"{year}: no day list; Monday to Friday count as work days")
    else:
        rows = [(day["date"], "work" if day["workday"] else "off", day["name"], day["source"]) for day in told["days"]]
        print_rows(("date", "", "name", "source"), rows)


def _from(imported: bool, owner: str) -> str:
    return f"imported at {owner}" if imported else "the package"
