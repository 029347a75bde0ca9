"""Codes of the city: regions, unit grids, components, events, cases, nodes, terminals; the profile and division tables.

Everything that a standard or a city fixes (widths, categories, limits, names) is data in wanmi/data, with its source and
confidence; another standard is another data folder. Data is read when first asked for and kept by the loaders.
"""

from wanmi.codes.catalogue import (
    CASE_KINDS,
    CaseKind,
    Catalogue,
    Category,
    ExtensionRange,
    Group,
    LimitKind,
    TimeLimit,
    Unit,
)
from wanmi.codes.days import CITY_ZONE, local_date
from wanmi.codes.divisions import LEVELS, BadRow, Division, Divisions, Level, parse_divisions, short_code
from wanmi.codes.explain import explain_code
from wanmi.codes.facts import DistrictFacts, load_district_facts
from wanmi.codes.kinds import (
    CODE_KINDS,
    CaseNumber,
    Code,
    CommunityCode,
    ComponentId,
    EventCode,
    NodeCode,
    RegionCode,
    StreetCode,
    TerminalId,
    UnitGridCode,
    matching_kinds,
)
from wanmi.codes.mapping import CodeMap, Mapped
from wanmi.codes.profile import (
    PROFILE_FILES,
    Label,
    Labels,
    Profile,
    files_digest,
    is_profile_file,
    shipped_profiles,
)
from wanmi.codes.shapes import DEFAULT_PROFILE, Lang, Part, Shape, Shapes

__all__ = [
    "CASE_KINDS",
    "CITY_ZONE",
    "CODE_KINDS",
    "DEFAULT_PROFILE",
    "LEVELS",
    "PROFILE_FILES",
    "BadRow",
    "CaseKind",
    "CaseNumber",
    "Catalogue",
    "Category",
    "Code",
    "CodeMap",
    "CommunityCode",
    "ComponentId",
    "DistrictFacts",
    "Division",
    "Divisions",
    "EventCode",
    "ExtensionRange",
    "Group",
    "Label",
    "Labels",
    "Lang",
    "Level",
    "LimitKind",
    "Mapped",
    "NodeCode",
    "Part",
    "Profile",
    "RegionCode",
    "Shape",
    "Shapes",
    "StreetCode",
    "TerminalId",
    "TimeLimit",
    "Unit",
    "UnitGridCode",
    "explain_code",
    "files_digest",
    "is_profile_file",
    "load_district_facts",
    "local_date",
    "matching_kinds",
    "parse_divisions",
    "shipped_profiles",
    "short_code",
]
