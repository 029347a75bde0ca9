"""Three themes, and how tones look in each. A tone is never the only sign: every state has its mark and its word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wanmi_tui.pages import Tone

if TYPE_CHECKING:
    from textual.theme import Theme

NAMES = ("wanmi-dark", "wanmi-light", "wanmi-contrast")
TONES: dict[str, dict[Tone, str]] = {
    "wanmi-dark": {"plain": "", "dim": "#8b97a3", "good": "#7fc97f", "warn": "#f0b429", "bad": "bold #ff6b5e"},
    "wanmi-light": {"plain": "", "dim": "#5b6670", "good": "#1b7837", "warn": "#8a5a00", "bad": "bold #b3261e"},
    "wanmi-contrast": {"plain": "", "dim": "#c0c0c0", "good": "#00ff00", "warn": "bold #ffff00", "bad": "bold reverse #ff8080"},
}  # fmt: skip


def themes() -> list[Theme]:
    """The themes for Textual."""
    from textual.theme import Theme

    return [
        Theme(
            "wanmi-dark", primary="#3f8fd2", secondary="#5fa8a0", accent="#f0b429", foreground="#dfe5ea",
            background="#10161c", surface="#151d25", panel="#1e2a36", success="#7fc97f", warning="#f0b429",
            error="#ff6b5e", dark=True,
        ),
        Theme(
            "wanmi-light", primary="#1f5f99", secondary="#2a7a70", accent="#8a5a00", foreground="#1b232b",
            background="#fbfbf8", surface="#ffffff", panel="#e4eaef", success="#1b7837", warning="#8a5a00",
            error="#b3261e", dark=False,
        ),
        Theme(
            "wanmi-contrast", primary="#00ffff", secondary="#ffffff", accent="#ffff00", foreground="#ffffff",
            background="#000000", surface="#000000", panel="#303030", success="#00ff00", warning="#ffff00",
            error="#ff8080", dark=True,
        ),
    ]  # fmt: skip
