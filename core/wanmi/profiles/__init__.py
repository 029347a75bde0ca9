"""Profiles as versioned data: check a city's own, tell two apart, journal a version, find the one a case keeps, print it.

A profile is a set of files (TOML, CSV): what `wanmi.codes.Profile` reads, `steps.toml` (`wanmi.cases.StepTable`) and
mappings from other catalogues. A city activates a version; its districts receive it in the city's chain.
"""

from wanmi.profiles.activating import activate_profile, register_profiles
from wanmi.profiles.bodies import ProfileActivated, ProfileProposed
from wanmi.profiles.checking import check_profile, must_be_good
from wanmi.profiles.differences import Change, differences
from wanmi.profiles.findings import Finding
from wanmi.profiles.keeping import ProfileStore, Version, read_shipped, steps_of
from wanmi.profiles.kinship import Kin, counterparts, kin_among
from wanmi.profiles.packing import pack, profile_files, unpack, write_profile
from wanmi.profiles.printing import Book, print_book

__all__ = [
    "Book",
    "Change",
    "Finding",
    "Kin",
    "ProfileActivated",
    "ProfileProposed",
    "ProfileStore",
    "Version",
    "activate_profile",
    "check_profile",
    "counterparts",
    "differences",
    "kin_among",
    "must_be_good",
    "pack",
    "print_book",
    "profile_files",
    "read_shipped",
    "register_profiles",
    "steps_of",
    "unpack",
    "write_profile",
]
