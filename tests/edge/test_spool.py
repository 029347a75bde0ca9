"""The spool of parts: pure of broker and node, on a real directory."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wanmi.reports import CHUNK, PartTopic, chunks_of, digest_of
from wanmi_edge.spool import PartSpool, SpoolLimits

T = "T210102-0001"
MIB = 1024 * 1024
LIMITS = SpoolLimits(part=2 * MIB, total=64 * MIB, reserve=0, life=3600)


def spool(dir: Path, limits: SpoolLimits = LIMITS, now: float = 0.0) -> PartSpool:
    return PartSpool(dir / "parts", limits, lambda: now)


def parts_of(content: bytes, terminal: str = T) -> list[tuple[PartTopic, bytes]]:
    chunks = chunks_of(content)
    return [(PartTopic(terminal, digest_of(content), n, len(chunks)), chunk) for n, chunk in enumerate(chunks)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.sampled_from([0, 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7]), seed=st.integers(0, 10**6))
def test_chunks_in_any_order_with_repeats_make_the_part(tmp_path: Path, size: int, seed: int) -> None:
    lot = random.Random(seed)
    content = lot.randbytes(size)
    sent = parts_of(content, f"T210102-{seed + 1000}") * 2
    lot.shuffle(sent)
    here = spool(tmp_path)
    whole = [here.put(topic, chunk) for topic, chunk in sent]
    topic = sent[0][0]
    assert whole[-1]
    assert here.get(topic.terminal, topic.digest) == content
    here.drop(topic.terminal, topic.digest)
    assert here.get(topic.terminal, topic.digest) is None


def test_a_restart_knows_whole_parts_and_continues_with_chunks(tmp_path: Path) -> None:
    whole, begun = b"w" * 1000, b"b" * (CHUNK + 5)
    first = spool(tmp_path)
    first.put(*parts_of(whole)[0])
    first.put(*parts_of(begun)[0])
    again = spool(tmp_path)
    assert again.get(T, digest_of(whole)) == whole
    assert (again.count, again.size) == (1, 1000 + CHUNK)
    assert again.put(*parts_of(begun)[1])
    assert again.get(T, digest_of(begun)) == begun
    assert again.size == 1000 + CHUNK + 5


def test_a_part_that_the_disk_damaged_is_not_given_out(tmp_path: Path) -> None:
    content = b"photo" * 100
    here = spool(tmp_path)
    here.put(*parts_of(content)[0])
    (file,) = (tmp_path / "parts").rglob("*.part")
    file.write_bytes(content[:-1])
    assert here.get(T, digest_of(content)) is None
    assert not here.has(T, digest_of(content))
    assert here.size == 0


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        (PartTopic(T, digest_of(b"other")), b"content"),
        (PartTopic(T, "ab" * 32), b"x" * (CHUNK + 1)),
        (PartTopic(T, "ab" * 32, 0, 2), b"a chunk that is not the last must be full"),
        (PartTopic(T, "ab" * 32, 0, 60), b"x" * CHUNK),
    ],
    ids=["another digest", "too long", "short chunk", "more than a part may have"],
)
def test_what_does_not_fit_is_not_kept(tmp_path: Path, topic: PartTopic, content: bytes) -> None:
    here = spool(tmp_path)
    assert not here.put(topic, content)
    assert (here.count, here.size) == (0, 0)
    assert not [path for path in (tmp_path / "parts").rglob("*") if path.is_file()]


def test_old_parts_go_and_the_oldest_first_when_there_is_too_much(tmp_path: Path) -> None:
    here = spool(tmp_path, SpoolLimits(part=MIB, total=4000, reserve=0, life=100), now=1000.0)
    contents = [bytes([n]) * 1000 for n in range(4)]
    for n, content in enumerate(contents):
        here.put(*parts_of(content)[0])
        path = tmp_path / "parts" / T / f"{digest_of(content)}.part"
        os.utime(path, (899 if n == 0 else 950 + n,) * 2)
    here.sweep()
    assert [here.has(T, digest_of(content)) for content in contents] == [False, True, True, True]
    newest = b"new" * 700
    here.put(*parts_of(newest)[0])
    here.sweep()
    assert here.has(T, digest_of(newest))
    assert here.size <= 3000


def test_a_full_disk_is_seen(tmp_path: Path) -> None:
    assert not spool(tmp_path).is_full()
    assert spool(tmp_path, SpoolLimits(MIB, MIB, reserve=1 << 60, life=1)).is_full()
