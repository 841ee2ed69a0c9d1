"""Contoso whose bot lives in processes of its own, and a tenant that can tell what reaches it and when."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from bot.demo import CHANNEL, environment, people
from bot.views.plain import blocks_as_text
from pipeline.model import Run
from pipeline.ports import JournalEntry
from pipeline.runs.store import Store, open_store
from sandbox.directory import DirectoryServer
from sandbox.people import directory_entries, tenant_seed
from sandbox.tenant import TenantServer
from sandbox.tenant.protocol import Call, Reply
from sandbox.workspace import WorkspaceServer
from tests.chaos.processes import Nursery, Process, wish_at

LEASE_S: Final = 2.0
"""How long a lease lasts in these tests where another process may take over."""

ACK_S: Final = 30.0
"""How long the workspace waits for an acknowledgement: it sends an envelope again over the next link."""


class WatchedTenant(TenantServer):
    """A tenant that calls `before` and `after` around each write that it carries out, with its number."""

    before: Callable[[int], Awaitable[None]] | None = None
    after: Callable[[int], Awaitable[None]] | None = None
    slowness: random.Random | None = None
    """Where given, each call takes some milliseconds by its dice."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._arrived = 0

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Put everything back, the watchers as well."""
        super().reset(seed)
        self.before = self.after = None
        self._arrived = 0

    def _compose(self) -> None:
        super()._compose()
        graph, carry_out = self._graph, self._graph._carry_out

        async def watched(call: Call, request_id: str) -> Reply:
            if self.slowness is not None:
                await asyncio.sleep(self.slowness.uniform(0, 0.01))
            path = call.target.partition("?")[0]
            if call.method == "GET" or path.endswith(("/$batch", "/getByIds")):
                return await carry_out(call, request_id)
            self._arrived += 1
            number = self._arrived
            if self.before is not None:
                await self.before(number)
            reply = await carry_out(call, request_id)
            if self.after is not None:
                await self.after(number)
            return reply

        setattr(graph, "_carry_out", watched)  # noqa: B010  # a stand-in's method, for this instance alone


@dataclass
class City:
    """Contoso with any number of processes of the bot, on one store."""

    workspace: WorkspaceServer
    tenant: WatchedTenant
    directory: DirectoryServer
    nursery: Nursery
    folder: Path
    url: str
    more: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    # -- processes ---------------------------------------------------------------------------------------

    def settings(self, **overrides: str) -> dict[str, str]:
        """Return the settings of a process."""
        given = environment(self.workspace, self.tenant, self.directory, self.folder, "socket")
        given |= {
            "FOURCHECK_STORE__URL": self.url,
            "FOURCHECK_RUNS__LEASE_S": "10" if self.url.startswith("sqlite") else str(LEASE_S),
            "FOURCHECK_RUNS__UNCERTAIN_S": "0.5",
            "FOURCHECK_RUNS__GRACE_S": "3",
        }
        return given | {f"FOURCHECK_{name}": value for name, value in (self.more | overrides).items()}

    def wish(self, at: str, turn: int = 1, **more: object) -> None:
        """Let the process end at a milestone from now on, and every one that follows it."""
        wish_at(self.folder / "wish.json", at, turn, **more)

    def wish_no_more(self) -> None:
        """Let processes live."""
        (self.folder / "wish.json").unlink(missing_ok=True)

    def start(self, wish: Path | None = None, **overrides: str) -> Process:
        """Start one more process and do not wait for it."""
        process = self.nursery.start(self.settings(**overrides), self.folder, wish)
        self.processes.append(process)
        return process

    async def started(self, wish: Path | None = None, **overrides: str) -> Process:
        """Start one more process and wait until it takes commands."""
        process = self.start(wish, **overrides)
        await self.until(lambda: process.listens or not process.lives, within=60, of=process)
        assert process.lives, process.told()
        return process

    @property
    def latest(self) -> Process:
        """The process that was started last."""
        return self.processes[-1]

    async def living(self) -> Process:
        """Return the one process that takes commands: the latest that lives, or a new one."""
        living = [process for process in self.processes if process.lives]
        for former in living[:-1]:
            former.bury()
        if not living:
            return await self.started()
        self.processes.remove(living[-1])
        self.processes.append(living[-1])
        await self.until(lambda: self.latest.listens, within=60)
        return self.latest

    def kill_all(self) -> None:
        """Kill every process."""
        for process in self.processes:
            process.bury()

    # -- gestures ----------------------------------------------------------------------------------------

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
        return [m for m in self.posted() if is_final(m)]

    async def until_ended(self, number: int = 1, within: float = 30.0) -> list[dict[str, Any]]:
        """Wait for so many messages to be final."""
        await self.until(lambda: len(self.ended()) >= number, within=within)
        return self.ended()

    async def until(
        self, holds: Callable[[], bool], *, within: float = 30.0, of: Process | None = None
    ) -> None:
        """Wait until something holds, in Slack or elsewhere; else tell what the processes have logged."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while not holds():
            with contextlib.suppress(TimeoutError):
                await self.workspace.until(holds, within=0.02)
            if loop.time() > end:
                logs = [p.told()[-3000:] for p in ([of] if of else self.processes)]
                shown = [blocks_as_text(m["blocks"]) for m in self.posted()]
                raise AssertionError("\n".join(["it does not come to hold", *shown, *logs]))

    # -- what is there -----------------------------------------------------------------------------------

    def effects(self) -> list[str]:
        """Return every write that took effect in the tenant, in order: what was done and to how many."""
        return [_effect(write) for write in self.tenant.ledger if write["applied"]]

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Open the store beside the bot."""
        store = open_store(self.url, guest=self.url.startswith("sqlite"))
        try:
            yield store
        finally:
            await store.close()

    async def runs(self, number: int = 20) -> list[tuple[Run, tuple[JournalEntry, ...]]]:
        """Return the latest runs with their journals, the latest first."""
        async with self.store() as store:
            return [(run, await store.journal(run.run_id)) for run in await store.history(limit=number)]

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database itself, past the bot."""
        if not self.url.startswith("sqlite"):
            with psycopg.connect(self.url) as server:
                return server.execute(statement).fetchall()
        with contextlib.closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=5)) as file:
            return file.execute(statement).fetchall()

    def _in_notice(self, key: str) -> str:
        """Return what gives this key of a notice, as text."""
        if self.url.startswith("sqlite"):
            return f"CAST(json_extract(document, '$.{key}') AS TEXT)"
        return f"(document ->> '{key}')"

    def unfinished(self) -> int:
        """Return how many runs have not ended, and how many messages are not final for all the bot knows."""
        ((runs, messages),) = self.sql(
            "SELECT (SELECT count(*) FROM runs WHERE state <> 'ended'),"  # our own words
            f" (SELECT count(*) FROM notices WHERE {self._in_notice('open')} IN ('1', 'true'))"
        )
        return int(runs) + int(messages)

    async def until_settled(self, within: float = 15.0) -> None:
        """Wait until every run has ended and every message is final, for all that the bot knows."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while self.unfinished():
            assert loop.time() < end, self.sql("SELECT run_id, state, outcome, attempts, epoch FROM runs")
            await asyncio.sleep(0.02)

    def unnoted(self) -> list[dict[str, Any]]:
        """Return the messages of whose place the store does not know."""
        noted = {ts for (ts,) in self.sql(f"SELECT {self._in_notice('ts')} FROM notices")}
        return [message for message in self.posted() if message["ts"] not in noted]

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Put the stand-ins back as they were; processes and store stay."""
        self.wish_no_more()
        self.workspace.reset()
        self.tenant.reset(seed or tenant_seed())
        self.directory.faults.clear()


