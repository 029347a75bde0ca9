"""Logging of a process: structlog and the standard library in one stream."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from wanmi.settings import LogSettings

FILE_BYTES = 5_000_000
FILES = 5

SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logging(log: LogSettings, dir: Path) -> None:
    """For ``wanmi run``: standard error as the settings say, and DIR/log/node.log in JSON."""
    _to_standard_library()
    handlers: list[logging.Handler] = [_handler(logging.StreamHandler(sys.stderr), as_json=log.format == "json")]
    if log.file:
        (dir / "log").mkdir(exist_ok=True)
        path = dir / "log" / "node.log"
        file = RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8")
        handlers.append(_handler(file, as_json=True))
    logging.basicConfig(level=log.level.upper(), handlers=handlers, force=True)


def quiet_logging() -> None:
    """For other commands: warnings on standard error, nothing on standard output."""
    _to_standard_library()
    logging.basicConfig(
        level=logging.WARNING, handlers=[_handler(logging.StreamHandler(sys.stderr), as_json=False)], force=True
    )


def _to_standard_library() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _handler(handler: logging.Handler, *, as_json: bool) -> logging.Handler:
    last: list[Any] = (
        [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    return handler
