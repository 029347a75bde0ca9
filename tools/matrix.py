"""Write docs/rights.md and tests/rights/matrix.csv from the routes' declarations; look at the difference before you keep it."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MATRIX = ROOT / "tests/rights/matrix.csv"
PAGE = ROOT / "docs/rights.md"


def main() -> int:
    """Write both files and name those that changed."""
    sys.path[:0] = [str(ROOT / shelf) for shelf in ("tests", "core", "edge", "federation", "plugins")]
    rights = importlib.import_module("rights.walk")
    with tempfile.TemporaryDirectory() as folder:
        lines = rights.walk(Path(folder))
        with rights.open_node(Path(folder) / "told", "district") as node:
            told: dict[Path, str] = {MATRIX: rights.as_csv(lines), PAGE: rights.as_docs(lines, node)}
    for path, text in told.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"changed: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
