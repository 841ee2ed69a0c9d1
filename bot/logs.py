"""Logs: one line an event, the run id where there is one, never a body, a token or an attribute's value."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

_FRAMES: Final = 12
"""How many frames of a traceback are told, the innermost last."""


class NoBodies(logging.Filter):
    """Drops the lines in which Bolt and the SDK write whole requests, signature and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a record unless it may hold a request's body."""
        return not (record.name.startswith(("slack_bolt", "slack_sdk")) and record.levelno < logging.WARNING)


def without_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an error by its type and the places it passed: its message may hold anybody's data.

    asyncio writes the error into the event itself, from the second line on.
    """
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = " < ".join(type(one).__name__ for one in _chain(error))
        event["at"] = " > ".join(_places(error))
    return event


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and those that led to it."""
    chain = [error]
    while len(chain) < _FRAMES:
        cause = chain[-1].__cause__ or (None if chain[-1].__suppress_context__ else chain[-1].__context__)
        if cause is None or cause in chain:
            break
        chain.append(cause)
    return chain


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__, limit=-_FRAMES)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def set_up_logs(level: int = logging.INFO) -> None:
    """Send every log line to stderr in one format. Called once, by the process."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,  # the run that a line is about
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            without_values,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"]),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(NoBodies())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log the address of every sign-in request
    # The SDK looks at its logger's own level before it writes out every request and answer, to be dropped.
    logging.getLogger("slack_sdk.web.async_base_client").setLevel(logging.WARNING)
    logging.raiseExceptions = False  # logging's complaint about a line that fails holds the line's values
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
