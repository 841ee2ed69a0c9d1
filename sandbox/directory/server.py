"""The server: sockets, TLS, and the life of its connections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from sandbox.directory.accounts import Accounts
from sandbox.directory.certificates import make_chain
from sandbox.directory.control import FIRST_OCTETS, control_app
from sandbox.directory.faults import FaultKind, Faults
from sandbox.directory.listening import Door, readable
from sandbox.directory.policy import DirectoryPolicy
from sandbox.directory.recording import Record
from sandbox.directory.session import Directory, Session
from sandbox.directory.tree import Tree
from sandbox.people import BASE_DN, BIND_DN, BIND_PASSWORD, bind_passwords, directory_entries

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from types import TracebackType

    from sandbox.people import Entry

_log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_HANDSHAKE_SECONDS = 10
_GOODBYE_SECONDS = 0.5  # a client that does not answer the end of TLS is not waited for


def _tree(entries: Sequence[Entry], base_dn: str) -> Tree:
    return _contoso() if entries is directory_entries() and base_dn == BASE_DN else Tree(entries, base_dn)


@cache
def _contoso() -> Tree:
    """Build the usual population once: nothing changes a tree, so that all servers may share it."""
    return Tree(directory_entries(), BASE_DN)


class DirectoryServer:
    """Serve contoso over LDAPS on 127.0.0.1, and over StartTLS when asked to.

    `port` and `starttls_port`: 0 takes a free one; without `starttls_port` there is no plain port.
    `entries`: what to serve (default: the contoso population), parents first. `passwords`: DN to password
    of the accounts that may try to log on. `policy`: limits. `base_dn`: the domain that the entries are of.
    Order trouble through `faults`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        starttls_port: int | None = None,
        entries: Sequence[Entry] | None = None,
        passwords: Mapping[str, str] | None = None,
        policy: DirectoryPolicy | None = None,
        base_dn: str = BASE_DN,
    ) -> None:
        self._port = port
        self._starttls_port = starttls_port
        self._tree = _tree(directory_entries() if entries is None else entries, base_dn)
        self._accounts = Accounts(self._tree, bind_passwords() if passwords is None else passwords)
        self._policy = policy or DirectoryPolicy()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._directory: Directory | None = None
        self._doors: list[Door] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._control: web.AppRunner | None = None
        self.faults = Faults(self._open_or_shut)
        self.record = Record()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Return the LDAPS address, such as ldaps://127.0.0.1:6360; only while running."""
        return f"ldaps://{_HOST}:{self._port}"

    @property
    def starttls_url(self) -> str:
        """Return the address of the plain port, which wants StartTLS before a bind."""
        if self._starttls_port is None:
            raise ValueError("the server was made without a StartTLS port")
        return f"ldap://{_HOST}:{self._starttls_port}"

    @property
    def control_url(self) -> str:
        """Return the address of the switches: plain HTTP on the port of LDAPS."""
        return f"http://{_HOST}:{self._port}/_sandbox"

    @property
    def policy(self) -> DirectoryPolicy:
        """Return the limits; setting them is felt by connections that are open as well."""
        return self._policy if self._directory is None else self._directory.policy

    @policy.setter
    def policy(self, policy: DirectoryPolicy) -> None:
        self._policy = policy
        if self._directory is not None:
            self._directory.policy = policy

    @property
    def ca_file(self) -> Path:
        """Return the file with the certificate to trust; it is gone after stop."""
        if self._folder is None:
            raise RuntimeError("the directory is not running")
        return Path(self._folder.name) / "ca.pem"

    def settings(self) -> dict[str, str]:
        """Return the environment that points a client at this server."""
        return {
            "FOURCHECK_DIRECTORY__URLS": self.url,
            "FOURCHECK_DIRECTORY__BIND_DN": BIND_DN,
            "FOURCHECK_DIRECTORY__BIND_PASSWORD": BIND_PASSWORD,
            "FOURCHECK_DIRECTORY__BASE_DN": BASE_DN,
            "FOURCHECK_DIRECTORY__CA_FILE": str(self.ca_file),
        }

    async def start(self) -> None:
        """Make certificates, listen, and return once clients can connect."""
        self._folder = tempfile.TemporaryDirectory(prefix="fourcheck-directory-")
        chain = await asyncio.to_thread(make_chain, Path(self._folder.name))
        self._directory = Directory(
            self._tree, self._policy, self._accounts, self.faults, self.record, chain.server_context()
        )
        self._control = web.AppRunner(control_app(self._directory), access_log=None)
        await self._control.setup()
        try:
            self._port = self._listen(self._port, encrypted=True)
            if self._starttls_port is not None:
                self._starttls_port = self._listen(self._starttls_port, encrypted=False)
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close every connection and remove the certificates; harmless when not running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for door in self._doors:
            door.close()
        self._doors.clear()
        if self._control is not None:
            await self._control.cleanup()
            self._control = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _listen(self, port: int, *, encrypted: bool) -> int:
        door = Door(_HOST, port)
        self._doors.append(door)
        self._spawn(self._accept(door, encrypted=encrypted))
        return door.port

    def _open_or_shut(self) -> None:
        hangs = self.faults.holds(FaultKind.HANG_TCP)
        for door in self._doors:
            door.shut() if hangs else door.open_again()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, door: Door, *, encrypted: bool) -> None:
        while True:
            self._spawn(self._serve(await door.accept(), encrypted=encrypted))

    async def _serve(self, connection: socket.socket, *, encrypted: bool) -> None:
        if self._directory is None:
            raise RuntimeError("the directory is not running")
        if encrypted and await self._is_control(connection):
            return
        # A StartTLS connection shakes hands later: its session asks for that fault.
        fault = self.faults.take("connect") if encrypted else None
        served = False
        try:
            if fault is not None and fault.kind is FaultKind.HANG_TLS:
                await asyncio.Event().wait()
            if fault is not None and fault.kind is FaultKind.DELAY:
                await self.faults.delay(fault.seconds)
            if fault is not None and fault.kind is FaultKind.DROP:
                return
            reader, writer = await _open(connection, self._directory if encrypted else None)
            served = True
        except OSError as error:  # a client that trusts nobody ends the handshake: its right
            _log.debug("no TLS: %s", error)
            return
        finally:
            if not served:  # for whatever reason, be it that the server stops
                connection.close()
        await Session(self._directory, reader, writer, encrypted=encrypted).serve()

    async def _is_control(self, connection: socket.socket) -> bool:
        """Hand a connection that begins as HTTP does to the control, and say whether it did."""
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                await readable(connection)
            first = connection.recv(1, socket.MSG_PEEK)
        except (OSError, TimeoutError):
            first = b""
        except asyncio.CancelledError:
            connection.close()
            raise
        if first and first[0] in FIRST_OCTETS and self._control is not None and self._control.server:
            await asyncio.get_running_loop().connect_accepted_socket(self._control.server, connection)
            return True
        return False


async def _open(
    connection: socket.socket, directory: Directory | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Turn an accepted socket into streams, with TLS when a directory is given."""
    loop = asyncio.get_running_loop()
    connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = loop.create_future()

    def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set_result((reader, writer))

    opening = asyncio.create_task(
        loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), greet),
            connection,
            ssl=directory.tls if directory else None,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS if directory else None,
            ssl_shutdown_timeout=_GOODBYE_SECONDS if directory else None,
        )
    )
    try:
        await asyncio.shield(opening)
    except asyncio.CancelledError:  # asyncio leaves a handshake open that is cancelled: it has to fail
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        (opened,) = await asyncio.gather(opening, return_exceptions=True)
        if isinstance(opened, tuple):
            opened[0].abort()
        raise
    return await connected
