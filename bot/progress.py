"""One message a run, posted once and updated in place; the newest state wins and the final one always comes.

The pipeline never waits here: `changed` only leaves the newest state. Each message has a task of its own that
posts when the first check is done (or after a moment), updates at most once a second, and keeps at the final
state until Slack has taken it. No in-between update is begun when the run is about to end.

Where the message stands, and whether Slack has taken its final state, is stored as the run's notice, so that
a start can bring every message to its end that a former process left behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.response_urls import ResponseUrlGone, ResponseUrls, ResponseUrlUnreachable
from bot.slack import Rejection, rejection
from bot.tasks import Tasks
from bot.views import Message
from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Outcome, Run, StageName, StageStatus

FIRST_S: Final = 0.05
"""How long the first post waits for the import, so that it can show a check mark already."""

BETWEEN_S: Final = 1.0
"""Slack's own advice: not more than one update a second for one message."""

GIVE_UP_S: Final = 900.0
"""How long a final state is kept being sent while Slack is away."""

_NOT_HERE: Final = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action"})
"""Errors that say: the bot cannot post here, however often it tries."""

_GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Errors of chat.update that say: this message will not change any more."""

_FOR_NOW: Final = frozenset(
    {"", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
"""Errors that pass; the empty one is an answer of something before Slack."""

_UNDER_WAY: Final = frozenset({StageStatus.WAITING, StageStatus.RUNNING})
_STOPPED: Final = frozenset({StageStatus.FAILED, StageStatus.SKIPPED})
"""Statuses after which no further stage begins."""

PAUSE_S: Final = 1.0
"""How long to wait after a failure that may pass, unless Slack says how long."""

OPEN: Final = "open"
"""The key of a stored place that says whether there is anything left to show."""

INVITE: Final = "To follow a run step by step in this channel, invite the bot: `/invite @fourcheck`."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run is shown: the channel, the message once there is one, and the way back to who asked."""

    channel: str
    user: str
    response_url: str | None = None
    ts: str | None = None
    show: bool = True
    """Whether the channel sees this run at all: one that was refused at once is told to who asked, alone."""
    final: bool = False
    """Whether the message shows how the run ended, or never will."""

    @property
    def open(self) -> bool:
        """Whether anything is left to show."""
        return self.show and not self.final

    def document(self) -> dict[str, object]:
        """Return the place as the store keeps it."""
        return {**asdict(self), OPEN: self.open}

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> Place:
        """Read a place back from the store."""
        return Place(
            document["channel"],
            document["user"],
            document.get("response_url"),
            document.get("ts"),
            show=document.get("show", True),
            final=document.get("final", False),
        )


class Next(StrEnum):
    """What to do after Slack did not take a state."""

    AGAIN = "again"
    ELSEWHERE = "elsewhere"
    """Show the end alone, by the response URL."""
    ANEW = "anew"
    """Post the end alone, as a new message."""
    SKIP = "skip"


def what_next(why: Rejection) -> Next:
    """Decide by the error of chat.postMessage or chat.update."""
    if why.code in _FOR_NOW or why.status >= 500:
        return Next.AGAIN
    if why.code in _NOT_HERE:
        return Next.ELSEWHERE
    return Next.ANEW if why.code in _GONE else Next.SKIP


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
        response_urls: ResponseUrls,
        store: NoticeStore,
        tasks: Tasks,
        render: Callable[[Run], Message],
    ) -> None:
        self._client = client
        self._response_urls = response_urls
        self._store = store
        self._tasks = tasks
        self._render = render
        self._open: dict[RunId, tuple[_RunMessage, asyncio.Task[None]]] = {}

    def show(self, run_id: RunId, place: Place) -> None:
        """Show this run's progress at this place from now on, if it is to be shown at all."""
        if not place.open:
            return
        message = _RunMessage(self, run_id, place)
        task = self._tasks.start(message.keep(), f"message of run {run_id}")
        self._open[run_id] = message, task
        task.add_done_callback(lambda _: self._open.pop(run_id, None))

    async def changed(self, run: Run) -> None:
        """Take the newest state of a run."""
        if run.run_id in self._open:
            self._open[run.run_id][0].offer(run)

    def forget(self, run_id: RunId) -> None:
        """Show no more of a run that somebody else has ended."""
        if run_id in self._open:
            self._open[run_id][1].cancel()

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

    def answers(self, run: Run) -> tuple[Mapping[str, object], ...]:
        """Return what goes through the command's own response URL where the bot is no member."""
        message = self._render(run)
        return (
            {"response_type": "in_channel", "text": message.text, "blocks": message.blocks},
            {"response_type": "ephemeral", "text": INVITE},
        )

    async def answer(self, place: Place, body: Mapping[str, object]) -> None:
        """Post one of them. Raises ResponseUrlGone or ResponseUrlUnreachable."""
        if place.response_url is None:
            raise ResponseUrlGone("There is no way back to who asked.")
        await self._response_urls.post(place.response_url, body)

    async def remember(self, run_id: RunId, place: Place) -> None:
        """Store where a run is shown."""
        await self._store.save_notice(run_id, place.document())


