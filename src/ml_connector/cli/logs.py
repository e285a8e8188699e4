"""Where logs go and how they look: stderr, for people or as one JSON object a line.

Rule: of an exception that nobody expected, places and types are told, never values or words: those may be a record's.
Must not know: what is logged.
"""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog

Form = Literal["text", "json"]
Info = tuple[type[BaseException], BaseException, TracebackType | None]


def set_up_logs(level: str, form: Form = "text") -> None:
    """Send logs of this level and above to stderr."""
    finish: Any = structlog.processors.JSONRenderer(default=str)
    if form == "text":
        finish = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_plain)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([_with_trace] if form == "json" else []),
            finish,
        ],
    )


def adopt_others() -> None:
    """Let what libraries log, from warnings on, look the same."""
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, Forward)] + [Forward(logging.WARNING)]


class Forward(logging.Handler):
    """Hands a library's log on."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        more: Mapping[str, Any] = {"exc_info": record.exc_info[1]} if record.exc_info else {}
        structlog.get_logger(record.name).log(record.levelno, record.getMessage(), logger=record.name, **more)


def _with_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given: Any = event.pop("exc_info", None)
    error: Any = sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event["exception"] = trace_of(error)
    return event


def _plain(out: TextIO, info: Info) -> None:
    out.write(trace_of(info[1]))


def trace_of(error: BaseException | None) -> str:
    """Where an exception came from, and from which others."""
    told: list[str] = []
    while error is not None and len(told) < 5:
        told.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\ncaused by\n".join(told)
