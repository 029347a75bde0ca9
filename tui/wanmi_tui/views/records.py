"""Everything about one thing as names with texts; and the help."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wanmi_tui.cells import clock
from wanmi_tui.pages import Line, Look
from wanmi_tui.state import TailLine
from wanmi_tui.words import Lang, T

_TIMES = ("at", "since", "_until")
Pairs = list[tuple[str, str]]


def record_pairs(line: Line, look: Look) -> Pairs:
    """What the line's record holds, and what its notes say."""
    about = line.about
    notes = [("", note) for note in line.notes if note]
    if isinstance(about, TailLine):
        return [*_entry_pairs(about, look.lang)]
    if isinstance(about, msgspec.Struct):
        other = "en" if look.lang == "zh" else "zh"
        return [
            *notes,
            *(
                pair
                for pair in _pairs(msgspec.to_builtins(about))
                if pair[0] != other and not pair[0].endswith(f"_{other}")
            ),
        ]
    return notes


def _entry_pairs(entry: TailLine, lang: Lang) -> Iterator[tuple[str, str]]:
    yield T.seq.to(lang), str(entry.seq)
    yield T.time.to(lang), clock(entry.at, date=True)
    yield T.entry.to(lang), entry.kind or T.redacted.to(lang)
    yield T.subject.to(lang), entry.subject
    yield T.actor.to(lang), entry.actor
    body = msgspec.json.format(entry.text, indent=1) if entry.text.startswith("{") else entry.text
    yield "body", body
    yield "hash", entry.hash


def _pairs(value: object, prefix: str = "") -> Pairs:
    """Names with dots; times as clock times; what is empty is left out."""
    if not isinstance(value, dict):
        return []
    found: Pairs = []
    for name, one in value.items():
        if isinstance(one, dict):
            found += _pairs(one, f"{prefix}{name}.")
        elif one not in (None, "", [], 0):
            found.append((prefix + str(name), _text(str(name), one)))
    return found


def _text(name: str, value: object) -> str:
    if isinstance(value, int) and name.endswith(_TIMES) and value > 10**14:
        return clock(value, date=True)
    return msgspec.json.encode(value).decode() if isinstance(value, list) else str(value)


def help_pairs(lang: Lang) -> Pairs:
    """Keys with what they do."""
    keys = (
        ("1 … 9 0", T.k_sections), ("Tab →  /  ⇧Tab ←", T.k_next), ("↑ ↓ j k PgUp PgDn", T.k_move),
        ("Enter", T.k_open), ("/", T.k_find), ("n", T.k_node), ("a", T.k_ack), ("s", T.k_silence), ("t", T.k_retry),
        ("c", T.k_command), ("v", T.k_verify), ("y", T.k_copy), ("p", T.k_pause), ("r", T.k_refresh),
        ("Ctrl-P  :", T.k_palette), ("F2", T.k_lang), ("F3", T.k_theme), ("? F1", T.k_help), ("q", T.k_quit),
    )  # fmt: skip
    return [("", T.help_words.to(lang)), *((key, text.to(lang)) for key, text in keys)]
