"""What is fuzzed: a decoder, bytes that it reads, and what it may answer to others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import process_time

from fuzz.mutating import inputs


@dataclass(frozen=True)
class Target:
    """``take`` reads bytes and looks at what came out; ``refusals`` are the errors that it may answer with."""

    name: str
    seeds: Sequence[bytes]
    take: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]


@dataclass(frozen=True)
class Told:
    """How a run went: inputs, how many of them were read, seconds of processor."""

    name: str
    inputs: int
    read: int
    seconds: float


class Crash(AssertionError):
    """A decoder raised what it must not, or gave what it must not; says how to see it again."""


def run(target: Target, count: int, seed: int) -> Told:
    """Take so many inputs; Crash at the first that fails."""
    began, read = process_time(), 0
    for number, data in enumerate(first(target, count, seed)):
        try:
            target.take(data)
        except target.refusals:
            continue
        except Exception as error:
            raise Crash(told(target, number, data, error)) from error
        read += 1
    return Told(target.name, count, read, process_time() - began)


def first(target: Target, count: int, seed: int) -> Iterator[bytes]:
    """The inputs of a run."""
    made = inputs(target.seeds, seed)
    for _ in range(count):
        yield next(made)


def told(target: Target, number: int, data: bytes, error: Exception) -> str:
    """The failing input and the command that takes it again."""
    return (
        f"{target.name}: input {number} gives {type(error).__name__}: {error}\n"
        f"  again: PYTHONPATH=tests .venv/bin/python -m fuzz {target.name} --hex {data.hex() or repr('')}"
    )
