"""``python -m wanmi.cli``."""

from wanmi.cli import main

main()
