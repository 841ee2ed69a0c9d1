"""Contoso without a bot, and processes of the real bot that start, end and are ended on it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.demo import CHANNEL, environment, people
from sandbox.directory import DirectoryServer
from sandbox.people import directory_entries, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.workspace import WorkspaceServer

ROOT = Path(__file__).parents[2]
LEASE_S = 1.5
"""How long a lease lasts in these tests."""


@dataclass
class Process:
    """A process of the bot."""

    child: asyncio.subprocess.Process
    errors: Path

    async def ended(self, within: float = 30.0) -> int:
        """Wait for its end; return how it ended."""
        return await asyncio.wait_for(self.child.wait(), within)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.child.send_signal(number)


@dataclass
class City:
    """Contoso with any number of processes of the bot, on one store."""

    workspace: WorkspaceServer
    tenant: TenantServer
    directory: DirectoryServer
    folder: Path
    url: str
    more: dict[str, str] = field(default_factory=dict)

    def settings(self, **overrides: str) -> dict[str, str]:
        """Return the settings of a process."""
        given = environment(self.workspace, self.tenant, self.directory, self.folder, "socket")
        given |= {
            "FOURCHECK_STORE__URL": self.url,
            "FOURCHECK_RUNS__LEASE_S": str(LEASE_S),
            "FOURCHECK_RUNS__UNCERTAIN_S": "1.5",
            "FOURCHECK_RUNS__GRACE_S": "3",
        }
        return given | {f"FOURCHECK_{name}": value for name, value in overrides.items()}

    @asynccontextmanager
    async def bot(
        self, *, end_at: str = "", end_on: int = 1, how: str = "SIGKILL", **overrides: str
    ) -> AsyncIterator[Process]:
        """Run a process until the block ends; `end_at` is the milestone where it ends itself before."""
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        wishes = {"END_AT": end_at, "END_ON": str(end_on), "END_HOW": how} if end_at else {}
        errors = self.folder / f"bot-{len(list(self.folder.glob('bot-*')))}.log"
        with errors.open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.chaos.bot_process",
                cwd=ROOT,
                env={**kept, **self.settings(**overrides), **wishes},
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        process = Process(child, errors)
        try:
            assert child.stdout is not None
            line = await asyncio.wait_for(child.stdout.readline(), 60)
            assert line.startswith(b"ready") or end_at, errors.read_text()
            yield process
        finally:
            if child.returncode is None:
                child.kill()
            await child.wait()

    @property
    def people(self) -> Mapping[str, str]:
        """The interesting people: case to distinguished name."""
        return {person["case"]: person["identifier"] for person in people()}

    async def type(self, text: str, user: str = "U0MARIA") -> dict[str, Any]:
        """Type the command and return how it was acknowledged."""
        return await self.workspace.command(user, CHANNEL, text)

    def posted(self) -> list[dict[str, Any]]:
        """Return the messages that everyone in the channel sees."""
        return [m for m in self.workspace.messages(CHANNEL) if m["to"] is None]

    def ended(self) -> list[dict[str, Any]]:
        """Return the messages of runs that have ended."""
        return [m for m in self.posted() if "run_again" in str(m["blocks"])]

    async def until_ended(self, number: int = 1, within: float = 30.0) -> list[dict[str, Any]]:
        """Wait for so many runs to have ended in their messages."""
        await self.workspace.until(lambda: len(self.ended()) >= number, within=within)
        return self.ended()

    def creations(self) -> list[dict[str, Any]]:
        """Return the creations of users that the tenant has taken."""
        return [w for w in self.tenant.ledger if w["method"] == "POST" and w["path"].endswith("/users")]


@asynccontextmanager
async def city_on(url: str, folder: Path) -> AsyncIterator[City]:
    """Give contoso with nobody serving it yet."""
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(WorkspaceServer(ack_deadline=30.0))
        tenant = await stack.enter_async_context(TenantServer(seed=tenant_seed()))
        directory = await stack.enter_async_context(DirectoryServer(entries=directory_entries()))
        yield City(workspace, tenant, directory, folder, url)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    """Give contoso whose store is a file."""
    async with city_on(f"sqlite:///{tmp_path}/runs.db", tmp_path) as made:
        yield made


@pytest.fixture
async def shared_city(tmp_path: Path, postgres_url: str) -> AsyncIterator[City]:
    """Give contoso whose store is PostgreSQL."""
    async with city_on(postgres_url, tmp_path) as made:
        yield made
