"""The ``wanmi`` command: the core's commands, and those that installed plugins bring, loaded when they are used."""

from __future__ import annotations

import sys

from wanmi.cli.app import build_app
from wanmi.errors import WanmiError

__all__ = ["build_app", "main"]


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 1, never a traceback."""
    try:
        build_app(complete=False)(prog_name="wanmi")
    except WanmiError as error:
        print("wanmi: " + " ".join(str(error).split()), file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
