"""Message templates: a small part of Jinja2, checked before it is used, in a sandbox when it is. Pure.

A template says values and chooses (``{{ case }}``, ``{% if deadline %}…{% endif %}``, ``{{ text | tojson }}``); it
cannot call, loop, calculate, look into objects or load files, so that whoever writes one can neither read what
was not meant for it nor keep the node busy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from wanmi.errors import BadInput

LONGEST_SOURCE = 8_000
LONGEST_TEXT = 4_000
"""Characters of a template, and of what it says."""
FILTERS = (
    "default",
    "first",
    "join",
    "last",
    "length",
    "lower",
    "title",
    "tojson",
    "trim",
    "truncate",
    "upper",
    "urlencode",
)
TESTS = ("defined", "undefined", "none", "eq", "ne", "in")
NODES = frozenset(
    {
        "Template", "Output", "TemplateData", "Name", "Const", "If", "CondExpr", "Filter", "Test", "Compare", "Operand",
        "And", "Or", "Not", "Keyword", "List", "Tuple",
    }
)  # fmt: skip
Value = str | int | None
Values = Mapping[str, Value]


def check(source: str, known: frozenset[str]) -> None:
    """BadInput, with the line, for a template that does not parse or does what templates may not.

    ``known`` are the values that it may name.
    """
    _compiled(source)
    for node, line in _nodes(source):
        name = type(node).__name__
        if name == "Name" and node.name not in known:
            raise BadInput(f"line {line}: nothing is called {node.name}; known: {', '.join(sorted(known))}")


def render(source: str, values: Values) -> str:
    """What the template says; BadInput when it names something that is not there, or says too much."""
    from jinja2 import TemplateError

    try:
        text = str(_compiled(source).render(dict(values)))
    except (TemplateError, TypeError, ValueError) as error:
        raise BadInput(f"the template cannot be said: {error}") from error
    if len(text) > LONGEST_TEXT:
        raise BadInput(f"the template says {len(text)} characters, at most {LONGEST_TEXT} are sent")
    return text


@lru_cache(maxsize=256)
def _compiled(source: str) -> Any:
    from jinja2 import TemplateError

    for _ in _nodes(source):
        pass
    try:
        return _environment().from_string(source)
    except TemplateError as error:
        raise BadInput(str(error)) from error


def _nodes(source: str) -> Iterator[tuple[Any, int]]:
    """Every node with its line; BadInput for one that templates may not have."""
    from jinja2 import TemplateSyntaxError, nodes

    if len(source) > LONGEST_SOURCE:
        raise BadInput(f"a template has at most {LONGEST_SOURCE} characters, this one {len(source)}")
    try:
        tree = _environment().parse(source)
    except TemplateSyntaxError as error:
        raise BadInput(f"line {error.lineno}: {error.message}") from error
    except RecursionError:
        raise BadInput("the template is nested too deeply") from None
    for node in (tree, *tree.find_all(nodes.Node)):
        _allow(node)
        yield node, node.lineno


def _allow(node: Any) -> None:
    name = type(node).__name__
    if name not in NODES:
        raise BadInput(f"line {node.lineno}: {name.lower()} is not for message templates; see docs/messenger.md")
    if name == "Filter" and node.name not in FILTERS:
        raise BadInput(f"line {node.lineno}: no filter {node.name}; there are {', '.join(FILTERS)}")
    if name == "Filter" and node.name == "tojson" and _has_tojson(node):
        raise BadInput(f"line {node.lineno}: tojson of tojson doubles what it says; once is enough")
    if name == "Test" and node.name not in TESTS:
        raise BadInput(f"line {node.lineno}: no test {node.name}; there are {', '.join(TESTS)}")


def _has_tojson(node: Any) -> bool:
    from jinja2 import nodes

    return any(inner.name == "tojson" for inner in node.find_all(nodes.Filter))


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    environment.filters["tojson"] = _tojson
    return environment


def _tojson(value: object) -> str:
    """Plain JSON: what goes into a gateway's body is no HTML."""
    import json

    return json.dumps(value, ensure_ascii=False)
