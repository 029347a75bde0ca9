"""docs/hotline.md and its schemas say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from wanmi_hotline.events import decode_event
from wanmi_hotline.schemas import schema_files

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_schemas_are_fresh() -> None:
    assert {path.name: path.read_bytes() for path in (DOCS / "hotline").iterdir()} == schema_files()


def test_the_example_is_an_event() -> None:
    text = (DOCS / "hotline.md").read_text(encoding="utf-8")
    found = re.search(r"-d '(\{.*?\})'", text, re.DOTALL)
    assert found is not None
    event = decode_event(found[1].encode())
    assert (event.event, event.seat) == ("ringing", "8001")
    assert set(json.loads(found[1])) <= json.loads(schema_files()["event.json"])["$defs"]["Event"]["properties"].keys()
