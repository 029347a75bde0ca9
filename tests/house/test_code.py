"""How the code reads: short, nothing caught that nobody understands, nothing left for later."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from house.tree import is_product, modules, texts

MODULE_LINES = 400
FUNCTION_LINES = 60

BORDERS = {
    "edge/wanmi_edge/devices/talking.py::Talk.run": "a supervised task: one device's driver",
    "core/wanmi/plugins/hooks.py::HookCaller._ask": "a plugin's call: one hook of one plugin",
    "core/wanmi/node/health.py::_read_probe": "a plugin's call: a health probe",
    "core/wanmi/journal/projecting.py::Projector._apply": "a plugin's call: a projection; the entry is quarantined",
    "core/wanmi/journal/reactors.py::ReactorLoop._decide": "a plugin's call: a reactor's decision",
    "core/wanmi/journal/reactors.py::ReactorLoop.run": "a supervised task: the reactors' loop",
    "core/wanmi/node/tasks.py::Supervisor._supervise": "a supervised task: any other",
    "core/wanmi/store/writer.py::Writer._commit": "handed on: the error is raised where somebody waits for the commit",
    "core/wanmi/testing.py::running.work": "handed on: the error is raised in the test's thread",
}
"""Where anything may be caught, and why: a plugin's call, a supervised task, a request (each logs by name), or to be
raised again in the thread that waits for it."""

OWN = "tests/house/"
"""These files spell out what they look for."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def lines_of(function: Function) -> int:
    """Lines from `def` to the end, without the docstring."""
    first = function.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if told else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_modules_are_short() -> None:
    lengths = {name: texts()[name].count("\n") for name in modules()}
    long = {name: n for name, n in lengths.items() if n > MODULE_LINES}
    assert long == {}, f"over {MODULE_LINES} lines; split by subject"


def test_functions_are_short() -> None:
    long = {
        f"{name}:{function.lineno} {function.name}": lines_of(function)
        for name, tree in modules().items()
        for function in functions(tree)
        if lines_of(function) > FUNCTION_LINES
    }
    assert long == {}, f"over {FUNCTION_LINES} lines; a function does one thing"


def is_broad(kind: ast.expr | None) -> bool:
    """True for no type, Exception, BaseException, or a tuple with one of them."""
    if isinstance(kind, ast.Tuple):
        return any(is_broad(one) for one in kind.elts)
    return kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))


def broad_catches(tree: ast.AST, inside: str = "") -> Iterator[tuple[str, int]]:
    """Function and line of each handler, or contextlib.suppress, that takes anything and does not raise again."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ExceptHandler) and is_broad(node.type) and not isinstance(node.body[-1], ast.Raise):
            yield inside, node.lineno
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress") and any(map(is_broad, node.args)):
            yield inside, node.lineno
        named = isinstance(node, Function | ast.ClassDef)
        yield from broad_catches(node, f"{inside}.{node.name}".lstrip(".") if named else inside)  # type: ignore[attr-defined]


def test_only_the_borders_catch_anything() -> None:
    caught = {
        f"{name}::{inside}": line
        for name, tree in modules().items()
        if is_product(name)
        for inside, line in broad_catches(tree)
    }
    strangers = {place: line for place, line in caught.items() if place not in BORDERS}
    assert strangers == {}, "name the errors that are meant; only the borders in BORDERS may catch anything"
    assert set(BORDERS) <= set(caught), "a border in BORDERS is gone"


def found(pattern: str, *, suffix: str = "") -> list[str]:
    """`file:line text` of each line that matches, the house tests themselves left out."""
    regex = re.compile(pattern)
    return [
        f"{name}:{n} {line.strip()[:100]}"
        for name, text in texts().items()
        if name.endswith(suffix) and not name.startswith(OWN)
        for n, line in enumerate(text.splitlines(), 1)
        if regex.search(line)
    ]


def test_nothing_is_left_for_later() -> None:
    assert found(r"\b(TODO|FIXME|XXX|HACK)\b") == []


def test_no_test_is_skipped() -> None:
    assert found(r"pytest\.(skip|xfail|importorskip)\b|mark\.(skip|skipif|xfail)\b|unittest\.skip", suffix=".py") == []


def test_imports_are_not_hidden_from_the_linter() -> None:
    assert found(r"#\s*(ruff|flake8|mypy):\s*(noqa|ignore-errors)", suffix=".py") == []
