"""
Structured log lines to standard error: JSON, or pretty on a terminal. Never a row's value.

structlog is imported with the first logger: most commands log nothing, and the import is slow.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger


@dataclass(frozen=True, kw_only=True)
class _LogOptions:
    """How the next logger writes its lines."""

    level: str = "info"
    style: str = "auto"
    redact: Processor | None = None


_options = [_LogOptions()]


def configure_logging(*, level: str = "info", style: str = "auto", redact: Processor | None = None) -> None:
    """
    Set up logging for the process. *style* is auto (pretty on a terminal), json or pretty.

    *redact* is the last processor before a line is written.
    """
    # We report a lost connection ourselves; psycopg's warnings while closing it would repeat that.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    _options[0] = _LogOptions(level=level, style=style, redact=redact)
    if "structlog" in sys.modules:  # existing loggers must use the new options at once
        _set_up(_options[0])


def get(**bound: object) -> FilteringBoundLogger:
    """Return a logger that adds *bound* to every line: names and counts, never values of rows."""
    import structlog

    if not structlog.is_configured():
        _set_up(_options[0])
    return cast("FilteringBoundLogger", structlog.get_logger(**bound))


def _set_up(options: _LogOptions) -> None:
    import structlog

    pretty = options.style == "pretty" or (options.style == "auto" and sys.stderr.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if pretty
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _name_the_exception,
            *([options.redact] if options.redact else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[options.level.upper()]
        ),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is when the line is written
        cache_logger_on_first_use=False,
    )


def _name_the_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep only an exception's class: the text of a database error quotes the row that caused it."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()[1]
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["error"] = type(raised).__name__
    return event
