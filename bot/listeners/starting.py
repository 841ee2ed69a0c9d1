"""The buttons that start runs: again, as a preview, as previewed; one, or all asked for together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.access import rights_for
from bot.actor import Actor
from bot.answers import Answers, refusal
from bot.listeners.buttons import clicked
from bot.listeners.permission import Permission
from bot.progress import Place
from bot.runs import Runs
from bot.views import notices, wording
from pipeline.ids import RunId, new_run_id
from pipeline.model import Mode, Request, Run
from pipeline.ports import Clock
from pipeline.runs.store import Store

_TRIES: Final = 20
"""How often two clicks in a row are told from one, for the same person, button and run."""


class Starting:
    """Listens to the buttons that start runs. The rights are those of whoever clicked.

    A second click within `double_click_s` seconds of the first means the same.
    """

    def __init__(
        self,
        *,
        runs: Runs,
        store: Store,
        permission: Permission,
        answers: Answers,
        clock: Clock,
        double_click_s: float,
    ) -> None:
        self._runs = runs
        self._store = store
        self._permission = permission
        self._answers = answers
        self._clock = clock
        self._double_click = timedelta(seconds=double_click_s)

    async def run_again(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Run the same request again, in the name of whoever clicked."""
        await self._run(ack, body, None)

    async def preview_this(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Preview the object of a run, in the name of whoever clicked. Writes nothing."""
        await self._run(ack, body, Mode.PREVIEW)

    async def preview_anyway(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Preview an object that is out of scope, for those who may override the scope."""
        await self._run(ack, body, Mode.PREVIEW, override=True)

    async def provision_this(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Carry out the plan of a preview, if it still is the plan."""
        await self._run(ack, body, Mode.PROVISION, follow=True)

    async def run_all_again(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Run again all that was asked for together."""
        await self._run_all(ack, body, await self._together(body), None)

    async def provision_all(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Carry out the plans of the previews that were asked for together, each if it still is the plan."""
        together = [run for run in await self._together(body) if wording.can_provision(run)]
        await self._run_all(ack, body, together, Mode.PROVISION, follow=True)

    async def cancel(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Stop a run before its next write, for those who might have started it."""
        run_id = RunId(clicked(body))
        run = await self._store.load(run_id)
        if run is None:
            await self._answers.tell(ack, body, notices.unknown_run(run_id))
            return
        actor = await self._allowed(ack, body, [run], run.mode)
        if actor is None:
            return
        if not await self._runs.cancel(run_id, actor.id):
            await self._over(ack, body, run_id)
        elif body.get("view"):
            await self._answers.tell(ack, body, notices.stopping(actor.channel), "Cancelled")
        else:
            await ack()

    async def cancel_all(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Stop each run that has not ended of those asked for together, as `cancel` does."""
        together = [run for run in await self._together(body) if run.ended_at is None]
        if not together:
            await self._over(ack, body, RunId(clicked(body)))
            return
        actor = await self._allowed(ack, body, together, None)
        if actor is None:
            return
        stopped = [await self._runs.cancel(run.run_id, actor.id) for run in together]
        if any(stopped):
            await ack()
        else:
            await self._over(ack, body, RunId(clicked(body)))

    async def _over(self, ack: AsyncAck, body: dict[str, Any], run_id: RunId) -> None:
        """Say that there is nothing to stop any more, and bring the message up to date that offered it.

        It may be one that Slack took from a process that ended before it had noted where it is.
        """
        await self._answers.tell(ack, body, notices.over(run_id))
        clicked_in = (body.get("container") or {}).get("message_ts")
        if clicked_in:
            self._answers.later(self._runs.show_end_in(run_id, str(clicked_in)), "correct a message")

    # -- one run -----------------------------------------------------------------------------------------

    async def _run(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        mode: Mode | None,
        *,
        follow: bool = False,
        override: bool = False,
    ) -> None:
        run = await self._store.load(RunId(clicked(body)))
        if run is None:
            await self._answers.tell(ack, body, notices.unknown_run(clicked(body)))
            return
        actor = await self._allowed(ack, body, [run], mode, override=override)
        if actor is None:
            return
        request = _request(run, actor, mode or run.mode, follow=follow, override=override)
        place = Place(actor.channel, actor.user, body.get("response_url"))
        under_way: Run | None = None
        for key in _keys(body, actor, run):
            accepted = await self._runs.accept(request, place, delivery=key)
            if accepted == request.run_id:
                break
            under_way = await self._earlier(accepted)
            if under_way is not None:
                break
        await self._answer(ack, body, actor, under_way)

    async def _earlier(self, run_id: RunId) -> Run | None:
        """Return the run that an earlier click started, where this click means that very run."""
        run = await self._store.load(run_id)
        if run is None or (run.ended_at is not None and self._age(run) > self._double_click):
            return None
        return run

    def _age(self, run: Run) -> timedelta:
        return self._clock.now() - run.started_at

    # -- several -----------------------------------------------------------------------------------------

    async def _together(self, body: Mapping[str, Any]) -> list[Run]:
        """Return the runs that share a message with the one that the button names, and are still stored."""
        first = RunId(clicked(body))
        notice = await self._store.notice(first)
        batch = Place.from_document(notice).batch if notice is not None else ()
        found = [await self._store.load(run_id) for run_id in batch or (first,)]
        return [run for run in found if run is not None]

    async def _run_all(
        self, ack: AsyncAck, body: dict[str, Any], runs: list[Run], mode: Mode | None, *, follow: bool = False
    ) -> None:
        if not runs:
            await self._answers.tell(ack, body, notices.unknown_run(clicked(body)))
            return
        actor = await self._allowed(ack, body, runs, mode)
        if actor is None:
            return
        requests = [_request(run, actor, mode or run.mode, follow=follow) for run in runs]
        place = Place(actor.channel, actor.user, body.get("response_url"))
        under_way: Run | None = None
        for key in _keys(body, actor, runs[0]):
            accepted = await self._runs.accept_all(requests, place, delivery=key)
            if accepted.new:
                break
            under_way = await self._earlier(accepted.run_id)
            if under_way is not None:
                break
        await self._answer(ack, body, actor, under_way)

    async def _allowed(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        runs: Sequence[Run],
        mode: Mode | None,
        *,
        override: bool = False,
    ) -> Actor | None:
        """Return who clicked, if they may do this with every one of the runs; otherwise say why not."""
        actor: Actor | None = None
        for run in runs:
            for right in rights_for(mode or run.mode, override_scope=override or run.scope_overridden):
                decision, actor = await self._permission.ask(right, body, run)
                if not decision.allowed:
                    await self._answers.tell(ack, body, refusal(decision, right), "Not allowed")
                    return None
        return actor

    async def _answer(self, ack: AsyncAck, body: dict[str, Any], actor: Actor, under_way: Run | None) -> None:
        """Acknowledge; who clicked in a modal, or again while the run is under way, is told where it is."""
        if under_way is not None and under_way.ended_at is None and self._age(under_way) > self._double_click:
            notice = await self._store.notice(under_way.run_id)
            where = str((notice or {}).get("channel") or "")
            message = notices.busy(wording.object_name(under_way), str(under_way.actor), where)
            await self._answers.tell(ack, body, message, "Under way")
        elif body.get("view"):
            await self._answers.tell(ack, body, notices.started(actor.channel), "Started")
        else:
            await ack()


def _keys(body: Mapping[str, Any], actor: Actor, run: Run) -> Iterator[str]:
    """Yield the keys to accept a click under: it takes the first that no earlier click has used up.

    Two clicks in a row have the same key, and become one run; after many, each click is one of its own.
    """
    (action,) = (body.get("actions") or [{}])[:1]
    first = f"{action.get('action_id')}:{run.run_id}:{actor.id}"
    yield first
    yield from (f"{first}:{number}" for number in range(2, _TRIES))
    yield f"{first}:{action.get('action_ts')}"


def _request(run: Run, actor: Actor, mode: Mode, *, follow: bool, override: bool = False) -> Request:
    return Request(
        run_id=new_run_id(),
        mode=mode,
        identifier=run.object.guid if run.object else run.identifier,  # its name may be another's by now
        actor=actor.id,
        configuration=run.configuration,
        follows=run.run_id if follow else None,
        override_scope=override or run.scope_overridden,
    )
