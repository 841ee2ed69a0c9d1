"""What goes over the wire before the password does: the name, the version, the address, without a delay."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.adapters.ldap import LdapDirectory
from pipeline.adapters.ldap_connection import (
    Address,
    Deadline,
    _StrictTls,
    connect,
    look_up,
    tls_context,
)
from pipeline.adapters.ldap_settings import Controller
from pipeline.errors import DirectoryError, DirectoryTimeout, DirectoryUntrusted
from pipeline.identifiers import parse_identifier
from sandbox.directory import DirectoryServer
from sandbox.directory.certificates import make_chain
from sandbox.people import BIND_DN
from tests.contract.ldap.conftest import PATIENT, SOON_S, Listen, OpenDirectory, settings_of
from tests.contract.ldap.test_failures import QUICK, _silent

ME = parse_identifier(BIND_DN)


def named(server: DirectoryServer, name: str) -> str:
    """Return the server's address under another name for this machine."""
    return f"ldaps://{name}:{server.url.rpartition(':')[2]}"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_a_name_and_an_address_are_checked_against_their_own_entries(
    server: DirectoryServer, open_directory: OpenDirectory, name: str
) -> None:
    """A certificate's DNS entries are for names, its IP entries for addresses, and both are accepted."""
    directory = open_directory(settings_of(server, urls=(named(server, name),)))
    assert (await directory.resolve(ME, ["cn"])).get("cn")


@pytest.mark.parametrize(
    ("entries", "name"),
    [
        ({"dns_names": ("127.0.0.1",), "addresses": ()}, "127.0.0.1"),
        ({"dns_names": (), "addresses": ("127.0.0.1",)}, "localhost"),
    ],
    ids=["an address as a DNS entry", "a name by its address"],
)
async def test_entries_of_the_other_kind_do_not_count(  # noqa: PLR0917 - fixtures
    server: DirectoryServer,
    open_directory: OpenDirectory,
    listen: Listen,
    tmp_path: Path,
    entries: dict[str, Any],
    name: str,
) -> None:
    """An address is no host name, and what a name resolves to is not what the certificate vouches for."""
    port = await listen(_silent, ssl=make_chain(tmp_path, **entries).server_context())
    ca_file = str(tmp_path / "ca.pem")
    directory = open_directory(
        settings_of(server), urls=(f"ldaps://{name}:{port}",), ca_file=ca_file, **QUICK
    )
    with pytest.raises(DirectoryUntrusted) as caught:
        await directory.resolve(ME, ["cn"])
    assert caught.value.fault == "certificate_other_name"


async def test_the_name_is_sent_along(
    server: DirectoryServer, open_directory: OpenDirectory, listen: Listen, tmp_path: Path
) -> None:
    """The handshake names the host (SNI), for controllers behind one address; an address is not sent."""
    asked: list[str | None] = []
    context = make_chain(tmp_path).server_context()
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    port = await listen(_gone, ssl=context)
    for name in ("localhost", "127.0.0.1"):
        settings = settings_of(server, urls=(f"ldaps://{name}:{port}",), ca_file=str(tmp_path / "ca.pem"))
        with pytest.raises(DirectoryError):
            await open_directory(settings, **QUICK).resolve(ME, ["cn"])
    assert asked[0] == "localhost"
    assert asked[-1] is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
