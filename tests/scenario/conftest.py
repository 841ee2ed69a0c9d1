"""Contoso in a box with the whole bot on it: signed HTTP, real sockets, nothing replaced."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.demo import CHANNEL, Contoso, contoso, people
from bot.views.controls import DETAILS
from bot.views.plain import blocks_as_text
from pipeline.model import Run, StageName

Message = dict[str, Any]


@dataclass
class Scene:
    """The sandbox with gestures that wait for what they lead to."""

    world: Contoso

    @property
    def people(self) -> dict[str, str]:
        """The interesting people: case to distinguished name."""
        return {person["case"]: person["identifier"] for person in people()}

    async def provision(self, text: str, user: str = "U0MARIA", channel: str = CHANNEL) -> Message:
        """Type the command and wait for the message to say how it ended."""
        before = len(self.ended(channel))
        answer = await self.type(text, user, channel)
        assert answer["ack"]["body"] in ("", {}, None), answer
        await self.world.workspace.until(lambda: len(self.ended(channel)) > before, within=20)
        return self.ended(channel)[-1]

    async def type(self, text: str, user: str = "U0MARIA", channel: str = CHANNEL) -> dict[str, Any]:
        """Type the command and return how it was acknowledged."""
        answer = await self.world.workspace.command(user, channel, text)
        assert answer.get("ok"), answer
        return answer

    def posted(self, channel: str = CHANNEL) -> list[Message]:
        """Return the messages that everyone in a channel sees, oldest first."""
        return [m for m in self.world.workspace.messages(channel) if m["to"] is None]

    def told(self, user: str, channel: str = CHANNEL) -> list[Message]:
        """Return the messages that only this person sees."""
        return [m for m in self.world.workspace.messages(channel) if m["to"] == user]

    def ended(self, channel: str = CHANNEL) -> list[Message]:
        """Return the messages of runs that have ended, oldest first."""
        return [m for m in self.posted(channel) if "run_again" in json.dumps(m["blocks"])]

    async def details(self, message: Message, stage: StageName, user: str = "U0MARIA") -> dict[str, Any]:
        """Press a stage's View details and return the modal that opens."""
        workspace = self.world.workspace
        await workspace.click(user, DETAILS[stage], message=message["ts"])
        await workspace.until(lambda: bool(workspace.views(user)), within=5)
        return workspace.views(user)[-1]

    async def last_run(self) -> Run:
        """Return the newest run that the store holds."""
        (run,) = await self.world.bot.systems.store.history(limit=1)
        return run

    def writes(self) -> list[dict[str, Any]]:
        """Return every write that the tenant took, in order."""
        return list(self.world.tenant.ledger)

    def problems(self) -> list[Any]:
        """Return what the workspace's Block Kit validation found in any call."""
        return [problem for call in self.world.workspace.calls() for problem in call["problems"]]


def read(message: Message) -> str:
    """Return a message or modal as text."""
    return blocks_as_text(message["blocks"])


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Give a fresh contoso to each test."""
    async with contoso() as world:
        yield Scene(world)
