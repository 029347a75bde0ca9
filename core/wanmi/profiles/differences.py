"""What differs between two profiles, in words: categories, limits, steps, posts, codes, everything else. Pure.

Every difference of content is told; where only comments or layout differ, that is told too.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wanmi.codes.resources import Lang
from wanmi.errors import BadInput
from wanmi.profiles.findings import read_table, text_of
from wanmi.profiles.packing import Files

__all__ = ["Change", "What", "differences", "summary"]

What = Literal["added", "removed", "changed"]
_WHAT: Mapping[What, tuple[str, str]] = {
    "added": ("新增", "added"),
    "removed": ("删除", "removed"),
    "changed": ("修改", "changed"),
}
_AREAS: Mapping[str, tuple[str, str]] = {
    "profile": ("方案", "profile"),
    "category": ("类别", "category"),
    "limit": ("时限", "limit"),
    "mapping": ("代码对照", "mapping"),
    "codes": ("编码", "code"),
    "groups": ("类别组", "group"),
    "units": ("时限单位", "unit"),
    "labels": ("用语", "word"),
    "posts": ("岗位", "post"),
    "clocks": ("计时", "clock"),
    "states": ("状态", "state"),
    "steps": ("环节", "step"),
    "requests": ("申请", "request"),
    "acts": ("操作", "act"),
    "row": ("行", "row"),
    "setting": ("参数", "setting"),
    "file": ("文件", "file"),
    "layout": ("注释或版式", "comments or layout"),
}
_LIMIT_WORDS = ("filing_criterion", "closing_criterion", "source")

_ZH = {
    "component": "部件", "event": "事件", "stage": "环节",
    "natural_minute": "分钟", "natural_hour": "自然时", "natural_day": "自然日", "urgent_hour": "紧急工作时",
    "work_hour": "工作时", "work_day": "工作日",
    "minor_zh": "小类名称", "minor_en": "小类英文名", "major_zh": "大类名称", "geometry": "几何类型", "source": "依据",
    "confidence": "可信度", "name_zh": "名称", "filing_criterion": "立案条件（英文）", "closing_criterion": "结案条件（英文）",
    "filing_zh": "立案条件", "closing_zh": "结案条件", "limit_value": "时限", "limit_unit": "时限单位",
}  # fmt: skip
"""What the files call things, in an official's words."""
_CODED = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, _ZH))})(?![\w.-])", re.ASCII)


@dataclass(frozen=True)
class Change:
    """One difference: the area (category, limit, steps …), the thing, and how it was and is (empty where it was not).

    ``name_zh`` where the thing is called otherwise in Chinese.
    """

    area: str
    what: What
    name: str
    before: str = ""
    after: str = ""
    name_zh: str = ""

    def told(self, lang: Lang = "en") -> str:
        """One line in a language: ``category changed: event 0102 暴露垃圾: minor_zh 暴露垃圾 -> 暴露的垃圾``."""
        n = 0 if lang == "zh" else 1
        head = f"{_AREAS.get(self.area, (self.area, self.area))[n]}{'' if lang == 'zh' else ' '}{_WHAT[self.what][n]}"
        colon = "：" if lang == "zh" else ": "
        detail = {"added": self.after, "removed": self.before, "changed": f"{self.before} → {self.after}"}[self.what]
        name = self.name_zh or self.name if lang == "zh" else self.name
        told = f"{head}{colon}{name}" + (f"{colon}{detail}" if detail.strip(" →") else "")
        return _CODED.sub(lambda found: _ZH[found.group()], told) if lang == "zh" else told


def differences(old: Files, new: Files) -> list[Change]:
    """Everything that differs, file by file; empty for equal files. BadInput for a file that cannot be read."""
    changes: list[Change] = []
    for name in sorted({*old, *new}):
        if name not in new:
            changes.append(Change("file", "removed", name))
        elif name not in old:
            changes.append(Change("file", "added", name))
        elif old[name] != new[name]:
            found = list(_of_file(name, _text(old, name), _text(new, name)))
            changes += found or [Change("layout", "changed", name)]
    return changes