async def test_old_tls_is_not_spoken(
    server: DirectoryServer, open_directory: OpenDirectory, listen: Listen, tmp_path: Path
) -> None:
    """A controller that offers TLS 1.1 at most gets no password."""
    context = make_chain(tmp_path).server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    port = await listen(_silent, ssl=context)
    settings = settings_of(server, urls=(f"ldaps://localhost:{port}",), ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(DirectoryError) as caught:
        await open_directory(settings, **QUICK).resolve(ME, ["cn"])
    assert caught.value.fault in {"tls_failed", "tls_closed"}
    assert tls_context(settings).minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
async def test_nothing_waits_for_more_to_send(server: DirectoryServer, scheme: str) -> None:
    """TCP_NODELAY is on, before the sign-in: 40 ms of waiting for nothing are saved on each connection."""
    url = server.url if scheme == "ldaps" else server.starttls_url
    settings = settings_of(server, urls=(url,))
    (controller,) = settings.controllers()

    def nodelay() -> int:
        session = connect(
            controller,
            look_up(controller),
            settings,
            tls_context(settings),
            deadline=Deadline.after(5),
            watch=lambda _connection: None,
        )
        try:
            return int(session.connection.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        finally:
            session.close()

    assert await asyncio.to_thread(nodelay)


async def _gone(_: StreamReader, writer: StreamWriter) -> None:
    """End as soon as TLS stands."""
    writer.close()


class TwoAddresses:
    """A name with a controller that hangs at its first address and a good one at its second."""

    def __init__(self, *ports: int) -> None:
        self.ports = ports

    def __call__(self, controller: Controller) -> Sequence[Address]:
        """Return the addresses, as the system would."""
        return [
            found
            for port in self.ports
            for found in socket.getaddrinfo(controller.host, port, type=socket.SOCK_STREAM)
        ]


async def test_a_name_of_many_controllers_leads_past_one_that_hangs(
    server: DirectoryServer, listen: Listen
) -> None:
    """A domain's own name stands for all its controllers: one that hangs costs its time and nothing else."""
    hanging, good = await listen(_silent), int(server.url.rpartition(":")[2])
    limits = {**PATIENT, "connect_timeout_s": QUICK["connect_timeout_s"]}
    directory = LdapDirectory(settings_of(server, connections=1, **limits), TwoAddresses(hanging, good))
    try:
        started = time.monotonic()
        assert (await directory.resolve(ME, ["cn"])).get("cn")
        assert limits["connect_timeout_s"] - 0.1 < time.monotonic() - started < SOON_S
    finally:
        await directory.close()


async def test_the_good_address_is_remembered(server: DirectoryServer, listen: Listen) -> None:
    """The next connection begins with the address that worked, and the hanging one is not met again."""
    met: list[StreamWriter] = []

    async def silent(reader: StreamReader, writer: StreamWriter) -> None:
        met.append(writer)
        await _silent(reader, writer)

    hanging, good = await listen(silent), int(server.url.rpartition(":")[2])
    settings = settings_of(server, connections=1, idle_limit_s=0.05, **QUICK)
    directory = LdapDirectory(settings, TwoAddresses(hanging, good))
    try:
        assert (await directory.resolve(ME, ["cn"])).get("cn")
        await asyncio.sleep(0.1)  # the connection is too old now
        assert (await directory.resolve(ME, ["cn"])).get("cn")
        assert len(met) == 1
    finally:
        await directory.close()


async def test_all_addresses_hanging_is_a_time_out(server: DirectoryServer, listen: Listen) -> None:
    """When none of a name's addresses answers, the whole call's time limit holds."""
    hanging = await listen(_silent)
    settings = settings_of(server, connections=1, **{**QUICK, "operation_timeout_s": 1.5})
    directory = LdapDirectory(settings, TwoAddresses(hanging))
    try:
        started = time.monotonic()
        with pytest.raises(DirectoryTimeout):
            await directory.resolve(ME, ["cn"])
        assert time.monotonic() - started < SOON_S
    finally:
        await directory.close()


def test_a_controller_that_is_gone_before_tls_leaves_no_socket_behind() -> None:
    """It resets the connection between TCP and TLS: the socket is still ours to close, and is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as ours:
        ours.connect(listening.getsockname())
        theirs, _ = listening.accept()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()  # with no lingering this is a reset
        tls = _StrictTls(ssl.create_default_context(), "dc1.contoso.test", Deadline.after(5))
        connection = SimpleNamespace(socket=ours)
        with pytest.raises(OSError, match=r"not connected|reset"):
            tls.wrap_socket(connection)
        assert connection.socket is ours
        assert ours.fileno() >= 0, "it was not taken over"
        assert tls.failure is not None
