"""Its tests run where it is installed: tests/core/test_plugins_outside.py installs it and starts them."""

from __future__ import annotations

import importlib.util

collect_ignore = [] if importlib.util.find_spec("wanmi_notes") else ["test_notes.py"]
