"""One message a command, posted once and updated in place; the newest state wins, the final one always comes.

The pipeline never waits here: `changed` only leaves the newest state. Each message has a task of its own that
posts when the first check is done (or after a moment), updates at most once a second, and keeps at the final
state until Slack has taken it. No in-between update is begun when the run is about to end.

Where the message stands, and whether Slack has taken its final state, is stored as the run's notice, so that
a start can bring every message to its end that a former process left behind. The runs of one command share a
message, whose place is stored with the first of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.pace import USUAL, Pace
from bot.rendering import always
from bot.response_urls import ResponseUrlGone, ResponseUrls, ResponseUrlUnreachable
from bot.slack import Rejection, rejection
from bot.tasks import Tasks
from bot.views import Message, notices
from pipeline import milestones
from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Outcome, Run, StageName, StageStatus

FIRST_S: Final = 0.05
"""How long the first post waits for the import, so that it can show a check mark already."""

GIVE_UP_S: Final = 900.0
"""How long a final state is kept being sent while Slack is away."""

_NOT_HERE: Final = frozenset(
    {
        *("not_in_channel", "channel_not_found", "is_archived", "ekm_access_denied", "access_denied"),
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("missing_scope", "no_permission", "org_login_required", "team_access_not_granted"),
    }
)
"""Errors that say: the bot cannot post here, however often it tries. So do all restricted_action….

(Slack, page chat.postMessage.) The response URL of the command needs neither membership nor token."""

_GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Errors of chat.update that say: this message will not change any more."""