class _RunMessage:
    """One run's message: the newest state offered, and the task that shows it."""

    def __init__(self, messages: Messages, run_id: RunId, place: Place) -> None:
        self._messages = messages
        self._run_id = run_id
        self._place = place
        self._stored = place
        self._newest: Run | None = None
        self._shown: Run | None = None
        self._woken = asyncio.Event()
        self._end_only = False
        """Whether states in between are passed over."""
        self._elsewhere = False
        self._answered = 0
        """How many answers the response URL has taken: it takes five in all."""

    def offer(self, run: Run) -> None:
        self._newest = run
        self._woken.set()

    async def keep(self) -> None:
        """Show every state worth showing, until the final one is on show or never will be."""
        await self._wait_for_first()
        loop = asyncio.get_running_loop()
        sent_at = -BETWEEN_S
        trying_since: float | None = None
        while self._place.open:
            run = await self._wait_until_due(sent_at + BETWEEN_S)
            sent_at = loop.time()
            pause = await self._try(run)
            if pause is None:
                trying_since = None
                continue
            trying_since = trying_since or sent_at
            if loop.time() - trying_since > GIVE_UP_S:  # the next start tries again
                _log.error("Slack did not take the message of run %s in time", self._run_id)
                return
            await asyncio.sleep(pause)

    async def _try(self, run: Run) -> float | None:
        """Show one state. Returns the seconds to wait before trying again; None where it is done with."""
        try:
            await self._show(run)
        except SlackApiError as error:
            return await self._after(rejection(error), run)
        except ResponseUrlGone as error:
            _log.warning("the end of run %s could not be shown: %s", self._run_id, error.message)
            await self._done_with(run)
            return None
        except (ResponseUrlUnreachable, aiohttp.ClientError, OSError) as error:
            _log.warning("Slack is out of reach for run %s: %s", self._run_id, type(error).__name__)
            return PAUSE_S
        return None

    async def _show(self, run: Run) -> None:
        if self._elsewhere:
            for body in self._messages.answers(run)[self._answered :]:
                await self._messages.answer(self._place, body)
                self._answered += 1
        elif self._place.ts is None:
            self._place = replace(self._place, ts=await self._messages.post(self._place, run))
        else:
            await self._messages.update(self._place, run)
        await self._done_with(run)

    async def _after(self, why: Rejection, run: Run) -> float | None:
        """Decide what follows from a refusal of Slack; as `_try` does."""
        decision = what_next(why)
        if decision is Next.AGAIN:
            return why.retry_after_s
        if decision is Next.SKIP:
            _log.error("Slack refused the message of run %s: %s", self._run_id, why.code)
            await self._done_with(run)
            return None
        self._end_only = True
        self._elsewhere = decision is Next.ELSEWHERE
        self._place = replace(self._place, ts=None)
        return None

    async def _done_with(self, run: Run) -> None:
        """Take note that this state is on show or never will be. The store may fail: the message goes on."""
        self._shown = run
        self._place = replace(self._place, final=run.ended_at is not None)
        if self._place == self._stored:
            return
        try:
            await self._messages.remember(self._run_id, self._place)
        except StoreUnavailable as error:
            _log.warning("the place of run %s could not be stored: %s", self._run_id, error.message)
        else:
            self._stored = self._place

    async def _wait_for_first(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + FIRST_S
        while not _worth_posting(self._newest) and loop.time() < until:
            await self._sleep_until(until)

    async def _wait_until_due(self, due: float) -> Run:
        """Wait for a new state; one that ends the run is due at once, others when their time has come."""
        loop = asyncio.get_running_loop()
        while True:
            run = self._newest
            if run is None or run is self._shown or not self._is_due_at_all(run):
                self._woken.clear()
                await self._woken.wait()
            elif run.ended_at is not None or self._shown is None or loop.time() >= due:
                return run
            else:
                await self._sleep_until(due)

    def _is_due_at_all(self, run: Run) -> bool:
        if run.ended_at is not None:
            return True
        return not self._end_only and (self._shown is None or not about_to_end(run))

    async def _sleep_until(self, due: float) -> None:
        self._woken.clear()
        try:
            await asyncio.wait_for(self._woken.wait(), max(due - asyncio.get_running_loop().time(), 0.001))
        except TimeoutError:
            return


def about_to_end(run: Run) -> bool:
    """Whether the next state is the final one, for which an update now would only be in the way."""
    statuses = [stage.status for stage in run.stages]
    return not _UNDER_WAY.intersection(statuses) or not _STOPPED.isdisjoint(statuses)


def _worth_posting(run: Run | None) -> bool:
    if run is None:
        return False
    return run.outcome is not Outcome.RUNNING or run.stage(StageName.IMPORT).status is not StageStatus.RUNNING
