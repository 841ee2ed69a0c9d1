"""The slash command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.access import AccessDecision, decide, permitted
from bot.actor import Actor, command_actor
from bot.answers import Answers, refusal, whom_to_ask
from bot.grammar import MOST, Command, Verb, nearest, parse_command
from bot.listeners.history import History
from bot.listeners.picker import Picker
from bot.progress import Place
from bot.runs import Runs
from bot.views import Message, notices
from pipeline.configuration import Configuration, Configurations, Right
from pipeline.dn import parse as parse_dn
from pipeline.errors import PipelineError, RequestError
from pipeline.identifiers import Identifier, IdentifierKind, parse_identifier
from pipeline.ids import new_run_id
from pipeline.model import Mode, Request


@dataclass(frozen=True, slots=True)
class _Asked:
    """One object of a command: the run it asks for, and whether anything is against it from the start."""

    request: Request
    right: Right
    configuration: Configuration
    decision: AccessDecision
    problem: RequestError | None


class Commands:
    """Listens to /provision."""

    def __init__(
        self,
        *,
        runs: Runs,
        picker: Picker,
        history: History,
        answers: Answers,
        configurations: Configurations,
        writes_on: bool,
    ) -> None:
        self._runs = runs
        self._picker = picker
        self._history = history
        self._answers = answers
        self._configurations = configurations
        self._writes_on = writes_on

    async def provision(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """`/provision DN`, `/provision preview DN`, either with ` with CONFIGURATION`; `/provision help`."""
        actor = command_actor(body)
        typed = str(body.get("text") or "")
        command = parse_command(typed, [configuration.name for configuration in self._configurations.all])
        answer = self._answer(actor, command, typed)
        if answer is not None:
            await self._answers.tell(ack, body, answer)
            return
        if command.verb is Verb.HISTORY:
            await self._tell_history(ack, body, actor, command)
            return
        if command.identifiers:
            await self._start(ack, body, actor, command)
        elif self._picker.may_open(actor):
            await self._picker.open(ack, body, actor, command)
        else:
            decision = decide(self._usual, actor.id, actor.channel, Right.PREVIEW)
            await self._answers.tell(ack, body, refusal(decision, Right.PREVIEW))

    async def _tell_history(
        self, ack: AsyncAck, body: dict[str, Any], actor: Actor, command: Command
    ) -> None:
        if self._history.may_open(actor):
            await self._history.answer(ack, body, actor, command)
            return
        decision = decide(self._usual, actor.id, actor.channel, Right.LOOK)
        await self._answers.tell(ack, body, refusal(decision, Right.LOOK))

    async def _start(self, ack: AsyncAck, body: dict[str, Any], actor: Actor, command: Command) -> None:
        asked = [self._ask(actor, command, typed) for typed in command.identifiers]
        refused = all(not ask.decision.allowed for ask in asked)
        unreadable = all(ask.problem is not None for ask in asked)
        place = Place(actor.channel, actor.user, body.get("response_url"), show=not (refused or unreadable))
        requests = [ask.request for ask in asked]
        if len(requests) == 1:
            await self._runs.accept(requests[0], place, delivery=body.get("trigger_id"))
        else:
            await self._runs.accept_all(requests, place, delivery=body.get("trigger_id"))
        if refused:
            await self._answers.tell(ack, body, refusal(asked[0].decision, asked[0].right))
        elif asked[0].problem is not None and unreadable:
            base = str(asked[0].configuration.base)
            await self._answers.tell(
                ack, body, notices.bad_input(asked[0].problem, asked[0].request.identifier, base)
            )
        else:
            await ack()

    def _ask(self, actor: Actor, command: Command, typed: str) -> _Asked:
        """Return the run that an identifier asks for, and what is to be said against it already."""
        mode = Mode.PREVIEW if command.verb is Verb.PREVIEW else Mode.PROVISION
        right = Right(str(mode))
        problem, identifier = _identifier(typed)
        possible = self._possible(command, identifier)
        decisions = [decide(configuration, actor.id, actor.channel, right) for configuration in possible]
        request = Request(
            run_id=new_run_id(),
            mode=mode,
            identifier=typed,
            actor=actor.id,
            configuration=command.configuration,
        )
        decision = next((decision for decision in decisions if decision.allowed), decisions[0])
        return _Asked(request, right, possible[0], decision, problem)

    def _answer(self, actor: Actor, command: Command, typed: str) -> Message | None:
        """Return what is to be said at once, without starting anything; None where a run is asked for."""
        rights = [
            str(right) for right in Right if permitted(self._configurations, actor.id, actor.channel, right)
        ]
        base = str(self._usual.base)
        if command.meant is not None:
            return notices.meant(typed, command.meant, base)
        if command.verb is Verb.HELP:
            ask = whom_to_ask(decide(self._usual, actor.id, actor.channel, Right.LOOK))
            return notices.help_text(base, rights, writes_on=self._writes_on, ask=ask)
        if command.unknown is not None:
            known = permitted(self._configurations, actor.id, actor.channel, Right.LOOK)
            near = nearest(command.unknown, known)
            return notices.no_such_configuration(command.unknown, known, near)
        if len(command.identifiers) > MOST:
            return notices.too_many(len(command.identifiers), MOST)
        return None

    def _possible(self, command: Command, identifier: Identifier | None) -> Sequence[Configuration]:
        """Return the configurations that the run may come to have, the likeliest first; the run checks again.

        A DN or the configuration's name tells it; where any other object lies is not known before it is read.
        """
        is_dn = identifier is not None and identifier.kind is IdentifierKind.DN
        dn = parse_dn(identifier.text) if identifier is not None and is_dn else None
        try:
            likeliest = self._configurations.select(command.configuration, dn)
        except PipelineError:
            likeliest = self._usual
        if command.configuration is not None or is_dn:
            return [likeliest]
        return [likeliest, *(each for each in self._configurations.all if each is not likeliest)]

    @property
    def _usual(self) -> Configuration:
        return self._configurations.default or self._configurations.all[0]


def _identifier(typed: str) -> tuple[RequestError | None, Identifier | None]:
    try:
        return None, parse_identifier(typed)
    except RequestError as error:
        return error, None