def summary(changes: Sequence[Change], lang: Lang) -> list[str]:
    """How much differs, area by area: what is read first of a long list, and stands at its end."""
    if not changes:
        return ["两者无差异" if lang == "zh" else "no difference"]
    n = 0 if lang == "zh" else 1
    counted = Counter((one.area, one.what) for one in changes)
    parts = [
        f"{_AREAS.get(area, (area, area))[n]}{'' if lang == 'zh' else ' '}{_WHAT[what][n]} {count}"
        for (area, what), count in counted.items()
    ]
    if lang == "zh":
        return [f"共 {len(changes)} 处差异：{'、'.join(parts)}"]
    return [f"{len(changes)} differences: {', '.join(parts)}"]


def _text(files: Files, name: str) -> str:
    try:
        return text_of(files, name)
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error


def _of_file(name: str, old: str, new: str) -> Iterator[Change]:
    if name.endswith(".toml"):
        return _toml(name, _parsed(name, old), _parsed(name, new))
    a, b = _rows(name, old), _rows(name, new)
    if name in ("components.csv", "events.csv"):
        kind = name.removesuffix("s.csv")
        return _keyed("category", a, b, "code", lambda row: f"{kind} {row.get('code', '')} {row.get('minor_zh', '')}")
    if name == "time_limits.csv":
        return _limits(a, b)
    if name.startswith("from_"):
        return _multiset("mapping", a, b)
    return _multiset("row", a, b, prefix=f"{name} ")


