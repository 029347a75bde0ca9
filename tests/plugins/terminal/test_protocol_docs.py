"""docs/terminal-protocol.md and docs/schemas say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from plugins.terminal.protocol_example import DISTRICT_KEY, REPORT, blocks, reasons
from wanmi.reports import (
    Answer,
    Attachment,
    Limits,
    Receipt,
    Report,
    Seen,
    Task,
    TaskRef,
    TrackBatch,
    WireMessage,
    chunks_of,
    decode_receipt,
    is_safe,
    read_card,
)
from wanmi.reports.envelope import MAX_ENVELOPE, MAX_MESSAGE
from wanmi.reports.presence import Doubt, PresenceRules
from wanmi.reports.tasks import MAX_SEEN, MAX_TASK
from wanmi.reports.topics import CHUNK, MAX_CHUNKS
from wanmi.reports.tracks import MAX_FIXES
from wanmi_edge.task_sender import FIRST, LONGEST
from wanmi_terminal.link import IN_FLIGHT, KEEPALIVE_S, SESSION_S
from wanmi_terminal.nmea import FixFilter
from wanmi_terminal.schedule import Retry
from wanmi_terminal.schemas import schema_files

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "terminal-protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(blocks()))
def test_the_example_is_computed(name: str) -> None:
    block = "".join(f"    {line}\n" for line in blocks()[name])
    assert f"\n\n{block}\n" in PAGE


def test_the_example_verifies_as_the_page_says() -> None:
    receipt = decode_receipt(blocks()["SAFE"][0].encode())
    assert is_safe(receipt, DISTRICT_KEY.public_key().public_bytes_raw())
    assert read_card(blocks()["CARD"][0]).terminal == REPORT.terminal


def test_every_reason_is_in_the_table() -> None:
    assert f"|---|---|---|---|---|\n{reasons()}\n\n" in PAGE


@pytest.mark.parametrize("kind", [Report, Attachment, WireMessage, Receipt, Task, TaskRef, Seen, Answer, TrackBatch])
def test_every_key_is_told(kind: type[msgspec.Struct]) -> None:
    told = {
        key for row in re.findall(r"^\| (`[a-z0-9_`, ]+`) \|", PAGE, re.MULTILINE) for key in re.findall(r"\w+", row)
    }
    assert set(kind.__struct_fields__) <= told


def test_every_doubt_is_told_with_its_number() -> None:
    rules = PresenceRules()
    numbers = {
        Doubt.TOO_FAR: f"more than {rules.far_m} m",
        Doubt.NOT_NEAR: f"more than {rules.near_m} m",
        Doubt.POOR_ACCURACY: f"more than {rules.accuracy_m} m",
        Doubt.FEW_SATELLITES: f"fewer than {rules.satellites}",
        Doubt.OLD_FIX: f"more than {rules.fix_age_s} s",
        Doubt.FIX_AFTER: f"more than {rules.ahead_s} s",
        Doubt.FAST: f"more than {rules.fast_mps} m/s",
        Doubt.IMPOSSIBLE_SPEED: f"more than {rules.fastest_mps} m/s",
        Doubt.NOT_GNSS: "`network` or `manual`",
    }
    for doubt in Doubt:
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{doubt}` | {doubt.grade} |")]
        assert numbers[doubt] in row


def test_every_number_of_tasks_is_told() -> None:
    for sentence in (
        f"at most {MAX_SEEN} tasks",
        f"after {FIRST:.0f} s, then 20 s, 40 s … up to {LONGEST:.0f} s",
        f"at most {MAX_FIXES} positions",
        f"| task, list of tasks | {MAX_TASK:,} bytes |",
    ):
        assert sentence in PAGE


def test_every_number_is_told() -> None:
    limits, retry, fixes = Limits(), Retry(), FixFilter()
    for sentence in (
        f"| envelope | {MAX_ENVELOPE:,} bytes |",
        f"| report message with inline parts | {MAX_MESSAGE:,} bytes |",
        f"| part payload (chunk) | {CHUNK:,} bytes |",
        f"| chunks of a part | {MAX_CHUNKS} |",
        f"| photo, sound | {limits.photo_bytes // 2**20} MiB |",
        f"| text with its salt | {limits.text_bytes:,} bytes |",
        f"| clock ahead | {limits.ahead_us // 60_000_000} minutes |",
        f"| keep alive | {KEEPALIVE_S} s |",
        f"session expiry interval {SESSION_S} s",
        f"at most {IN_FLIGHT} unacknowledged",
        f"wait {retry.settle} s after CONNACK",
        f"again {retry.unkept:.0f} s after the PUBACK",
        f"Kept but not safe: again after {retry.kept:.0f} s",
        f"reason that may pass: again after {retry.later:.0f} s",
        f"up to {retry.longest:.0f} s",
        f"connects again after {retry.reconnect} s, then doubles the pause up to {retry.reconnect_longest:.0f} s",
        f"older than {fixes.stale_us // 1_000_000} s",
        f"more than {fixes.fastest} m/s",
    ):
        assert sentence in PAGE
    assert len(chunks_of(bytes(limits.photo_bytes))) <= MAX_CHUNKS


def test_the_schemas_are_fresh() -> None:
    """Written by `wanmi terminal schemas docs/schemas`."""
    written = {path.name: path.read_bytes() for path in (DOCS / "schemas").iterdir()}
    assert written == schema_files()


def test_the_schemas_fit_the_example() -> None:
    schemas = {name: json.loads(content) for name, content in schema_files().items()}
    report = schemas["report.json"]["$defs"]["Report"]
    assert set(report["required"]) == set(msgspec.to_builtins(REPORT)) == set(report["properties"])
    assert report["additionalProperties"] is False
    assert all("(?!" not in content.decode() for content in schema_files().values())
