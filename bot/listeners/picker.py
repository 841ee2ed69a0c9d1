"""The form without an identifier: opened, searched in, submitted. Rights are asked at each step."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeVar

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.access import decide, permitted
from bot.actor import Actor, interaction_actor
from bot.answers import Answers
from bot.grammar import Command
from bot.progress import Place
from bot.runs import Runs
from bot.slack import rejection
from bot.views import notices
from bot.views import picker as form
from bot.views.picker import Choice, Chosen, Kept
from pipeline import Services
from pipeline.configuration import Configuration, Right
from pipeline.dn import DistinguishedName
from pipeline.dn import from_directory as dn_from_directory
from pipeline.errors import PipelineError, RequestError
from pipeline.identifiers import IdentifierKind, parse_identifier
from pipeline.ids import new_run_id
from pipeline.model import Mode, Request
from pipeline.ports import DirectoryEntry
from pipeline.values import guid_text

SEARCH_S: Final = 2.2
"""How long a search may take, in seconds: Slack waits three for the options, the way there included."""

_WRITES_OFF: Final = "Writing is switched off here, so every run is a preview."
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Picker:
    """Listens to the form. What is offered is what the person may preview, in the channel of the command."""

    def __init__(self, *, runs: Runs, services: Services, client: AsyncWebClient, answers: Answers) -> None:
        self._runs = runs
        self._services = services
        self._client = client
        self._answers = answers

    # -- opened ------------------------------------------------------------------------------------------

    def may_open(self, actor: Actor) -> bool:
        """Whether the person may do anything with it."""
        return bool(self._names(actor, Right.PREVIEW))

    async def open(self, ack: AsyncAck, body: Mapping[str, Any], actor: Actor, command: Command) -> None:
        """Open the form for a command that names no object."""
        may_provision = bool(self._names(actor, Right.PROVISION)) and self._services.writes
        modes = [str(Mode.PREVIEW), *([str(Mode.PROVISION)] if may_provision else [])]
        view = form.picker(
            Kept(actor.channel, body.get("response_url")),
            modes=modes,
            configurations=self._names(actor, Right.PREVIEW),
            initial_mode=str(Mode.PREVIEW),  # found by its name, an object may be somebody's namesake
            initial_configuration=command.configuration,
            note="" if self._services.writes else _WRITES_OFF,
        )
        await ack()
        self._answers.later(self._open(body, view), "open a form")

    async def _open(self, body: Mapping[str, Any], view: dict[str, Any]) -> None:
        try:
            await self._client.views_open(trigger_id=str(body.get("trigger_id") or ""), view=view)
        except SlackApiError as error:
            _log.warning("Slack would not open a form: %s", rejection(error).code)
            if body.get("response_url"):
                await self._answers.beside(body, notices.form_not_opened())

    # -- searched in -------------------------------------------------------------------------------------

    async def suggest(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Return the objects whose names begin with what was typed; nothing rather than an error."""
        actor, _ = _who(body)
        names = self._names(actor, Right.PREVIEW)
        wanted = form.selected(body.get("view") or {}, form.CONFIGURATION)
        typed = str(body.get("value") or "")
        found = await self._search(typed, names, wanted if wanted in names else None)
        await ack(**form.suggestions(found))

    async def _search(self, typed: str, names: tuple[str, ...], wanted: str | None) -> list[Choice]:
        """Search the directories of these configurations, or of the wanted one."""
        usable = [c for c in self._services.configurations.all if c.name in names]
        directories = {c.directory: self._services.directory(c) for c in usable}
        searches = [
            _in_time(directory.search(typed, limit=form.OPTIONS)) for directory in directories.values()
        ]
        found: list[Choice] = []
        for result in await asyncio.gather(*searches, return_exceptions=True):
            if isinstance(result, PipelineError | TimeoutError):
                _log.warning("a search gave nothing: %s", type(result).__name__)
            elif isinstance(result, BaseException):
                raise result
            else:
                found += [
                    choice for entry in result if (choice := self._choice(entry, names, wanted)) is not None
                ]
        return found

    def _choice(self, entry: DirectoryEntry, names: tuple[str, ...], wanted: str | None) -> Choice | None:
        """Return an object as a choice; None for one that no configuration in reach would take."""
        classes = {raw.decode("utf-8", "replace").casefold() for raw in entry.get("objectClass")}
        guids = entry.get("objectGUID")
        if not guids or not classes & {"user", "group"}:
            return None
        dn = dn_from_directory(entry.dn)
        configuration = self._covering(dn, names, wanted)
        if configuration is None:
            return None
        shown = {
            name: entry.get(name)[0].decode("utf-8", "replace")
            for name in ("displayName", "name", "userPrincipalName", "mail", "sAMAccountName")
            if entry.get(name) and configuration.privacy.may_show(name)
        }
        name = shown.get("displayName") or shown.get("name") or dn.rdn_value
        known_by = shown.get("userPrincipalName") or shown.get("mail") or shown.get("sAMAccountName")
        parts = [known_by or "", *reversed(dn.containers[-2:])]
        return Choice(guid_text(guids[0]), name, " · ".join(filter(None, parts)), "group" in classes)

    def _covering(
        self, dn: DistinguishedName, names: tuple[str, ...], wanted: str | None
    ) -> Configuration | None:
        """Return the configuration that a run on the object would have, if it is one of these and fits."""
        try:
            configuration = self._services.configurations.select(wanted, dn)
        except PipelineError:
            return None
        covers = configuration.name in names and dn.is_under(configuration.base)
        return configuration if covers else None

    # -- submitted ---------------------------------------------------------------------------------------

    async def submit(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Start the run in the channel of the command, or say beside the field what is in the way."""
        actor, kept = _who(body)
        filled = form.chosen(body.get("view") or {})
        problem = self._problem(actor, filled)
        if problem is not None:
            field, sentence = problem
            await ack(response_action="errors", errors={field: sentence})
            return
        request = Request(
            run_id=new_run_id(),
            mode=Mode(filled.mode),
            identifier=filled.guid,
            actor=actor.id,
            configuration=filled.configuration,
        )
        place = Place(actor.channel, actor.user, kept.response_url)
        await self._runs.accept(request, place, delivery=body.get("trigger_id"))
        await ack()

    def _problem(self, actor: Actor, filled: Chosen) -> tuple[str, str] | None:
        """Return the field that keeps the run from starting, and why; None where nothing does."""
        if not _is_guid(filled.guid):
            return form.OBJECT, "Choose a user or group from the list."
        if filled.mode not in set(Mode):
            return form.MODE, "Choose what to do."
        right = Right(filled.mode)
        names = self._names(actor, right)
        if filled.configuration is not None and filled.configuration not in names:
            return form.CONFIGURATION, self._refused(actor, filled.configuration, right)
        if not names:
            return form.MODE, self._refused(actor, None, right)
        return None

    def _refused(self, actor: Actor, name: str | None, right: Right) -> str:
        known = self._services.configurations
        configuration = next((c for c in known.all if c.name == name), known.default or known.all[0])
        return decide(configuration, actor.id, actor.channel, right).why

    def _names(self, actor: Actor, right: Right) -> tuple[str, ...]:
        return permitted(self._services.configurations, actor.id, actor.channel, right)


async def _in_time(search: Awaitable[_T]) -> _T:
    async with asyncio.timeout(SEARCH_S):  # wait_for can swallow the request to stop
        return await search


def _who(body: Mapping[str, Any]) -> tuple[Actor, Kept]:
    """Return who uses the form, in the channel that it was opened in, and what it remembers."""
    kept = Kept.decode(str((body.get("view") or {}).get("private_metadata") or "{}"))
    actor = interaction_actor(body)
    return Actor(actor.team, actor.user, kept.channel), kept


def _is_guid(text: str) -> bool:
    try:
        return parse_identifier(text).kind is IdentifierKind.GUID
    except RequestError:
        return False
