"""What every error carries: a stable code, a message, a remedy, and whether a retry helps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class PipelineError(Exception):
    """The run could not be completed."""

    code: ClassVar[str] = "pipeline"
    remedy: str = "Look in the log for the support id."
    retry_helps: ClassVar[bool] = False
    unreachable: ClassVar[bool] = False
    """Whether a system could not be reached (exit status 3 on the command line)."""

    def __init__(
        self, message: str = "", *, remedy: str | None = None, ids: Mapping[str, str] | None = None
    ) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.ids = dict(ids or {})
        """Correlation ids that support asks for, such as Graph's request-id."""
        if remedy is not None:
            self.remedy = remedy
        super().__init__(self.message)
