"""Who may connect, by which certificate, with which password: and that no secret comes out."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from ldap3 import NONE, SAFE_SYNC, Connection, Server, Tls
from ldap3.core.exceptions import LDAPExceptionError

from sandbox.directory import DirectoryServer, ber
from sandbox.directory.certificates import make_chain
from sandbox.people import BASE_DN, BIND_DN, BIND_PASSWORD, bind_passwords, interesting_people
from tests.fixtures.directories import Query, ask, connection, directory_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADA = Query("", interesting_people()[0].identifier)


@pytest.fixture(scope="module")
def directory() -> Iterator[DirectoryServer]:
    """Run one directory, with a plain port, for the module."""
    with directory_in_thread(starttls_port=0) as server:
        yield server


def handshake(directory: DirectoryServer, context: ssl.SSLContext, name: str) -> str | None:
    """Shake hands and return the TLS version."""
    port = int(directory.url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as encrypted,
    ):
        return encrypted.version()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "dc1.contoso.test"])
def test_names_in_the_certificate(directory: DirectoryServer, name: str) -> None:
    """The certificate stands for the address, for localhost and for the controller's name."""
    context = ssl.create_default_context(cafile=directory.ca_file)
    assert handshake(directory, context, name) in {"TLSv1.2", "TLSv1.3"}


def test_other_names_are_refused(directory: DirectoryServer) -> None:
    """A client that asked for another host notices."""
    context = ssl.create_default_context(cafile=directory.ca_file)
    with pytest.raises(ssl.SSLCertVerificationError, match="match"):
        handshake(directory, context, "dc2.contoso.test")


def test_strangers_do_not_trust_it(directory: DirectoryServer) -> None:
    """Nobody trusts the sandbox by accident: its authority is in no store."""
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(directory, ssl.create_default_context(), "localhost")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_old_tls_is_refused(directory: DirectoryServer) -> None:
    """TLS 1.1 and older are not spoken."""
    context = ssl.create_default_context(cafile=directory.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(directory, context, "localhost")


def test_expired_chain(tmp_path: Path) -> None:
    """A certificate can be ordered expired, for tests of clients."""
    chain = make_chain(tmp_path, expired=True)
    client, server = ssl.create_default_context(cafile=chain.ca_file), chain.server_context()
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        ours.do_handshake()


def test_key_is_private_and_everything_goes(tmp_path: Path) -> None:
    """The key's file is its owner's alone, and stopping leaves nothing behind."""
    chain = make_chain(tmp_path)
    assert chain.key_file.stat().st_mode & 0o077 == 0
    with directory_in_thread() as server:
        folder = server.ca_file.parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


async def test_stop_closes_the_port_and_may_be_repeated() -> None:
    """After stop nobody listens; stopping twice, or without a start, is no error."""
    server = DirectoryServer()
    await server.stop()
    async with server:
        port = int(server.url.rpartition(":")[2])
        assert server.settings()["FOURCHECK_DIRECTORY__URLS"] == f"ldaps://127.0.0.1:{port}"
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


def silent_client(directory: DirectoryServer, *, starttls: bool) -> ssl.SSLSocket:
    """Shake hands and never read again: not even the end of TLS is answered."""
    url = directory.starttls_url if starttls else directory.url
    plain = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)
    if starttls:
        plain.sendall(ber.message(1, ber.tlv(0x77, ber.tlv(0x80, b"1.3.6.1.4.1.1466.20037"))))
        assert plain.recv(100)
    context = ssl.create_default_context(cafile=directory.ca_file)
    return context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("starttls", [False, True])
async def test_stop_does_not_wait_for_silent_clients(starttls: bool) -> None:  # noqa: FBT001  # a column
    """A client that never says goodbye holds nothing up, whichever way its TLS began."""
    async with DirectoryServer(starttls_port=0) as server:
        client = await asyncio.to_thread(silent_client, server, starttls=starttls)
        began = asyncio.get_running_loop().time()
        await server.stop()
        assert asyncio.get_running_loop().time() - began < 10
        client.close()


