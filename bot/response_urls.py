"""The ways back that Slack gives with each gesture: five posts in half an hour, without the bot's token.

Such an address is a key to the conversation for as long as it lives, so none is ever logged, and no error
that leaves this module names one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

import aiohttp

from pipeline.errors import PipelineError


class ResponseUrlGone(PipelineError):
    """Slack no longer takes an answer on this way."""

    code = "response_url_gone"


class ResponseUrlUnreachable(PipelineError):
    """Slack did not take an answer for now."""

    code = "response_url_unreachable"
    retry_helps = True
    unreachable = True


class ResponseUrls:
    """Posts to response URLs. `way_to` says which proxy leads to an address, or None for a direct way."""

    def __init__(self, http: aiohttp.ClientSession, way_to: Callable[[str], str | None]) -> None:
        self._http = http
        self._way_to = way_to

    async def post(self, url: str, body: Mapping[str, object]) -> None:
        """Post one answer. Raises ResponseUrlGone, or ResponseUrlUnreachable where trying again may help."""
        try:
            async with self._http.post(url, json=body, proxy=self._way_to(url)) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError) as error:
            raise ResponseUrlUnreachable(f"Slack did not take an answer: {type(error).__name__}.") from None
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ResponseUrlUnreachable(f"Slack did not take an answer: status {status}.")
        if status != HTTPStatus.OK:
            raise ResponseUrlGone(f"Slack takes no answer there any more: status {status}.")
