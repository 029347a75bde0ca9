"""Fuzzes every decoder with damaged recordings: inputs, how many were read, rate; a failing input with its command.

PYTHONPATH=tests .venv/bin/python -m fuzz [NAME ...] [--inputs N] [--seed S]
PYTHONPATH=tests .venv/bin/python -m fuzz NAME --hex HEX      one input again, with its traceback
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from functools import partial

from fuzz.every import every_target, find_target
from fuzz.target import Crash, Told, run

MILLION = 1_000_000


def one(name: str, count: int, seed: int) -> Told | str:
    """A run in a process of its own; the words of its crash."""
    try:
        return run(find_target(name), count, seed)
    except Crash as crash:
        return str(crash)


def main() -> int:
    """Run the named targets, or all; 1 when one crashed."""
    names = [target.name for target in every_target()]
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzzes decoders with damaged recordings.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; default all")
    parser.add_argument("--inputs", type=int, default=MILLION, help=f"for each, default {MILLION:,}")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same inputs; default 1")
    parser.add_argument("--hex", help="take this one input")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes; default one a core")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(names)):
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(names)}")
    if asked.hex is not None:
        target = find_target(*asked.names)
        try:
            target.take(bytes.fromhex(asked.hex))
        except target.refusals as refusal:
            print(f"refused: {refusal}")
        return 0
    crashed = False
    with multiprocessing.get_context("fork").Pool(asked.workers) as pool:
        work = partial(one, count=asked.inputs, seed=asked.seed)
        for told in pool.imap_unordered(work, asked.names or names):
            crashed |= isinstance(told, str)
            print(told if isinstance(told, str) else line(told), flush=True)
    return int(crashed)


def line(told: Told) -> str:
    """One line of the report."""
    rate = told.inputs / max(told.seconds, 1e-9)
    share = 100 * told.read / max(told.inputs, 1)
    return f"{told.name:16} {told.inputs:>10,} inputs  {share:5.1f} % read  {told.seconds:6.0f} s  {rate:>8,.0f}/s"


if __name__ == "__main__":
    sys.exit(main())
