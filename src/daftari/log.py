"""
Structured log lines to standard error: JSON, or pretty on a terminal. Never a row's value.

structlog is imported with the first logger: most commands log nothing, and it takes as long as a connection does.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """How lines are to be written, from the next logger on."""

    level: str = "info"
    style: str = "auto"
    redact: Processor | None = None


_wanted = [_Wanted()]


def configure_logging(*, level: str = "info", style: str = "auto", redact: Processor | None = None) -> None:
    """
    Set up logging for the process. *style* is auto (pretty on a terminal), json or pretty.

    *redact* is the last to see a line before it is written.
    """
    # A lost connection is our error to report; what psycopg warns of while it is closed is an echo of that.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    _wanted[0] = _Wanted(level=level, style=style, redact=redact)
    if "structlog" in sys.modules:  # there may be loggers, and they are to write by this at once
        _set_up(_wanted[0])


def get(**bound: object) -> FilteringBoundLogger:
    """Return a logger whose every line carries *bound*: names and counts, never values of rows."""
    import structlog

    if not structlog.is_configured():
        _set_up(_wanted[0])
    return cast("FilteringBoundLogger", structlog.get_logger(**bound))


def _set_up(wanted: _Wanted) -> None:
    import structlog

    pretty = wanted.style == "pretty" or (wanted.style == "auto" and sys.stderr.isatty())
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
            *([wanted.redact] if wanted.redact else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[wanted.level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _name_the_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep an exception's class alone: the text of a database error quotes the row that caused it."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()[1]
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["error"] = type(raised).__name__
    return event
