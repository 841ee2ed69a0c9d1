"""The port `Directory` over LDAP, against each implementation of a domain controller there is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

import pytest

from pipeline.adapters.ldap import LdapDirectory, LdapSettings
from sandbox.directory import DirectoryPolicy, DirectoryServer
from sandbox.people import Entry, bind_passwords, directory_entries
from sandbox.people.entry import BASE_DN
from tests.fixtures.samba.domain_controller import SambaDomainController

Handler: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OpenDirectory: TypeAlias = Callable[..., LdapDirectory]
Listen: TypeAlias = Callable[..., Awaitable[int]]


SOON_S = 10.0
"""What is well before any limit in `PATIENT`, and well after what a busy machine takes for what is quick."""
PATIENT = {"connect_timeout_s": 30.0, "receive_timeout_s": 30, "operation_timeout_s": 60.0}
"""Limits that are far away, for what is not to wait for any of them."""


@dataclass(frozen=True)
class World:
    """A running domain controller that holds the contoso population, and the way to it."""

    settings: LdapSettings


def settings_of(server: DirectoryServer | SambaDomainController, **changes: Any) -> LdapSettings:
    """Return the settings that lead to a server."""
    told = {key.rpartition("__")[2].lower(): value for key, value in server.settings().items()}
    settings = LdapSettings(
        urls=(told["urls"],),
        bind_dn=told["bind_dn"],
        bind_password=told["bind_password"],
        base_dn=told["base_dn"],
        ca_file=told["ca_file"],
    )
    return replace(settings, **changes)


@asynccontextmanager
async def embedded() -> AsyncIterator[World]:
    """Run the sandbox's own directory."""
    async with DirectoryServer() as server:
        yield World(settings_of(server))


READER = f"CN=reader,{BASE_DN}"
PASSWORD = "Sandbox-only-reader-1!"


@contextmanager
def in_a_thread(running: Callable[[], AbstractAsyncContextManager[World]]) -> Iterator[World]:
    """Keep an implementation running on an event loop of its own, beside those of the tests."""
    ready: Future[World] = Future()
    ended = threading.Event()

    async def run() -> None:
        async with running() as world:
            ready.set_result(world)
            await asyncio.to_thread(ended.wait)

    def main() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=main)
    thread.start()
    try:
        yield ready.result(timeout=60)
    finally:
        ended.set()
        thread.join()


_SAMBA = pytest.param("samba", marks=[pytest.mark.xdist_group("samba"), pytest.mark.timeout(300)])


@pytest.fixture(scope="session", params=["embedded", _SAMBA])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Give a domain controller that holds contoso: the sandbox's own, and a real Samba."""
    if request.param == "samba":
        # a busy machine may need more than a person waits for
        yield World(settings_of(request.getfixturevalue("samba"), search_timeout_s=20.0))
        return
    with in_a_thread(embedded) as running:
        yield running


@pytest.fixture
async def open_directory() -> AsyncIterator[OpenDirectory]:
    """Give a way to make directories of settings; they are closed afterwards."""
    made: list[LdapDirectory] = []

    def make(settings: LdapSettings, **changes: Any) -> LdapDirectory:
        made.append(LdapDirectory(replace(settings, **changes)))
        return made[-1]

    yield make
    for directory in made:
        await directory.close()


@pytest.fixture
async def directory(world: World, open_directory: OpenDirectory) -> LdapDirectory:
    """Give the adapter on the domain controller."""
    return open_directory(world.settings)


@pytest.fixture
async def server() -> AsyncIterator[DirectoryServer]:
    """Give the embedded server itself, for what no real controller does on demand."""
    async with DirectoryServer(starttls_port=0, entries=small_contoso()) as running:
        yield running


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Give a way to listen on a free port with one's own handler; it ends afterwards."""
    async with AsyncExitStack() as stack:
        tasks: set[asyncio.Task[Any]] = set()

        async def start(handler: Handler, host: str = "127.0.0.1", **more: Any) -> int:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.current_task()
                assert task is not None
                tasks.add(task)
                try:
                    await handler(reader, writer)
                except (ConnectionError, asyncio.CancelledError):
                    pass
                finally:
                    writer.close()

            listening = await asyncio.start_server(handle, host, 0, **more)
            stack.callback(listening.close)
            return int(listening.sockets[0].getsockname()[1])

        yield start
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@cache
def small_contoso() -> tuple[Entry, ...]:
    """Pick the units, the accounts that sign in, and one group with its members: quick to serve."""
    entries = directory_entries()
    group = next(e for e in entries if e.dn.startswith("CN=Apollo Guidance,"))
    wanted = {group.dn, *bind_passwords(), *(raw.decode() for raw in group.attributes["member"])}
    return tuple(e for e in entries if e.dn in wanted or not e.dn.startswith("CN="))


