"""A failing run with as few faults as still make it fail: half of them left out, a quarter, and so on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from faults.plan import Plan
from faults.watch import Breach

Try = Callable[[Plan, int], object]
"""Runs a plan (the number says which try it is); raises Breach."""


def shrunk(plan: Plan, run: Try) -> Plan:
    """The plan with the fewest faults that was found to fail; as it came when it does not fail at all."""
    tries = iter(range(1, 10_000))
    kept = sorted(plan.only) if plan.only is not None else list(range(len(plan.faults)))
    size = max(1, len(kept) // 2)
    if not _fails(plan, kept, run, next(tries)):
        return plan
    while kept:
        smaller = next(
            (
                rest
                for start in range(0, len(kept), size)
                if _fails(plan, rest := kept[:start] + kept[start + size :], run, next(tries))
            ),
            None,
        )
        if smaller is not None:
            kept = smaller
        elif size == 1:
            break
        size = max(1, min(size, len(kept)) // (1 if smaller is not None else 2))
    return replace(plan, only=frozenset(kept))


def _fails(plan: Plan, kept: list[int], run: Try, n: int) -> bool:
    try:
        run(replace(plan, only=frozenset(kept)), n)
    except Breach:
        return True
    return False