_FOR_NOW: Final = frozenset(
    {"", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
"""Errors that pass; the empty one is an answer of something before Slack."""

_UNDER_WAY: Final = frozenset({StageStatus.WAITING, StageStatus.RUNNING})
_STOPPED: Final = frozenset({StageStatus.FAILED, StageStatus.SKIPPED})
"""Statuses after which no further stage begins."""

RELOAD_S: Final = 3.0
"""How long a message waits for news before it asks the store: another process may carry runs out."""

OPEN: Final = "open"
"""The key of a stored place that says whether there is anything left to show."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where runs are shown: the channel, the message once there is one, and the way back to who asked."""

    channel: str
    user: str
    response_url: str | None = None
    ts: str | None = None
    show: bool = True
    """Whether the channel sees this run at all: one that was refused at once is told to who asked, alone."""
    final: bool = False
    """Whether the message shows how the run ended, or never will."""
    batch: tuple[RunId, ...] = ()
    """The runs that share the message, in the order in which they were asked for; empty for one alone."""

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
            batch=tuple(document.get("batch", ())),
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
    if why.code in _NOT_HERE or why.code.startswith("restricted_action"):
        return Next.ELSEWHERE
    return Next.ANEW if why.code in _GONE else Next.SKIP


class MessageStore(Protocol):
    """What the messages need of the store."""

    async def save_notice(self, run_id: RunId, document: Mapping[str, object]) -> None:
        """Remember where a run is shown."""
        ...

    async def load(self, run_id: RunId) -> Run | None:
        """Return a run as it is stored."""
        ...


class Messages:
    """The messages of all runs that are under way. Fulfils the pipeline's port `Events`.

    `render` makes the message of one run, or of several that share one.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        response_urls: ResponseUrls,
        store: MessageStore,
        tasks: Tasks,
        render: Callable[[Sequence[Run]], Message],
        *,
        pace: Pace = USUAL,
    ) -> None:
        self._client = client
        self._response_urls = response_urls
        self._store = store
        self._tasks = tasks
        self._render = always(render)
        self.pace = pace
        self._open: dict[RunId, tuple[_Message, asyncio.Task[None]]] = {}
        self._count = 0

    def show(self, run_id: RunId, place: Place) -> None:
        """Show this run's progress at this place from now on, if it is to be shown at all.

        A place that several runs share has one message: the first of them to be shown opens it.
        """
        if not place.open or run_id in self._open:
            return
        run_ids = place.batch or (run_id,)
        message = _Message(self, run_ids, place)
        task = self._tasks.start(message.keep(), f"message of run {run_ids[0]}")
        opened = message, task
        self._open |= dict.fromkeys(run_ids, opened)
        self._count += 1
        task.add_done_callback(lambda _: self._forget(opened))

    def _forget(self, opened: tuple[_Message, asyncio.Task[None]]) -> None:
        self._count -= 1
        self._open = {run_id: known for run_id, known in self._open.items() if known is not opened}

    @property
    def between_s(self) -> float:
        """How long one message waits between two updates: they share what Slack takes."""
        return max(self.pace.between_s, self.pace.share_s * self._count)

    @property
    def shown(self) -> tuple[RunId, ...]:
        """The runs with whose notices the open messages are stored."""
        return tuple({message.run_id for message, _ in self._open.values()})

    async def changed(self, run: Run) -> None:
        """Take the newest state of a run."""
        if run.run_id in self._open:
            self._open[run.run_id][0].offer(run)

    def forget(self, run_id: RunId) -> None:
        """Show no more of a run that somebody else has ended; beside others it is read from the store."""
        if run_id in self._open and not self._open[run_id][0].is_shared:
            self._open[run_id][1].cancel()

    def let_go(self) -> None:
        """Show no more of runs that have not ended, as this process is about to: the next one goes on."""
        for message, task in list(self._open.values()):
            if not message.knows_the_end:
                task.cancel()

    async def post(self, place: Place, runs: Sequence[Run]) -> str:
        """Post the message of these runs; returns its timestamp."""
        message = self._render(runs)
        answer = await self._client.chat_postMessage(
            channel=place.channel, **message.payload(), unfurl_links=False, unfurl_media=False
        )
        return str(answer["ts"])

    async def update(self, place: Place, runs: Sequence[Run]) -> None:
        """Bring the message of these runs to a new state."""
        message = self._render(runs)
        await self._client.chat_update(channel=place.channel, ts=str(place.ts), **message.payload())

    def answers(self, runs: Sequence[Run], why: str) -> tuple[Mapping[str, object], ...]:
        """Return what goes through the command's own response URL where the bot cannot post, and why."""
        message = self._render(runs)
        return (
            {"response_type": "in_channel", "text": message.text, "blocks": message.blocks},
            {"response_type": "ephemeral", "text": notices.elsewhere(why)},
        )

    async def answer(self, place: Place, body: Mapping[str, object]) -> None:
        """Post one of them. Raises ResponseUrlGone or ResponseUrlUnreachable."""
        if place.response_url is None:
            raise ResponseUrlGone("There is no way back to who asked.")
        await self._response_urls.post(place.response_url, body)

    async def remember(self, run_id: RunId, place: Place) -> None:
        """Store where a run is shown."""
        await self._store.save_notice(run_id, place.document())

    async def reload(self, run_id: RunId) -> Run | None:
        """Return a run as it is stored, or None where it cannot be read."""
        try:
            return await self._store.load(run_id)
        except StoreUnavailable as error:
            _log.warning("run %s could not be read for its message: %s", run_id, error.message)
            return None


class _Message:
    """One message: the newest state offered of its runs, and the task that shows it."""

    def __init__(self, messages: Messages, run_ids: tuple[RunId, ...], place: Place) -> None:
        self._messages = messages
        self._run_ids = run_ids
        self._place = place
        self._stored = place
        self._runs: dict[RunId, Run] = {}
        self._newest: tuple[Run, ...] | None = None
        """The runs as they stand, in order; another object with every change."""
        self._shown: tuple[Run, ...] | None = None
        self._woken = asyncio.Event()
        self._end_only = False
        """Whether states in between are passed over."""
        self._elsewhere = False
        self._why = ""
        """The error of Slack for which the end is shown elsewhere."""
        self._answered = 0
        """How many answers the response URL has taken: it takes five in all."""

    @property
    def run_id(self) -> RunId:
        return self._run_ids[0]

    @property
    def knows_the_end(self) -> bool:
        return self._newest is not None and self._is_final(self._newest)

    @property
    def is_shared(self) -> bool:
        return len(self._run_ids) > 1

    def offer(self, run: Run) -> None:
        known = self._runs.get(run.run_id)
        if known is not None and known.ended_at is not None and run.ended_at is None:
            return  # an older state, read from the store
        self._runs[run.run_id] = run
        self._newest = tuple(self._runs[one] for one in self._run_ids if one in self._runs)
        self._woken.set()

    async def keep(self) -> None:
        """Show every state worth showing, until the final one is on show or never will be."""
        await self._wait_for_first()
        if len(self._runs) < len(self._run_ids) > 1:  # taken up from another process
            await self._reload()
        loop = asyncio.get_running_loop()
        sent_at = loop.time() - self._messages.pace.between_s
        trying_since: float | None = None
        while self._place.open:
            runs = await self._wait_until_due(sent_at)
            sent_at = loop.time()
            pause = await self._try(runs)
            if pause is None:
                trying_since = None
                continue
            trying_since = trying_since or sent_at
            if loop.time() - trying_since > GIVE_UP_S:  # the next sweep tries again
                _log.error("Slack did not take the message of run %s in time", self._run_ids[0])
                return
            await asyncio.sleep(pause)

    async def _try(self, runs: tuple[Run, ...]) -> float | None:
        """Show one state. Returns the seconds to wait before trying again; None where it is done with."""
        try:
            await self._show(runs)
        except SlackApiError as error:
            return await self._after(rejection(error), runs)
        except ResponseUrlGone as error:
            _log.warning("the end of run %s could not be shown: %s", self._run_ids[0], error.message)
            await self._done_with(runs)
            return None
        except (ResponseUrlUnreachable, aiohttp.ClientError, OSError) as error:
            _log.warning("Slack is out of reach for run %s: %s", self._run_ids[0], type(error).__name__)
            return self._messages.pace.again_s
        return None

    async def _show(self, runs: tuple[Run, ...]) -> None:
        if self._elsewhere:
            for body in self._messages.answers(runs, self._why)[self._answered :]:
                await self._messages.answer(self._place, body)
                self._answered += 1
            await self._done_with(runs)
        elif self._place.ts is None:
            milestones.passed(milestones.POST_BEFORE, run_id=self.run_id)
            self._place = replace(self._place, ts=await self._messages.post(self._place, runs))
            milestones.passed(milestones.POST_AFTER, run_id=self.run_id)
            await self._done_with(runs)
            milestones.passed(milestones.POST_STORED, run_id=self.run_id)
        else:
            milestones.passed(milestones.UPDATE_BEFORE, run_id=self.run_id)
            await self._messages.update(self._place, runs)
            milestones.passed(milestones.UPDATE_AFTER, run_id=self.run_id)
            await self._done_with(runs)
            milestones.passed(milestones.UPDATE_STORED, run_id=self.run_id)

    async def _after(self, why: Rejection, runs: tuple[Run, ...]) -> float | None:
        """Decide what follows from a refusal of Slack; as `_try` does."""
        decision = what_next(why)
        if decision is Next.AGAIN:
            return why.retry_after_s
        if decision is Next.SKIP:
            _log.error("Slack refused the message of run %s: %s", self._run_ids[0], why.code)
            await self._done_with(runs)
            return None
        self._end_only = True
        self._elsewhere, self._why = decision is Next.ELSEWHERE, why.code
        self._place = replace(self._place, ts=None)
        return None

    async def _done_with(self, runs: tuple[Run, ...]) -> None:
        """Take note that this state is on show or never will be. The store may fail: the message goes on."""
        self._shown = runs
        self._place = replace(self._place, final=self._is_final(runs))
        if self._place == self._stored:
            return
        try:
            await self._messages.remember(self._run_ids[0], self._place)
        except StoreUnavailable as error:
            _log.warning("the place of run %s could not be stored: %s", self._run_ids[0], error.message)
        else:
            self._stored = self._place

    def _is_final(self, runs: tuple[Run, ...]) -> bool:
        return len(runs) == len(self._run_ids) and all(run.ended_at is not None for run in runs)

    async def _wait_for_first(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + FIRST_S
        while not any(map(_worth_posting, self._newest or ())) and loop.time() < until:
            await self._sleep_until(until)

    async def _wait_until_due(self, sent_at: float) -> tuple[Run, ...]:
        """Wait for a new state; the final one is due at once, others when their time has come."""
        loop = asyncio.get_running_loop()
        while True:
            runs = self._newest
            due = sent_at + self._messages.between_s
            if runs is None or runs is self._shown or not self._is_due_at_all(runs):
                await self._wait_for_news()
            elif self._is_final(runs) or self._shown is None or loop.time() >= due:
                return runs
            else:  # fewer messages may be open in a moment, and share what Slack takes
                await self._sleep_until(min(due, loop.time() + self._messages.pace.between_s))

    def _is_due_at_all(self, runs: tuple[Run, ...]) -> bool:
        if self._is_final(runs):
            return True
        if self._end_only:
            return False
        return self._shown is None or not all(run.ended_at is not None or about_to_end(run) for run in runs)

    async def _wait_for_news(self) -> None:
        if not await self._sleep_until(asyncio.get_running_loop().time() + RELOAD_S):
            await self._reload()

    async def _reload(self) -> None:
        """Read the runs that have not ended, for all that is known here, from the store."""
        for run_id in self._run_ids:
            known = self._runs.get(run_id)
            if known is None or known.ended_at is None:
                stored = await self._messages.reload(run_id)
                known = self._runs.get(run_id)  # told meanwhile
                if stored is not None and (known is None or _further(stored, known)):
                    self.offer(stored)

    async def _sleep_until(self, due: float) -> bool:
        """Wait for news, at most until then; return whether there are any."""
        self._woken.clear()
        try:
            async with asyncio.timeout_at(due):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True


def about_to_end(run: Run) -> bool:
    """Whether the next state is the final one, for which an update now would only be in the way."""
    statuses = [stage.status for stage in run.stages]
    return not _UNDER_WAY.intersection(statuses) or not _STOPPED.isdisjoint(statuses)


def _further(stored: Run, known: Run) -> bool:
    """Whether the store knows more of a run than was told here."""
    begun = [sum(stage.status is not StageStatus.WAITING for stage in run.stages) for run in (stored, known)]
    return stored.ended_at is not None or begun[0] > begun[1]


def _worth_posting(run: Run) -> bool:
    return run.outcome is not Outcome.RUNNING or run.stage(StageName.IMPORT).status is not StageStatus.RUNNING