def made(dn: str, number: int, **attributes: tuple[bytes, ...]) -> Entry:
    """Make an entry with a GUID of that number."""
    return Entry(
        dn, {"objectClass": (b"top", b"user"), "objectGUID": (number.to_bytes(16, "big"),), **attributes}
    )


def group_of(count: int, *, name: str = "Large") -> list[Entry]:
    """Make a domain of one group with that many members, and an account that may read it."""
    people = [made(f"CN=User {n},{BASE_DN}", n, cn=(f"User {n}".encode(),)) for n in range(count)]
    members = tuple(person.dn.encode() for person in people)
    return [
        made(BASE_DN, 1 << 100, objectClass=(b"top", b"domainDNS"), dc=(b"contoso",)),
        made(READER, 1 << 101, cn=(b"reader",)),
        *people,
        made(f"CN={name},{BASE_DN}", 1 << 102, objectClass=(b"top", b"group"), member=members),
    ]


@asynccontextmanager
async def serving(entries: list[Entry], **more: Any) -> AsyncIterator[LdapSettings]:
    """Serve these entries and give the settings of their reader."""
    async with DirectoryServer(entries=entries, passwords={READER: PASSWORD}, **more) as running:
        yield settings_of(running, bind_dn=READER, bind_password=PASSWORD)


@asynccontextmanager
async def serving_to(
    entries: list[Entry], *, policy: DirectoryPolicy | None = None, **changes: Any
) -> AsyncIterator[LdapDirectory]:
    """Serve these entries and give a directory on them; keywords change its settings."""
    async with serving(entries, policy=policy) as settings:
        directory = LdapDirectory(replace(settings, **changes))
        try:
            yield directory
        finally:
            await directory.close()


class Relay:
    """A line to a server that can be cut, stalled, slowed and refused."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0
        self.accepted = 0
        self.drip: float | None = None
        """Seconds between two octets towards the client."""
        self.cut_after: int | None = None
        """Cut the line after that many more octets towards the client."""

    async def open(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        """The address that clients use."""
        return f"ldaps://127.0.0.1:{self.port}"

    def refuse(self) -> None:
        """Listen no longer; lines stay."""
        if self._server is not None:
            self._server.close()

    def cut(self) -> None:
        """End every line at once, as a killed process does."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def stall(self) -> None:
        """Let nothing through any more, in either direction, on lines old and new."""
        self._flowing.clear()

    def swallow(self) -> None:
        """Let nothing through any more on the lines there are, as a firewall that forgot them does."""
        self._flowing.clear()
        self._flowing = asyncio.Event()
        self._flowing.set()

    def resume(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    async def close(self) -> None:
        """End everything."""
        self.refuse()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        flowing = self._flowing
        for source, sink, to_client in ((reader, back, False), (there, writer, True)):
            task = asyncio.create_task(self._pass_on(source, sink, flowing, to_client=to_client))
            self._tasks.add(task)

    async def _pass_on(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        flowing: asyncio.Event,
        *,
        to_client: bool,
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await flowing.wait()
                if to_client and self.cut_after is not None:
                    sink.write(data[: self.cut_after])
                    self.cut_after -= len(data)
                    if self.cut_after <= 0:
                        self.cut_after = None
                        await sink.drain()
                        self.cut()
                        return
                elif to_client and self.drip is not None:
                    for octet in data:
                        sink.write(bytes([octet]))
                        await sink.drain()
                        await asyncio.sleep(self.drip)
                else:
                    sink.write(data)
                await sink.drain()
        sink.close()


@pytest.fixture
async def relays(server: DirectoryServer) -> AsyncIterator[tuple[Relay, Relay]]:
    """Give two lines to the embedded server: to a client, two domain controllers."""
    port = int(server.url.rpartition(":")[2])
    pair = Relay(port), Relay(port)
    for relay in pair:
        await relay.open()
    yield pair
    for relay in pair:
        await relay.close()