def is_final(message: Mapping[str, Any]) -> bool:
    """Whether a message says how its runs ended, all of them."""
    shown = str(message["blocks"])
    return "run_again" in shown and "'cancel" not in shown


def _effect(write: Mapping[str, Any]) -> str:
    """Name a write: its method, the last of its path that is no id, and how many members it adds."""
    parts = [p.partition("(")[0] for p in write["path"].partition("?")[0].split("/")[2:]]
    path = "/".join(part for part in parts if "-" not in part)
    added = (write["body"] or {}).get("members@odata.bind")
    return f"{write['method']} {path}" + (f" +{len(added)}" if added else "")


@asynccontextmanager
async def city_on(nursery: Nursery, url: str, folder: Path, **more: str) -> AsyncIterator[City]:
    """Give contoso with nobody serving it yet; whoever serves it at the end is killed."""
    async with AsyncExitStack() as stack:
        workspace = await stack.enter_async_context(WorkspaceServer(ack_deadline=ACK_S))
        tenant = await stack.enter_async_context(WatchedTenant(seed=tenant_seed()))
        directory = await stack.enter_async_context(DirectoryServer(entries=directory_entries()))
        city = City(workspace, tenant, directory, nursery, folder, url, more)
        stack.callback(city.kill_all)
        yield city
