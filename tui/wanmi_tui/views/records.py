"""Everything about one thing as names with texts; and the help."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wanmi_tui.cells import clock
from wanmi_tui.pages import Line, Look
from wanmi_tui.state import TailLine
from wanmi_tui.words import Lang, T, Text, word

_TIMES = ("at", "since", "_until")
_WORDED = {"state", "severity", "health", "power", "what", "quality"}
Pairs = list[tuple[str, str]]

_IN_NOTES = {"zh", "en", "advice_zh", "advice_en", "word_zh", "word_en"}
"""Words in both languages: those of the moment's language stand in the notes above."""
FIELDS: dict[str, Text] = {
    "state": T.state, "reason": T.why, "name": T.name, "id": T.id, "device": T.device, "device_name": T.device, "driver": T.driver,
    "kind": T.kind, "severity": T.severity, "value": T.value, "raw": T.raw, "reading": T.reading, "note": T.note, "edge": T.edge,
    "role": T.role, "parent": T.parent, "version": T.version, "code": T.node, "terminal": T.terminal, "holder": T.holder,
    "battery": T.battery, "queue": T.queue, "size": T.size, "topic": T.topic, "detail": T.detail, "sample": T.sample,
    "report_id": T.number, "at": T.time, "what": T.what, "rule": T.rule, "occurrence": T.occurrence, "raised_at": T.raised,
    "since": T.began, "seen_at": T.seen_at, "heard_at": T.seen_at, "came_at": T.seen_at, "acknowledged_by": T.handled,
    "silenced_until": T.quiet, "settings": T.settings, "failures": T.failures, "samples": T.samples, "retry": T.can_retry,
    "app": T.version, "round_trip_ms": T.trip, "district": T.district, "connected": T.up, "vehicle": T.vehicle, "fix": T.fix,
    "identity": T.identity, "speed_cm_s": T.speed, "course_cdeg": T.course, "satellites": T.satellites, "systems": T.systems,
    "fingerprint": T.fingerprint, "model": T.model, "asked_at": T.asked_at, "expires_at": T.expires_at, "displays": T.displays, "page": T.page, "power": T.supply,
}  # fmt: skip
"""The API's names of fields, in words."""


def record_pairs(line: Line, look: Look) -> Pairs:
    """What the line's record holds, and what its notes say."""
    about = line.about
    notes = [("", note) for note in line.notes if note]
    if isinstance(about, TailLine):
        return [*_entry_pairs(about, look.lang)]
    if isinstance(about, msgspec.Struct):
        return [*notes, *_pairs(msgspec.to_builtins(about), look.lang)]
    return notes


def _entry_pairs(entry: TailLine, lang: Lang) -> Iterator[tuple[str, str]]:
    yield T.seq.to(lang), str(entry.seq)
    yield T.time.to(lang), clock(entry.at, date=True)
    yield T.entry.to(lang), entry.kind or T.redacted.to(lang)
    yield T.subject.to(lang), entry.subject
    yield T.actor.to(lang), entry.actor
    body = msgspec.json.format(entry.text, indent=1) if entry.text.startswith("{") else entry.text
    yield T.body.to(lang), body
    yield T.hash.to(lang), entry.hash


def label(name: str, lang: Lang) -> str:
    """A field of a record in words; what has none keeps the API's name."""
    known = FIELDS.get(name)
    return known.to(lang) if known is not None else name


def _pairs(value: object, lang: Lang, prefix: str = "") -> Pairs:
    """Names with dots; times as clock times; what is empty is left out."""
    if not isinstance(value, dict):
        return []
    found: Pairs = []
    for name, one in value.items():
        if isinstance(one, dict):
            found += _pairs(one, lang, f"{label(str(name), lang)} · ")
        elif one not in (None, "", [], 0) and name not in _IN_NOTES:
            found.append((prefix + label(str(name), lang), _text(str(name), one, lang)))
    return found


def _text(name: str, value: object, lang: Lang) -> str:
    if isinstance(value, bool):
        return T.yes.to(lang)
    if name in _WORDED and isinstance(value, str):
        return word(value, lang)
    if isinstance(value, int) and name.endswith(_TIMES) and value > 10**14:
        return clock(value, date=True)
    return msgspec.json.encode(value).decode() if isinstance(value, list) else str(value)


def help_pairs(lang: Lang) -> Pairs:
    """Keys with what they do."""
    keys = (
        ("1 … 9 0", T.k_sections), ("Tab →  /  ⇧Tab ←", T.k_next), ("↑ ↓ j k PgUp PgDn", T.k_move),
        ("Enter", T.k_open), ("/", T.k_find), ("n", T.k_node), ("a", T.k_ack), ("s", T.k_silence), ("t", T.k_retry),
        ("c", T.k_command), ("w", T.k_wall), ("d", T.k_deny), ("o", T.k_rotate), ("x", T.k_revoke), ("v", T.k_verify), ("y", T.k_copy), ("p", T.k_pause), ("r", T.k_refresh),
        ("Ctrl-P  :", T.k_palette), ("F2", T.k_lang), ("F3", T.k_theme), ("? F1", T.k_help), ("q", T.k_quit),
    )  # fmt: skip
    return [("", T.help_words.to(lang)), *((key, text.to(lang)) for key, text in keys)]
