"""Write docs/rights.md and tests/rights/matrix.csv from the routes' declarations; look at the difference before you keep it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MATRIX = ROOT / "tests/rights/matrix.csv"
PAGE = ROOT / "docs/rights.md"


def main() -> int:
    """Write both files and name those that changed."""
    sys.path[:0] = [str(ROOT / shelf) for shelf in ("tests", "core", "edge", "federation", "plugins")]
    from rights.walk import as_csv, as_docs, open_node, walk

    with tempfile.TemporaryDirectory() as folder:
        lines = walk(Path(folder))
        with open_node(Path(folder) / "told", "district") as node:
            told = {MATRIX: as_csv(lines), PAGE: as_docs(lines, node)}
    for path, text in told.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"changed: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
