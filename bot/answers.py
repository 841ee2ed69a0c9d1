"""Answers to one person: with the acknowledgement, beside a message, or in a modal."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.access import AccessDecision
from bot.response_urls import ResponseUrls
from bot.slack import rejection
from bot.tasks import Tasks
from bot.views import Message, details, notices
from pipeline.configuration import Right
from pipeline.errors import PipelineError

_log = logging.getLogger(__name__)


def refusal(decision: AccessDecision, right: Right) -> Message:
    """Say no, and whom to ask."""
    return notices.refused(str(right), whom_to_ask(decision), here=decision.here_only)


def whom_to_ask(decision: AccessDecision) -> list[str]:
    """Return the Slack user ids of those who have the right and can help."""
    return [person.partition("/")[2] for person in decision.ask]


class Answers:
    """Tells whoever made a gesture, and nobody else, what came of it."""

    def __init__(self, client: AsyncWebClient, response_urls: ResponseUrls, tasks: Tasks) -> None:
        self._client = client
        self._response_urls = response_urls
        self._tasks = tasks

    async def tell(
        self, ack: AsyncAck, body: Mapping[str, Any], message: Message, title: str = "Not done"
    ) -> BoltResponse:
        """Acknowledge a gesture and answer it.

        A command is answered with the acknowledgement itself; a click beside its message or, in a modal, in
        that modal's place, under `title`.
        """
        if "command" in body:
            return await ack(text=message.text, blocks=message.blocks)
        if body.get("type") == "view_submission":
            return await ack(response_action="update", view=details.told(title, message))
        view_id = (body.get("view") or {}).get("id")
        if body.get("response_url"):
            self.later(self.beside(body, message), "answer a click")
        elif view_id:
            view = details.told(title, message)
            self.later(self._client.views_update(view_id=view_id, view=view), "answer in a modal")
        return await ack()

    async def beside(self, body: Mapping[str, Any], message: Message) -> None:
        """Answer a click beside the message that it was in, for the eyes of whoever clicked."""
        answer = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": message.text,
            "blocks": message.blocks,
        }
        await self._response_urls.post(str(body["response_url"]), answer)

    async def instead(self, body: Mapping[str, Any], message: Message) -> None:
        """Show something else in the place of the message that a click was in, seen by one person alone."""
        answer = {"replace_original": True, "text": message.text, "blocks": message.blocks}
        await self._response_urls.post(str(body["response_url"]), answer)

    def later(self, work: Coroutine[Any, Any, object], what: str) -> None:
        """Start a call to Slack that the acknowledgement does not wait for."""
        self._tasks.start(_logged(work, what), what)


async def _logged(work: Coroutine[Any, Any, object], what: str) -> None:
    try:
        await work
    except SlackApiError as error:
        _log.warning("Slack would not %s: %s", what, rejection(error).code)
    except PipelineError as error:
        _log.warning("Slack would not %s: %s", what, error.message)
    except (aiohttp.ClientError, OSError) as error:
        _log.warning("Slack would not %s: %s", what, type(error).__name__)