async def test_port_that_is_taken() -> None:
    """A port in use is an OSError, and nothing stays behind."""
    async with DirectoryServer() as first:
        second = DirectoryServer(port=int(first.url.rpartition(":")[2]))
        with pytest.raises(OSError, match="in use"):
            await second.start()
        with pytest.raises(RuntimeError, match="not running"):
            _ = second.ca_file


@pytest.mark.parametrize(
    ("dn", "password", "code"),
    [
        (BIND_DN, BIND_PASSWORD, 0),
        (BIND_DN.upper(), BIND_PASSWORD, 0),
        (BIND_DN, BIND_PASSWORD.upper(), 49),
        (BIND_DN, BIND_PASSWORD + " ", 49),
        (f"CN=krbtgt,CN=Users,{BASE_DN}", "x", 49),
        ("not a name", "x", 49),
        ("FABRIKAM\\svc-fourcheck", BIND_PASSWORD, 49),
    ],
)
def test_passwords(directory: DirectoryServer, dn: str, password: str, code: int) -> None:
    """Names match without regard to case, passwords with it."""
    with connection(directory.settings(), dn=dn, password=password, bind=False) as client:
        assert client.bind()[1]["result"] == code


@pytest.mark.parametrize(
    ("account", "code"),
    [("svc-disabled", "533"), ("svc-expired", "701"), ("svc-must-change", "773"), ("svc-locked", "775")],
)
def test_sub_codes(directory: DirectoryServer, account: str, code: str) -> None:
    """A right password that is of no use gets the sub-code that tells why; a wrong one never learns it."""
    dn = f"CN={account},OU=Service Accounts,OU=Contoso,{BASE_DN}"
    with connection(directory.settings(), dn=dn, password=bind_passwords()[dn], bind=False) as client:
        assert f"data {code}," in client.bind()[1]["message"]
        client.password = "wrong"
        wrong = "775" if account == "svc-locked" else "52e"  # a locked account is told so either way
        assert f"data {wrong}," in client.bind()[1]["message"]


def test_failed_bind_takes_rights_away(directory: DirectoryServer) -> None:
    """After a refused bind the connection is anonymous (RFC 4513, section 4)."""
    with connection(directory.settings()) as client:
        assert ask(client, ADA).code == 0
        client.password = "wrong"
        assert client.bind()[1]["result"] == 49
        assert ask(client, ADA).code == 1


@pytest.mark.parametrize("password", [BIND_PASSWORD, "wrong"])
def test_no_password_in_the_clear(directory: DirectoryServer, password: str) -> None:
    """Without TLS right and wrong passwords get the same answer: strongerAuthRequired."""
    with connection(
        directory.settings(), password=password, url=directory.starttls_url, bind=False
    ) as client:
        client.open()
        assert client.bind()[1]["result"] == 8
        assert ask(client, ADA).code == 1


def test_starttls_only_once(directory: DirectoryServer) -> None:
    """StartTLS inside TLS is an operations error and the connection goes on."""
    with connection(directory.settings()) as client:
        assert client.extended("1.3.6.1.4.1.1466.20037")[1]["result"] == 1
        assert ask(client, ADA).code == 0


def test_starttls_is_verified(directory: DirectoryServer) -> None:
    """StartTLS presents the same certificate as LDAPS: a stranger's authority is refused."""
    trust = Tls(validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT)
    client = Connection(Server(directory.starttls_url, tls=trust, get_info=NONE), client_strategy=SAFE_SYNC)
    client.open()
    with pytest.raises(LDAPExceptionError):
        client.start_tls()
    client.socket.close()


def test_password_is_nowhere(directory: DirectoryServer, caplog: pytest.LogCaptureFixture) -> None:
    """Neither logs at the finest level nor the server's own text hold a password."""
    with caplog.at_level(logging.DEBUG), connection(directory.settings()) as client:
        client.password = "Secret-in-a-bind-1"
        client.bind()
    text = caplog.text + repr(directory) + repr(directory.faults)
    assert BIND_PASSWORD not in text
    assert "Secret-in-a-bind-1" not in text
