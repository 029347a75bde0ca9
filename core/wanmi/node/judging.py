"""Whether a settings change can be: at the district as early as it can be known, at the edge for certain.

A secret is no matter for an entry: what is named like one, is declared as one or looks like one is changed at the machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from wanmi.errors import BadInput, NeedsExtra, SettingsError, WanmiError
from wanmi.identity import ParentUrl
from wanmi.node.changing import SECRET, candidate, changed, own, place_of, refuse_environment
from wanmi.settings import ROLE_PLUGINS, Settings
from wanmi.settings_kinds import LONGEST_REASON, MOST_CHANGES, SettingChange

if TYPE_CHECKING:
    from wanmi.registry import NodeContext

_CREDENTIALS = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_PARENT = "link.parent"
_SCALARS = (bool, int, float, str, type(None))


def early_faults(node: NodeContext, changes: Sequence[SettingChange]) -> list[str]:
    """At the district: what is wrong with a change for an edge, whatever the edge's other settings are."""
    faults = [fault for change in changes for fault in _faults(change, node.code)]
    if faults:
        return faults
    models, all_known = _models(node)
    return [fault for change in changes for fault in _unfit(change, models, all_known)]


def staged_text(node: NodeContext, text: str, changes: Sequence[SettingChange]) -> str:
    """At the edge: its node.toml with the changes made, tried with its own plugins. Refused names every reason."""
    try:
        settings, _ = candidate(node, text)
    except WanmiError as error:
        raise Refused([f"the settings in force cannot be read: {error}"]) from error
    values = settings.model_dump(mode="json")
    reasons = [fault for change in changes for fault in _faults(change, node.parent or "")]
    reasons = reasons or [fault for change in changes for fault in _misses(change, type(settings), values)]
    if reasons:
        raise Refused(reasons)
    try:
        for change in changes:
            text = changed(text, *place_of(change.key), json.loads(change.new))
        candidate(node, text)
    except WanmiError as error:
        raise Refused([str(error)]) from error
    return text


class Refused(BadInput):
    """A change that the edge does not make; ``reasons`` as an entry holds them."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = [reason[:LONGEST_REASON] for reason in reasons[:MOST_CHANGES]]


def _faults(change: SettingChange, parent: str) -> Iterator[str]:
    """What is wrong with the key and the value as such; ``parent`` is the code of the edge's parent."""
    try:
        place_of(change.key)
        old, new = _plain_value(change.key, change.old), _plain_value(change.key, change.new)
        if new is None:
            raise BadInput(f"{change.key}: cannot be unset by an order; give it a value")
        if SECRET.search(change.key) or _CREDENTIALS.search(change.old + change.new):
            raise BadInput(f"{change.key}: may be a secret, which no entry holds; change it at the edge itself")
        if old == new:
            raise BadInput(f"{change.key}: the new value is the old one")
        if change.key == _PARENT:
            _check_parent(new, parent)
    except BadInput as error:
        yield str(error)


def _plain_value(key: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        raise BadInput(f"{key}: {text[:40]!r} is no JSON value") from None
    if all(isinstance(one, _SCALARS) for one in (value if isinstance(value, list) else [value])):
        return value
    raise BadInput(f"{key}: only texts, numbers, true and false, and lists of them are ordered; {text[:40]} is neither")


def _check_parent(value: object, parent: str) -> None:
    """A node's parent stays; where it is reached and by which keys may change."""
    named = ParentUrl.parse(value if isinstance(value, str) else "")
    if named.code != parent:
        raise BadInput(f"{_PARENT}: names node {named.code}; the edge's parent is {parent} and stays so")


def _misses(change: SettingChange, model: type[BaseModel], values: Mapping[str, Any]) -> Iterator[str]:
    """What speaks against a change at this very edge: its environment, its models, the values that it has."""
    field, value = _field_at(model, change.key), _value_at(values, change.key)
    try:
        refuse_environment(change.key)
        if field is None:
            raise BadInput(f"{change.key}: no such setting here")
        _refuse_secret(change.key, field)
        if value != json.loads(change.old):
            raise BadInput(f"{change.key}: is {json.dumps(value, ensure_ascii=False)} here, not {change.old}")
    except BadInput as error:
        yield str(error)


def _models(node: NodeContext) -> tuple[dict[str, type[BaseModel]], bool]:
    """The sections that an edge may have, and whether all of an edge's plugins could be asked for theirs."""
    from wanmi.node.node import load_enabled, new_registry

    fields = Settings.model_fields.items()
    models: dict[str, Any] = {name: field.annotation for name, field in fields if _is_model(field.annotation)}
    loaded, missing = [], False
    for name in ROLE_PLUGINS["edge"]:
        try:
            loaded += load_enabled([name], "edge", own(node).given)
        except (NeedsExtra, SettingsError):
            missing = True
    sections = {**new_registry(loaded).sections, **node.registry.sections}
    models |= {name: section.model for name, section in sections.items()}
    return models, not missing


def _unfit(change: SettingChange, models: Mapping[str, type[BaseModel]], all_known: bool) -> Iterator[str]:
    """Why the value does not fit the setting; nothing where only the edge can tell."""
    top, *path = change.key.split(".")
    if top not in models:
        if all_known:
            yield f"{change.key}: no plugin of an edge has a section {top} (there are {', '.join(sorted(models))})"
        return
    field = _field_at(models[top], ".".join(path))
    if field is None:
        yield f"{change.key}: no such setting; docs/reference/settings.md has all"
        return
    try:
        _refuse_secret(change.key, field)
    except BadInput as error:
        yield str(error)
        return
    yield from _invalid(change, models[top], path)


def _invalid(change: SettingChange, model: type[BaseModel], path: Sequence[str]) -> Iterator[str]:
    """What the model says to this value. What it says to others, or to all together, depends on the edge's."""
    given: Any = json.loads(change.new)
    for name in reversed(path):
        given = {name: given}
    try:
        model.model_validate(given)
    except ValidationError as error:
        for one in error.errors():
            if list(one["loc"][: len(path)]) == list(path):
                yield f"{change.key}: {one['msg'].removeprefix('Value error, ')}"


def _refuse_secret(key: str, field: FieldInfo) -> None:
    if not field.repr or SecretStr in (field.annotation, *get_args(field.annotation)):
        raise BadInput(f"{key}: is a secret, which no entry holds; change it at the edge itself")


def _field_at(model: type[BaseModel], key: str) -> FieldInfo | None:
    """The field of that dotted name, None where there is none or it is a table."""
    *tables, name = key.split(".")
    for table in tables:
        inner = model.model_fields[table].annotation if table in model.model_fields else None
        if not _is_model(inner):
            return None
        model = inner  # type: ignore[assignment]
    field = model.model_fields.get(name)
    return None if field is None or _is_model(field.annotation) else field


def _value_at(values: Mapping[str, Any], key: str) -> Any:
    found: Any = values
    for name in key.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
