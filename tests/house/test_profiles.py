"""No rule of one city in code: a node's words, codes and limits are those of its active profile, or of the case's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from house.tree import is_product, modules

SHIPPED = ("core/wanmi/codes/", "core/wanmi/profiles/", "core/wanmi/cases/table.py")
"""Who may read the shipped data: the readers themselves, and the store that falls back on them."""
LOADERS = {("Profile", "load"), ("StepTable", "load"), ("CodeMap", "load")}
CODES = {"ComponentId", "EventCode", "CaseNumber"}
"""Codes whose width a profile decides: made and read only with one."""


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, str]]:
    """Each call of a name's method: ``Profile.load()``."""
    for node in ast.walk(tree):
        function = getattr(node, "func", None)
        if isinstance(node, ast.Call) and isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            yield node, function.value.id, function.attr


def elsewhere() -> Iterator[tuple[str, ast.Module]]:
    return ((name, tree) for name, tree in modules().items() if is_product(name) and not name.startswith(SHIPPED))


def test_only_the_store_of_profiles_reads_the_shipped_one() -> None:
    found = [
        f"{name}:{node.lineno} {of}.{what}"
        for name, tree in elsewhere()
        for node, of, what in calls(tree)
        if (of, what) in LOADERS
    ]
    assert found == [], "ask ProfileStore(node): active(), of(case's version), held(…) for words"


def test_codes_are_read_and_made_with_a_profile() -> None:
    found = [
        f"{name}:{node.lineno} {of}.{what}"
        for name, tree in elsewhere()
        for node, of, what in calls(tree)
        if of in CODES and what in {"parse", "of", "check"}
        if not any(one.arg == "profile" for one in node.keywords) and len(node.args) < 2
    ]
    assert found == [], "their width is the profile's: pass it"


def test_no_profile_is_named_outside_the_data_s_readers() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in elsewhere()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in {"cjt-2007", "gbt-47678"}
    ]
    assert found == [], "which profile holds is the city's to say (wanmi profile activate)"
