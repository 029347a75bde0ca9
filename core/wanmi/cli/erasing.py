"""``wanmi erase-person``: end what is known of a person, here and wherever it went."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json
from wanmi.errors import BadInput


class Why(StrEnum):
    """Why personal data is erased."""

    request = "request"
    retention = "retention"
    order = "order"


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command("erase-person")(erase_person)


def erase_person(
    dir: Dir,
    number: Annotated[str, typer.Option(help="A telephone number; every call and report of it.")] = "",
    blob: Annotated[list[str] | None, typer.Option(help="A sealed blob by its 64 hex digits; may be repeated.")] = None,
    reason: Annotated[
        Why, typer.Option(help="The person asked, the time is over, or an authority ordered it.")
    ] = Why.request,
    as_json: AsJson = False,
) -> None:
    """Journal that a person's sealed data is erased and destroy its keys, here now and at every holder when it hears.

    Chains and scores stay as they are. What was erased stays erased after a backup is restored.
    """
    if bool(number) == bool(blob):
        raise BadInput("wanmi erase-person: say --number or --blob")
    result = call(dir, "person.erase", {"number": number, "blobs": blob or [], "reason": reason.value})
    if as_json:
        print_json(result)
        return
    print(f"erased {len(result['blobs'])} sealed blobs, entries {', '.join(result['entries'])}")