def _parsed(name: str, text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{name}: {error}; wanmi profile check tells more") from error


Row = Mapping[str, str]


def _rows(name: str, text: str) -> list[Row]:
    try:
        table = read_table(text)
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error
    return [row.cells for row in table.rows]


# -- tables -------------------------------------------------------------------------------------------------


def _keyed(area: str, a: Sequence[Row], b: Sequence[Row], key: str, name: Any) -> Iterator[Change]:
    """Rows that a key names; where it stands twice the first of each is compared and the rest as a multiset."""
    old, new = _first_by(a, key), _first_by(b, key)
    for value in {**old, **new}:
        if value not in new:
            yield Change(area, "removed", name(old[value]), old[value].get("major_zh", ""))
        elif value not in old:
            yield Change(area, "added", name(new[value]), "", new[value].get("major_zh", ""))
        elif old[value] != new[value]:
            yield Change(area, "changed", name(new[value]), *_fields(old[value], new[value]))
    yield from _multiset(area, _rest(a, old, key), _rest(b, new, key))
    if [one for one in old if one in new] != [one for one in new if one in old]:
        yield Change(area, "changed", "order", "", "")


def _first_by(rows: Sequence[Row], key: str) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows:
        found.setdefault(row.get(key, ""), row)
    return found


def _rest(rows: Sequence[Row], first: Mapping[str, Row], key: str) -> list[Row]:
    return [row for row in rows if first[row.get(key, "")] is not row]


def _limits(a: Sequence[Row], b: Sequence[Row]) -> Iterator[Change]:
    """A category may have many limits: equal rows go out first, then those of the same criteria and source are one."""
    old, new = _apart(a, b)
    for row in list(old):
        twin = next((one for one in new if _same_limit(row, one)), None)
        if twin is not None:
            old.remove(row)
            new.remove(twin)
            yield _limit("changed", twin, *_limit_fields(row, twin))
    yield from (_limit("removed", row, _limit_value(row)) for row in old)
    yield from (_limit("added", row, "", _limit_value(row)) for row in new)


def _limit(what: What, row: Row, before: str, after: str = "") -> Change:
    """A limit is known by its category and the condition of filing, each reader's in their language."""
    begin = f"{row.get('minor_code', '')} {row.get('name_zh', '')}"
    en = row.get("filing_criterion", "")
    return Change("limit", what, f"{begin} ({en})", before, after, f"{begin}（{row.get('filing_zh') or en}）")


def _same_limit(row: Row, other: Row) -> bool:
    same = row.get("minor_code") == other.get("minor_code")
    return same and sum(row.get(word) == other.get(word) for word in _LIMIT_WORDS) >= 2


def _limit_value(row: Row) -> str:
    return f"{row.get('limit_value', '')} {row.get('limit_unit', '')}"


def _limit_fields(row: Row, other: Row) -> tuple[str, str]:
    value = ("limit_value", "limit_unit")
    if all(row.get(key) == other.get(key) for key in {*row, *other} if key not in value):
        return _limit_value(row), _limit_value(other)
    return _fields(row, other)


def _multiset(area: str, a: Sequence[Row], b: Sequence[Row], prefix: str = "") -> Iterator[Change]:
    old, new = _apart(a, b)
    yield from (Change(area, "removed", prefix + _cells(row)) for row in old)
    yield from (Change(area, "added", prefix + _cells(row)) for row in new)


def _apart(a: Sequence[Row], b: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that the other has not, as often as they are more."""
    key = lambda row: tuple(row.items())  # noqa: E731 - a row as something to count
    more, less = Counter(map(key, a)), Counter(map(key, b))
    gone, come = more - less, less - more
    return [dict(items) for items in gone.elements()], [dict(items) for items in come.elements()]


def _cells(row: Row) -> str:
    return ", ".join(value for value in row.values() if value)


def _fields(row: Row, other: Row) -> tuple[str, str]:
    keys = [key for key in {**row, **other} if row.get(key, "") != other.get(key, "")]
    return _named(row, keys), _named(other, keys)


def _named(row: Row, keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {row.get(key, '') or '–'}" for key in keys)


# -- TOML -----------------------------------------------------------------------------------------------------


def _toml(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Top-level values by name; the things in a table (``[steps.file]``) one by one, each with what differs in it."""
    for key in {**old, **new}:
        a, b = old.get(key), new.get(key)
        if isinstance(a, Mapping) or isinstance(b, Mapping):
            yield from _things(key, _as_table(a), _as_table(b))
        elif not _same(a, b):
            area = "profile" if name == "profile.toml" else "setting"
            yield _change(area, key if name == "profile.toml" else f"{name} {key}", a, b)


def _as_table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _things(area: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in {**old, **new}:
        a, b = old.get(name), new.get(name)
        if name not in new:
            yield Change(area, "removed", name, _short(a))
        elif name not in old:
            yield Change(area, "added", name, "", _short(b))
        elif isinstance(a, Mapping) and isinstance(b, Mapping):
            yield from (_change(area, f"{name} {path}".strip(), *pair) for path, pair in _leaves(a, b, ""))
        elif not _same(a, b):
            yield _change(area, name, a, b)
    if [name for name in old if name in new] != [name for name in new if name in old]:
        yield Change(area, "changed", "order", " ".join(old), " ".join(new))


def _leaves(a: Mapping[str, Any], b: Mapping[str, Any], under: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key in {**a, **b}:
        path = f"{under}.{key}" if under else key
        x, y = a.get(key), b.get(key)
        if isinstance(x, Mapping) and isinstance(y, Mapping):
            yield from _leaves(x, y, path)
        elif key not in a or key not in b or not _same(x, y):
            yield path, (x, y)


def _same(a: Any, b: Any) -> bool:
    """Equal and of one type: in TOML true is not 1 and 1 is not 1.0."""
    return type(a) is type(b) and bool(a == b)


def _change(area: str, name: str, a: Any, b: Any) -> Change:
    if a is None:
        return Change(area, "added", name, "", _short(b))
    if b is None:
        return Change(area, "removed", name, _short(a))
    return Change(area, "changed", name, _short(a), _short(b))


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        words = [value[key] for key in ("zh", "en") if isinstance(value.get(key), str)]
        return " / ".join(words) or ", ".join(f"{key} {_short(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(_short(one) for one in value) or "–"
    return str(value)
