"""One message a run, posted once and updated in place; the newest state wins and the final one always comes.

The pipeline never waits here: `changed` only leaves the newest state. Each message has a task of its own that
posts when the first check is done (or after a moment), updates at most once a second, and keeps at the final
state until Slack has taken it. No in-between update is begun when the run is about to end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.tasks import Tasks
from bot.views import Message
from pipeline.ids import RunId
from pipeline.model import Outcome, Run, StageName, StageStatus

FIRST_S: Final = 0.05
"""How long the first post waits for the import, so that it can show a check mark already."""

BETWEEN_S: Final = 1.0
"""Slack's own advice: not more than one update a second for one message."""

GIVE_UP_S: Final = 900.0
"""How long a final state is kept being sent while Slack is away."""

_NOT_HERE: Final = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action"})
"""Errors of chat.postMessage that say: the bot cannot post here, however often it tries."""

INVITE: Final = "To follow a run step by step in this channel, invite the bot: `/invite @fourcheck`."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run is shown: the channel, the message once there is one, and the way back to who asked."""

    channel: str
    user: str
    response_url: str | None = None
    ts: str | None = None

    def document(self) -> dict[str, object]:
        """Return the place as the store keeps it."""
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> Place:
        """Read a place back from the store."""
        return Place(document["channel"], document["user"], document.get("response_url"), document.get("ts"))


class NoticeStore(Protocol):
    """What the messages need of the store."""

    async def save_notice(self, run_id: RunId, document: Mapping[str, object]) -> None:
        """Remember where a run is shown."""
        ...


class Messages:
    """The messages of all runs that are under way. Fulfils the pipeline's port `Events`."""

    def __init__(
        self,
        client: AsyncWebClient,
        http: aiohttp.ClientSession,
        store: NoticeStore,
        tasks: Tasks,
        render: Callable[[Run], Message],
    ) -> None:
        self._client = client
        self._http = http
        self._store = store
        self._tasks = tasks
        self._render = render
        self._open: dict[RunId, _RunMessage] = {}

    def show(self, run_id: RunId, place: Place) -> None:
        """Show this run's progress at this place from now on."""
        message = _RunMessage(self, run_id, place)
        self._open[run_id] = message
        self._tasks.start(self._keep(run_id, message), f"message of run {run_id}")

    async def changed(self, run: Run) -> None:
        """Take the newest state of a run."""
        message = self._open.get(run.run_id)
        if message is not None:
            message.offer(run)

    async def _keep(self, run_id: RunId, message: _RunMessage) -> None:
        try:
            await message.keep()
        finally:
            self._open.pop(run_id, None)

    async def post(self, place: Place, run: Run) -> str:
        """Post a run's message; returns its timestamp."""
        message = self._render(run)
        answer = await self._client.chat_postMessage(
            channel=place.channel,
            text=message.text,
            blocks=message.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    async def update(self, place: Place, run: Run) -> None:
        """Bring a run's message to a new state."""
        message = self._render(run)
        await self._client.chat_update(
            channel=place.channel, ts=str(place.ts), text=message.text, blocks=message.blocks
        )

    async def respond(self, place: Place, run: Run) -> None:
        """Show the final state where the bot is no member, through the command's own response URL."""
        if place.response_url is None:
            return
        message = self._render(run)
        bodies: tuple[dict[str, object], ...] = (
            {"response_type": "in_channel", "text": message.text, "blocks": message.blocks},
            {"response_type": "ephemeral", "text": INVITE},
        )
        for body in bodies:
            async with self._http.post(place.response_url, json=body) as answer:
                answer.raise_for_status()

    async def remember(self, run_id: RunId, place: Place) -> None:
        """Store where a run is shown."""
        await self._store.save_notice(run_id, place.document())


class _RunMessage:
    """One run's message: the newest state offered, and the task that shows it."""

    def __init__(self, messages: Messages, run_id: RunId, place: Place) -> None:
        self._messages = messages
        self._run_id = run_id
        self._place = place
        self._newest: Run | None = None
        self._shown: Run | None = None
        self._woken = asyncio.Event()

    def offer(self, run: Run) -> None:
        self._newest = run
        self._woken.set()

    async def keep(self) -> None:
        """Show every state worth showing, until the final one is on show."""
        await self._wait_for_first()
        loop = asyncio.get_running_loop()
        sent_at = -BETWEEN_S
        trying_since: float | None = None
        while self._shown is None or self._shown.ended_at is None:
            await self._wait_until_due(sent_at + BETWEEN_S)
            run = self._newest
            if run is None or run is self._shown:
                continue
            sent_at = loop.time()
            try:
                await self._show(run)
                trying_since = None
            except SlackApiError as error:
                trying_since = trying_since or loop.time()
                if loop.time() - trying_since > GIVE_UP_S or not await self._may_try_again(error, run):
                    return
            except (TimeoutError, aiohttp.ClientError) as error:
                trying_since = trying_since or loop.time()
                _log.warning("Slack is out of reach for run %s: %s", self._run_id, type(error).__name__)
                if loop.time() - trying_since > GIVE_UP_S:
                    return
                await asyncio.sleep(1.0)

    async def _wait_for_first(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + FIRST_S
        while not _worth_posting(self._newest) and loop.time() < until:
            await self._sleep_until(until)
        while self._newest is None:
            await self._woken.wait()

    async def _wait_until_due(self, due: float) -> None:
        """Wait for a new state; one that ends the run is due at once, others when their time has come."""
        loop = asyncio.get_running_loop()
        while True:
            run = self._newest
            if run is not None and run is not self._shown:
                if run.ended_at is not None or self._shown is None or loop.time() >= due:
                    return
                await self._sleep_until(due)
            else:
                self._woken.clear()
                await self._woken.wait()

    async def _sleep_until(self, due: float) -> None:
        self._woken.clear()
        try:
            await asyncio.wait_for(self._woken.wait(), max(due - asyncio.get_running_loop().time(), 0.001))
        except TimeoutError:
            return

    async def _show(self, run: Run) -> None:
        if self._place.ts is None:
            ts = await self._messages.post(self._place, run)
            self._place = Place(self._place.channel, self._place.user, self._place.response_url, ts)
            await self._messages.remember(self._run_id, self._place)
        else:
            await self._messages.update(self._place, run)
        self._shown = run

    async def _may_try_again(self, error: SlackApiError, run: Run) -> bool:
        code = str(error.response.get("error", ""))
        if code == "ratelimited":
            await asyncio.sleep(float(error.response.headers.get("Retry-After", "1")))
            return True
        if code in _NOT_HERE:
            await self._finish_elsewhere()
            return False
        if code == "message_not_found":  # deleted meanwhile: the result is posted anew
            self._place = Place(self._place.channel, self._place.user, self._place.response_url)
            return run.ended_at is not None
        if error.response.status_code >= 500:
            await asyncio.sleep(1.0)
            return True
        _log.error("Slack refused the message of run %s: %s", self._run_id, code)
        return False

    async def _finish_elsewhere(self) -> None:
        """Wait for the end, and show only that, through the response URL."""
        while self._newest is None or self._newest.ended_at is None:
            self._woken.clear()
            await self._woken.wait()
        await self._messages.respond(self._place, self._newest)


def _worth_posting(run: Run | None) -> bool:
    if run is None:
        return False
    return run.outcome is not Outcome.RUNNING or run.stage(StageName.IMPORT).status is not StageStatus.RUNNING
