"""``wanmi profile …``: check a city's profile, tell two apart, activate a version, print the handbooks."""

from __future__ import annotations

import base64
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wanmi.cli.shared import AsJson, Dir, call, print_json, print_rows

if TYPE_CHECKING:
    from wanmi.profiles.packing import Files

app = typer.Typer(
    help="Profiles: categories, limits, steps and words of a city as versioned data.", no_args_is_help=True
)

Where = Annotated[
    str,
    typer.Argument(metavar="PROFILE", help="A folder, an archive, a shipped profile's name, or a node's directory."),
]


class BookName(StrEnum):
    """The handbooks."""

    supervision = "supervision"
    command = "command"


class LangName(StrEnum):
    """The languages."""

    zh = "zh"
    en = "en"


Language = Annotated[LangName, typer.Option("--lang", help="zh or en.")]


@app.command()
def check(where: Where, as_json: AsJson = False) -> None:
    """Check a profile: each fault with its file, its line and what to do; exit code 1 when it has errors."""
    from dataclasses import asdict

    from wanmi.identity import POSTS
    from wanmi.profiles import check_profile

    found = check_profile(_files(where), held=tuple(POSTS))
    errors = [one for one in found if one.level == "error"]
    if as_json:
        print_json({"ok": not errors, "findings": [asdict(one) for one in found]})
    else:
        for one in found:
            print(one)
        print(f"{len(errors)} errors, {len(found) - len(errors)} warnings")
    if errors:
        sys.exit(1)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A folder, an archive, a name, or a node's directory.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same, to compare with.")],
    lang: Language = LangName.en,
    as_json: AsJson = False,
) -> None:
    """Tell in words what differs: categories, limits, steps, posts, everything else."""
    from dataclasses import asdict

    from wanmi.profiles.differences import differences, summary

    changes = differences(_files(old), _files(new))
    if as_json:
        print_json([asdict(one) for one in changes])
        return
    for one in changes:
        print(one.told(lang.value))
    for line in summary(changes, lang.value):
        print(line)


@app.command()
def activate(
    dir: Dir,
    where: Where,
    opinion: Annotated[str, typer.Option("--why", help="Why the city changes it; stands in the journal.")] = "",
    as_json: AsJson = False,
) -> None:
    """Journal a version at the city: cases opened from now on follow it, here and in every district."""
    from wanmi.profiles import must_be_good, pack

    files = _files(where)
    must_be_good(files)
    args = {"archive": base64.b64encode(pack(files)).decode(), "opinion": opinion}
    done = call(dir, "profile.activate", args)
    if as_json:
        print_json(done)
    else:
        print(f"{done['ref']} (version {done['version']}) is active since entry {done['seq']}; open cases keep theirs")


@app.command("list")
def list_(dir: Dir, as_json: AsJson = False) -> None:
    """The active profile of a node, and the versions before it."""
    told = call(dir, "profile.list", {})
    if as_json:
        print_json(told)
        return
    active = told["active"]
    where = "as shipped" if active["shipped"] else "activated by the city"
    print(f"active: {active['name']}@{active['digest'][:16]}, version {active['version']}, {where}")
    rows = [(one["ref"], one["version"], one["seq"], _day(one["at"]), one["opinion"]) for one in told["versions"]]
    print_rows(("profile", "version", "entry", "since", "why"), rows)


@app.command()
def pack(
    where: Where,
    out: Annotated[Path, typer.Argument(help="A new file that ends in .zip, or a new folder to edit.")],
) -> None:
    """Write a profile as one archive, or (OUT without .zip) unpacked into a folder: the way to begin one's own."""
    from wanmi.profiles import write_profile

    files = _files(where)
    write_profile(files, out)
    print(f"{len(files)} files in {out}")


@app.command("print")
def print_(
    where: Where,
    book: Annotated[BookName, typer.Option(help="监督手册 (supervision) or 处置（指挥）手册 (command).")],
    lang: Language = LangName.zh,
    markdown: Annotated[bool, typer.Option("--md", help="Markdown in place of HTML.")] = False,
    out: Annotated[Path | None, typer.Option(help="The file to write; default: standard output.")] = None,
) -> None:
    """Make a handbook from a profile: one HTML file made for paper, or Markdown."""
    from wanmi.profiles import must_be_good, print_book, steps_of

    profile = must_be_good(_files(where))
    text = print_book(profile, steps_of(profile), book.value, lang.value, markdown=markdown)
    if out is None:
        sys.stdout.write(text)
        return
    out.write_text(text, encoding="utf-8")
    print(f"{out}: {len(text)} characters")


def _files(where: str) -> Files:
    """The files of a profile; of a node's directory those of its active one."""
    from wanmi.profiles import profile_files, unpack

    if (Path(where) / "node.toml").is_file():
        told = call(Path(where), "profile.archive", {})
        return unpack(base64.b64decode(told["archive"]), f"the active profile of {where}")
    return profile_files(where)


def _day(at: int) -> str:
    from wanmi.codes import local_date

    return local_date(at).isoformat()
