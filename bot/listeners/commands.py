"""The slash command."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.access import decide, permitted
from bot.actor import Actor, command_actor
from bot.answers import Answers, refusal
from bot.grammar import Command, Verb, parse_command
from bot.progress import Place
from bot.runs import Runs
from bot.views import Message, notices
from pipeline.configuration import Configuration, Configurations, Right
from pipeline.dn import parse as parse_dn
from pipeline.errors import PipelineError, RequestError
from pipeline.identifiers import Identifier, IdentifierKind, parse_identifier
from pipeline.ids import new_run_id
from pipeline.model import Mode, Request


class Commands:
    """Listens to /provision."""

    def __init__(
        self, *, runs: Runs, answers: Answers, configurations: Configurations, writes_on: bool
    ) -> None:
        self._runs = runs
        self._answers = answers
        self._configurations = configurations
        self._writes_on = writes_on

    async def provision(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """`/provision DN`, `/provision preview DN`, either with ` with CONFIGURATION`; `/provision help`."""
        actor = command_actor(body)
        names = [configuration.name for configuration in self._configurations.all]
        command = parse_command(str(body.get("text") or ""), names)
        if command.verb is Verb.HELP:
            await self._answers.tell(ack, body, self._help(actor))
            return
        mode = Mode.PREVIEW if command.verb is Verb.PREVIEW else Mode.PROVISION
        right = Right(str(mode))
        problem, identifier = _identifier(command)
        configuration = self._likely(command, identifier)
        decision = decide(configuration, actor.id, actor.channel, right)
        request = Request(
            run_id=new_run_id(),
            mode=mode,
            identifier=command.identifier,
            actor=actor.id,
            configuration=command.configuration,
        )
        quiet = problem is not None or not decision.allowed
        place = Place(actor.channel, actor.user, body.get("response_url"), show=not quiet)
        await self._runs.accept(request, place, delivery=body.get("trigger_id"))
        if not decision.allowed:
            await self._answers.tell(ack, body, refusal(decision, right))
        elif problem is not None:
            message = notices.bad_input(problem, command.identifier, str(configuration.base))
            await self._answers.tell(ack, body, message)
        else:
            await ack()

    def _help(self, actor: Actor) -> Message:
        rights = [
            str(right) for right in Right if permitted(self._configurations, actor.id, actor.channel, right)
        ]
        shown = self._configurations.default or self._configurations.all[0]
        return notices.help_text(str(shown.base), rights, writes_on=self._writes_on)

    def _likely(self, command: Command, identifier: Identifier | None) -> Configuration:
        """Return the configuration that the run will most likely have; the run itself checks again."""
        is_dn = identifier is not None and identifier.kind is IdentifierKind.DN
        dn = parse_dn(identifier.text) if identifier is not None and is_dn else None
        try:
            return self._configurations.select(command.configuration, dn)
        except PipelineError:
            return self._configurations.all[0]


def _identifier(command: Command) -> tuple[RequestError | None, Identifier | None]:
    try:
        return None, parse_identifier(command.identifier)
    except RequestError as error:
        return error, None
