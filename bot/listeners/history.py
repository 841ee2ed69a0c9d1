"""What happened: by command for one person, by button in a modal. Only what the person may look at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.access import permitted
from bot.actor import Actor, interaction_actor
from bot.answers import Answers, refusal
from bot.grammar import Command
from bot.listeners.buttons import Buttons, clicked
from bot.listeners.permission import Permission, opened_in
from bot.views import details, notices
from bot.views.history import ROWS_A_PAGE, Where, history_message, history_view
from pipeline import Services
from pipeline.configuration import Right
from pipeline.errors import PipelineError, RequestError
from pipeline.identifiers import IdentifierKind, parse_identifier
from pipeline.ids import RunId
from pipeline.runs.history import Page, Question, page, question
from pipeline.runs.store import Store
from pipeline.values import guid_text

LOOKUP_S: Final = 1.5
"""How long the directory is asked who a name is, in seconds: the answer has to come within three."""

_log = logging.getLogger(__name__)


class History:
    """Listens to `/provision history`, to the button of that name, and to the pages."""

    def __init__(
        self, *, store: Store, services: Services, permission: Permission, buttons: Buttons, answers: Answers
    ) -> None:
        self._store = store
        self._services = services
        self._permission = permission
        self._buttons = buttons
        self._answers = answers

    def may_open(self, actor: Actor) -> bool:
        """Whether there is anything that the person may look at here."""
        return bool(self._names(actor))

    async def answer(self, ack: AsyncAck, body: Mapping[str, Any], actor: Actor, command: Command) -> None:
        """Answer the command, for the eyes of whoever typed it."""
        typed = command.identifiers[0] if command.identifiers else ""
        where = Where(typed, 0, command.configuration)
        found = await self._page(actor, where)
        if not found.runs and typed and (guid := await self._resolved(typed)) is not None:
            where = Where(guid, 0, command.configuration)
            found = await self._page(actor, where)
        await self._answers.tell(ack, body, history_message(found.runs, _of(where, found), more=found.more))

    async def open(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """History: open the runs of the object that a run is about."""
        run = await self._store.load(RunId(clicked(body)))
        if run is None:
            await ack()
            self._buttons.open(body, details.expired(RunId(clicked(body))))
            return
        decision, actor = await self._permission.ask(Right.LOOK, body, run)
        if not decision.allowed:
            await self._answers.tell(ack, body, refusal(decision, Right.LOOK), "Not allowed")
            return
        where = Where(run.object.guid if run.object is not None else run.identifier)
        found = await self._page(actor, where)
        await ack()
        view = history_view(found.runs, where, actor.channel, more=found.more)
        self._buttons.open(body, view)

    async def turn(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Older and Newer: show other runs in the place of these."""
        try:
            where = Where.decode(clicked(body))
        except ValueError:
            await self._answers.tell(ack, body, notices.unknown_run())
            return
        actor = interaction_actor(body)
        actor = Actor(actor.team, actor.user, actor.channel or opened_in(body))
        found = await self._page(actor, where)
        await ack()
        if body.get("view"):
            view = history_view(found.runs, where, actor.channel, more=found.more)
            self._buttons.replace(body, view)
        else:
            message = history_message(found.runs, where, more=found.more)
            self._answers.later(self._answers.instead(body, message), "turn a page")

    async def _page(self, actor: Actor, where: Where) -> Page:
        names = self._names(actor)
        if where.configuration is not None:
            names = tuple(name for name in names if name == where.configuration)
        if not names:  # nothing may be looked at, not even what never came to have a configuration
            return Page((), where.start, more=False)
        wanted: Question = question(where.of, names)
        return await page(self._store, wanted, start=where.start, limit=ROWS_A_PAGE)

    def _names(self, actor: Actor) -> tuple[str, ...]:
        return permitted(self._services.configurations, actor.id, actor.channel, Right.LOOK)

    async def _resolved(self, typed: str) -> str | None:
        """Return the objectGUID of what was typed, for an object that was always asked for by other names."""
        try:
            identifier = parse_identifier(typed)
        except RequestError:
            return None
        if identifier.kind is IdentifierKind.GUID:
            return None
        configurations = {c.directory: c for c in self._services.configurations.all}
        for configuration in configurations.values():
            directory = self._services.directory(configuration)
            try:
                async with asyncio.timeout(LOOKUP_S):
                    entry = await directory.resolve(identifier, ("objectGUID",))
            except (PipelineError, TimeoutError) as error:
                _log.info("a name of the history was not resolved: %s", type(error).__name__)
                continue
            if found := entry.get("objectGUID"):
                return guid_text(found[0])
        return None


def _of(where: Where, found: Page) -> Where:
    """Return the page with the object's GUID in the place of a name: whatever it is asked by, it is found."""
    of = {run.object.guid for run in found.runs if run.object is not None}
    return Where(of.pop(), where.start, where.configuration) if where.of and len(of) == 1 else where
