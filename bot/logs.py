"""Logs: one line an event, the run id where there is one, never a body, a token or an attribute's value."""

from __future__ import annotations

import logging
import sys

import structlog


class NoBodies(logging.Filter):
    """Drops the lines in which Bolt and the SDK write whole requests, signature and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a record unless it may hold a request's body."""
        return not (record.name.startswith(("slack_bolt", "slack_sdk")) and record.levelno < logging.WARNING)


def set_up_logs(level: int = logging.INFO) -> None:
    """Send every log line to stderr in one format. Called once, by the process."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "logger", "event"]),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(NoBodies())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log the address of every sign-in request
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
