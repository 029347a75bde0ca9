"""Checks a profile's files: every fault with its file, its line and what to do. The order is that of the files."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator

import msgspec

from wanmi.codes import PROFILE_FILES, Profile, is_profile_file
from wanmi.codes.resources import Toml
from wanmi.errors import BadInput, WanmiError
from wanmi.profiles.check_rows import check_catalogue, check_limits, check_mapping, check_plain
from wanmi.profiles.check_steps import STEPS, check_steps, unheld_posts
from wanmi.profiles.check_words import check_words
from wanmi.profiles.findings import Finding, text_of, toml_error
from wanmi.profiles.packing import Files

__all__ = ["check_profile", "must_be_good"]


def check_profile(files: Files, held: Collection[str] = ()) -> list[Finding]:
    """Everything that was found, errors and warnings; no error means that the profile may be activated.

    With ``held``, the posts that people can be given here, a post of the table that is none of them is warned of.
    """
    found = [*_names(files), *_readable(files)]
    if any(one.level == "error" for one in found):
        return found
    toml = tomllib.loads(text_of(files, "profile.toml"))
    found += check_words(toml, files)
    found += _parts(toml, files)
    if not any(one.level == "error" for one in found):
        found += _whole(files)
        found += unheld_posts(files, held) if held and STEPS in files else ()
    return found


def must_be_good(files: Files) -> Profile:
    """The profile; BadInput with the first errors when it has any."""
    errors = [one for one in check_profile(files) if one.level == "error"]
    if errors:
        more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
        raise BadInput(f"profile: {len(errors)} errors: {'; '.join(map(str, errors[:3]))}{more}")
    return Profile.of_files(files)


def _parts(toml: Toml, files: Files) -> Iterator[Finding]:
    known = yield from check_catalogue(toml, files)
    yield from check_limits(toml, files, known)
    if STEPS in files:
        yield from check_steps(toml, files)
    else:
        yield Finding(
            "warning", STEPS, None, "is not there", "cases are worked by the shipped table; copy one to change it"
        )
    for name in sorted(files):
        if name.startswith("from_") and name.endswith(".csv"):
            yield from check_mapping(files, name, known)
        elif name.endswith(".csv") and name not in PROFILE_FILES:
            yield from check_plain(files, name)


def _names(files: Files) -> Iterator[Finding]:
    for name in PROFILE_FILES:
        if name not in files:
            yield Finding("error", name, None, "is missing", "copy that of the profile you began with")
    for name in files:
        if not is_profile_file(name):
            yield Finding("error", name, None, "is no name of a profile's file", "use lower case and .toml or .csv")


def _readable(files: Files) -> Iterator[Finding]:
    for name in sorted(files):
        try:
            text = text_of(files, name)
            if name.endswith(".toml"):
                tomllib.loads(text)
        except BadInput as error:
            yield Finding("error", name, None, str(error), "save it as UTF-8")
        except tomllib.TOMLDecodeError as error:
            line, what = toml_error(error)
            yield Finding("error", name, line, what, "write it as TOML wants it")


def _whole(files: Files) -> Iterator[Finding]:
    """Last, read it as a node does: what the checks above do not know is told as it is."""
    try:
        Profile.of_files(files)
    except (WanmiError, msgspec.MsgspecError, ArithmeticError, KeyError, TypeError, ValueError) as error:
        what = f"cannot be read: {type(error).__name__}: {error}"
        yield Finding("error", "profile.toml", None, what, "compare it with the shipped profile")
