"""Every message that the console's source says: from templates and from Python."""

from __future__ import annotations

from importlib.resources import files

from babel.messages.extract import extract
from jinja2 import Environment

ROOT = files("wanmi_console")
PYTHON_MARKS = {"t": None, "n_": None}


def messages() -> set[str]:
    """All msgids of the console."""
    return _of_templates() | _of_python()


def _of_templates() -> set[str]:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found: set[str] = set()
    for file in (ROOT / "templates").iterdir():
        source = file.read_text(encoding="utf-8")
        for _, _, message in environment.extract_translations(source):
            found |= {part for part in ((message,) if isinstance(message, str) else message) if part is not None}
    return found


def _of_python() -> set[str]:
    found: set[str] = set()
    for file in ROOT.iterdir():
        if not file.name.endswith(".py"):
            continue
        with file.open("rb") as opened:
            extracted = list(extract("python", opened, keywords=PYTHON_MARKS, options={"encoding": "utf-8"}))
        found |= {message for _, message, _, _ in extracted if isinstance(message, str)}
    return found
