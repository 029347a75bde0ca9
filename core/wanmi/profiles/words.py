"""Words of the handbooks for what a step table names: required fields, guards, clocks' acts."""

from __future__ import annotations

from collections.abc import Mapping

from wanmi.codes import Profile
from wanmi.codes.resources import Lang

__all__ = ["field_word", "guard_word", "say"]

_FIELDS: Mapping[str, tuple[str, str]] = {
    "opinion": ("意见", "opinion"),
    "department": ("处置部门", "department"),
    "collector": ("信息采集员", "collector"),
    "limit": ("处置时限", "limit"),
    "photo": ("照片", "photo"),
    "photo_before": ("处置前照片", "photo before"),
    "photo_after": ("处置后照片", "photo after"),
    "until": ("截止日期", "end date"),
    "result": ("结果", "result"),
    "order": ("指令编号", "number of the order"),
    "district": ("区级平台", "district"),
    "exists": ("属实", "exists"),
    "does_not_exist": ("不属实", "does not exist"),
    "cannot_tell": ("无法判断", "cannot tell"),
}
_GUARDS: Mapping[str, tuple[str, str]] = {
    "own_department": ("限本部门承办的案卷", "only the department's own cases"),
    "own_task": ("限派给本人的任务", "only the collector's own task"),
    "has_department": ("须已派遣到部门", "a department must have the case"),
    "verified": ("须核实的来源应先核实属实", "where the source is to be verified, found to be true first"),
    "before_deadline": ("须在时限届满前提出", "before the deadline"),
    "was_overdue": ("限曾超时的案卷", "only cases that were overdue"),
    "handled_it": ("限承办过该案卷的部门", "only a department that handled the case"),
    "city_case": ("限市级案卷", "only cases of the city"),
    "district_case": ("限区级案卷", "only cases of a district"),
    "ordered_down": ("须有本案的转交指令", "an order must hand this very case down"),
    "district_answered": (
        "须区级已答复本案的转交指令",
        "the district must have answered the order that handed it down",
    ),
    "ordered_up": (
        "须有市级上收本案的指令，且尚未答复",
        "an order of the city that takes this very case over must wait",
    ),
}


def say(lang: Lang, zh: str, en: str) -> str:
    """The words in the language."""
    return zh if lang == "zh" else en


def field_word(profile: Profile, name: str, lang: Lang) -> str:
    """The word for a field: the profile's own (labels.field), else a known one, else its name."""
    return _word(profile, "field", _FIELDS, name, lang)


def guard_word(profile: Profile, name: str, lang: Lang) -> str:
    """The words for a guard: the profile's own (labels.guard), else known ones, else its name."""
    return _word(profile, "guard", _GUARDS, name, lang)


def _word(profile: Profile, group: str, known: Mapping[str, tuple[str, str]], name: str, lang: Lang) -> str:
    if name in profile.labels.get(group, {}):
        return profile.label(group, name, lang)
    return known[name][0 if lang == "zh" else 1] if name in known else name.replace("_", " ")
