"""Everything that can be wrong with a directory ends in its own sentence and remedy, in time."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.adapters.ldap import LdapDirectory, LdapSettings
from pipeline.errors import (
    ConfigurationInvalid,
    DirectoryBindRefused,
    DirectoryBusy,
    DirectoryError,
    DirectoryForbidden,
    DirectoryLimit,
    DirectoryReferral,
    DirectoryTimeout,
    DirectoryUnexpected,
    DirectoryUnreachable,
    DirectoryUntrusted,
)
from pipeline.identifiers import parse_identifier
from sandbox.directory import DirectoryServer, FaultKind
from sandbox.directory.certificates import make_chain
from sandbox.people import BIND_DN, bind_passwords
from tests.contract.ldap.conftest import PATIENT, SOON_S, Listen, OpenDirectory, Relay, World, settings_of

ME = parse_identifier(BIND_DN)
QUICK = {"connect_timeout_s": 0.6, "receive_timeout_s": 1, "operation_timeout_s": 4.0}


async def refused(directory: LdapDirectory, kind: type[DirectoryError]) -> DirectoryError:
    """Read an object and return the error it ends in, which must be of exactly this class."""
    with pytest.raises(kind) as caught:
        await directory.resolve(ME, ["cn"])
    assert type(caught.value) is kind
    assert caught.value.message.endswith(".")
    assert caught.value.remedy.endswith(".")
    assert caught.value.__context__ is None, "the library's frames would hold the password"
    return caught.value


# -- the account -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ("svc-disabled", "is disabled"),
        ("svc-expired", "account has expired"),
        ("svc-must-change", "must be changed"),
        ("svc-locked", "locked out"),
    ],
)
async def test_refused_accounts_are_told_apart(
    world: World, open_directory: OpenDirectory, account: str, sentence: str
) -> None:
    """Disabled, expired, must change and locked out each have their own sentence, by AD's sub-code."""
    dn, password = next((dn, p) for dn, p in bind_passwords().items() if dn.startswith(f"CN={account},"))
    error = await refused(
        open_directory(world.settings, bind_dn=dn, bind_password=password), DirectoryBindRefused
    )
    assert sentence in error.message


@pytest.mark.parametrize(
    "changes",
    [{"bind_password": "wrong"}, {"bind_dn": "CN=nobody,DC=contoso,DC=test"}, {"bind_password": "wröng \0"}],
    ids=["password", "name", "odd characters"],
)
async def test_a_wrong_name_or_password_is_one_sentence(
    server: DirectoryServer, open_directory: OpenDirectory, changes: dict[str, str]
) -> None:
    """Which of the two is wrong is not said by the directory, so not by us."""
    error = await refused(open_directory(settings_of(server), **changes), DirectoryBindRefused)
    assert "password is wrong, or there is no such account" in error.message
    assert "FOURCHECK_DIRECTORY__BIND_PASSWORD" in error.remedy


@pytest.mark.parametrize(
    "changes",
    [{"bind_password": ""}, {"bind_dn": ""}, {"urls": ()}, {"base_dn": ""}, {"base_dn": "contoso.test"}],
    ids=str,
)
async def test_missing_settings_are_refused_before_anything_is_sent(
    server: DirectoryServer, changes: dict[str, str]
) -> None:
    """An empty password would sign in as nobody, and succeed: it never leaves the machine."""
    settings = settings_of(server)
    with pytest.raises(ConfigurationInvalid):
        LdapDirectory(LdapSettings(**{**vars_of(settings), **changes}))  # type: ignore[arg-type]  # a table's values


def vars_of(settings: LdapSettings) -> dict[str, object]:
    """Return the settings by name."""
    return {name: getattr(settings, name) for name in LdapSettings.__dataclass_fields__}


@pytest.mark.parametrize(
    "url",
    ["", "contoso.test", "http://dc1", "ldaps://", "ldaps://dc1:port", "ldaps://dc1/DC=c", "ldaps://[::1"],
)
def test_an_address_that_is_none_is_named(url: str) -> None:
    """A wrong address is a configuration error that quotes it."""
    with pytest.raises(ConfigurationInvalid) as caught:
        LdapSettings((url,), "CN=a", "p", "DC=c").controllers()
    assert f"“{url}”" in caught.value.message


# -- reaching it -----------------------------------------------------------------------------------------


async def test_an_unknown_host_is_named(server: DirectoryServer, open_directory: OpenDirectory) -> None:
    """A name that does not resolve says so."""
    error = await refused(
        open_directory(settings_of(server), urls=("ldaps://dc9.invalid",), **PATIENT), DirectoryUnreachable
    )
    assert "The host name dc9.invalid is unknown" in error.message


async def test_a_refused_connection_is_told(server: DirectoryServer, open_directory: OpenDirectory) -> None:
    """A port where nobody listens says so."""
    relay = Relay(0)
    await relay.open()
    await relay.close()
    error = await refused(
        open_directory(settings_of(server), urls=(relay.url,), **QUICK), DirectoryUnreachable
    )
    assert "refused the connection" in error.message
    assert str(relay.port) in error.message


async def test_plain_ldap_means_starttls(server: DirectoryServer, open_directory: OpenDirectory) -> None:
    """`ldap://` signs in only after TLS began; allowing plain text is a switch, and then AD refuses."""
    settings = settings_of(server, urls=(server.starttls_url,))
    entry = await open_directory(settings).resolve(ME, ["cn"])
    assert entry.get("cn") == (b"svc-fourcheck",)
    error = await refused(open_directory(settings, allow_plaintext=True), DirectoryBindRefused)
    assert "encrypted connections only" in error.message


async def test_a_server_without_starttls_gets_no_password(
    server: DirectoryServer, open_directory: OpenDirectory, listen: Listen
) -> None:
    """A plain port that does not begin TLS is left before anything secret is sent."""
    seen = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            seen.extend(data)
            writer.write(_answer(data, 0x78, 2))
            await writer.drain()

    port = await listen(plain)
    error = await refused(
        open_directory(settings_of(server), urls=(f"ldap://127.0.0.1:{port}",), **QUICK), DirectoryUntrusted
    )
    assert "does not start TLS" in error.message
    assert b"1.3.6.1.4.1.1466.20037" in seen
    assert settings_of(server).bind_password.encode() not in seen


def _answer(request: bytes, tag: int, code: int) -> bytes:
    """Answer a request with a result code: message id as in the request, no texts."""
    start = 2 if request[1] < 0x80 else 2 + (request[1] & 0x7F)
    message_id = request[start : start + 2 + request[start + 1]]
    result = bytes([0x0A, 1, code, 4, 0, 4, 0])
    body = message_id + bytes([tag, len(result)]) + result
    return bytes([0x30, len(body)]) + body


async def test_an_address_in_brackets_is_ipv6(
    server: DirectoryServer, open_directory: OpenDirectory, listen: Listen, tmp_path: Path
) -> None:
    """ldaps://[::1] is connected to, and its certificate is checked for that address."""
    chain = make_chain(tmp_path, dns_names=(), addresses=("::1",))
    asked = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_answer(await reader.read(4096), 0x61, 51))
        asked.set()
        await writer.drain()

    port = await listen(handle, host="::1", ssl=chain.server_context())
    settings = settings_of(server, urls=(f"ldaps://[::1]:{port}",), ca_file=str(chain.ca_file), **QUICK)
    error = await refused(open_directory(settings), DirectoryBusy)
    assert f"[::1]:{port} says that it is busy" in error.message
    assert asked.is_set()


# -- trust -----------------------------------------------------------------------------------------------


async def _silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: make_chain(folder, expired=True), "has expired"),
        (lambda folder: make_chain(folder, addresses=("127.0.0.2",)), "is for another name"),
        (lambda folder: make_chain(folder, dns_names=("dc1",), addresses=()), "is for another name"),
    ],
    ids=["expired", "another address", "no address"],
)
@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
async def test_a_wrong_certificate_is_told_apart_and_gets_no_password(  # noqa: PLR0917 - fixtures
    server: DirectoryServer,
    open_directory: OpenDirectory,
    listen: Listen,
    tmp_path: Path,
    make: Callable[[Path], object],
    sentence: str,
    scheme: str,
) -> None:
    """Expired and misnamed certificates end the connection, each with its sentence, on both kinds of port."""
    chain = make(tmp_path)
    context: ssl.SSLContext = chain.server_context()  # type: ignore[attr-defined]  # the sandbox's own type
    encrypted = scheme == "ldaps"
    port = await listen(_silent if encrypted else _starting_tls(context), ssl=context if encrypted else None)
    settings = settings_of(
        server, urls=(f"{scheme}://127.0.0.1:{port}",), ca_file=str(tmp_path / "ca.pem"), **QUICK
    )
    error = await refused(open_directory(settings), DirectoryUntrusted)
    assert sentence in error.message


def _starting_tls(context: ssl.SSLContext) -> Callable[..., object]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_answer(await reader.read(4096), 0x78, 0))
        await writer.drain()
        await writer.start_tls(context)

    return handle


async def test_a_stranger_s_certificate_is_refused(
    server: DirectoryServer, open_directory: OpenDirectory, tmp_path: Path
) -> None:
    """A CA that is not the configured one is not trusted, nor is the system's list instead of it."""
    make_chain(tmp_path)
    for ca_file in (str(tmp_path / "ca.pem"), None):
        error = await refused(open_directory(settings_of(server), ca_file=ca_file), DirectoryUntrusted)
        assert "is not trusted" in error.message
        assert "FOURCHECK_DIRECTORY__CA_FILE" in error.remedy


@pytest.mark.parametrize("content", [None, "", "not a certificate"], ids=["missing", "empty", "no PEM"])
async def test_a_useless_ca_file_is_named(
    server: DirectoryServer, open_directory: OpenDirectory, tmp_path: Path, content: str | None
) -> None:
    """A file of trusted certificates that cannot be used is named; the system's list never stands in."""
    path = tmp_path / "trusted.pem"
    if content is not None:
        path.write_text(content)
    error = await refused(open_directory(settings_of(server), ca_file=str(path)), DirectoryUntrusted)
    assert str(path) in error.message


async def test_a_port_that_speaks_no_tls_is_told(
    server: DirectoryServer, open_directory: OpenDirectory
) -> None:
    """ldaps:// on the plain port says that TLS is not spoken there."""
    url = server.starttls_url.replace("ldap://", "ldaps://")
    error = await refused(
        open_directory(settings_of(server), urls=(url,), **QUICK),
        DirectoryUnreachable,
    )
    assert "TLS handshake" in error.message


# -- answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (FaultKind.BUSY, DirectoryBusy, "is busy"),
        (FaultKind.UNAVAILABLE, DirectoryBusy, "is unavailable"),
        (FaultKind.INSUFFICIENT_RIGHTS, DirectoryForbidden, "insufficient rights"),
        (FaultKind.TIME_LIMIT, DirectoryLimit, "time limit"),
        (FaultKind.REFERRAL, DirectoryReferral, "the domain fabrikam.test"),
        (FaultKind.DROP, DirectoryUnreachable, "in the middle of an answer"),
        (FaultKind.DROP_MID_ANSWER, DirectoryUnreachable, "in the middle of an answer"),
    ],
    ids=lambda value: value.value if isinstance(value, FaultKind) else None,
)
async def test_answers_that_are_errors_have_their_own_sentence(
    server: DirectoryServer,
    open_directory: OpenDirectory,
    fault: FaultKind,
    kind: type[DirectoryError],
    sentence: str,
) -> None:
    """Each result code and each broken answer maps to its class, sentence and remedy, in time."""
    directory = open_directory(settings_of(server, **QUICK))
    await directory.warm_up()
    server.faults.add(fault, times=None)
    started = time.monotonic()
    error = await refused(directory, kind)
    assert sentence in error.message
    assert time.monotonic() - started < QUICK["operation_timeout_s"] + SOON_S
    server.faults.clear()
    assert (await directory.resolve(ME, ["cn"])).get("cn"), "and the next call works"


async def test_a_size_limit_within_a_search_is_not_taken_for_a_whole_answer(
    server: DirectoryServer, open_directory: OpenDirectory
) -> None:
    """A member search that the controller cuts gives an incomplete list."""
    directory = open_directory(settings_of(server))
    group = "CN=Apollo Guidance,OU=Groups,OU=Contoso,DC=contoso,DC=test"
    server.faults.add(FaultKind.SIZE_LIMIT, skip=2)  # the root DSE and the group's own list pass
    members = await directory.members(group, ["cn"], 100)
    assert not members.complete
    assert members.total == 40


async def test_a_cut_in_mid_page_loses_no_member(
    server: DirectoryServer, open_directory: OpenDirectory
) -> None:
    """A connection that breaks between two pages is replaced, and the list comes whole from the start."""
    directory = open_directory(settings_of(server, page_size=7))
    group = "CN=Apollo Guidance,OU=Groups,OU=Contoso,DC=contoso,DC=test"
    server.faults.add(FaultKind.DROP_MID_ANSWER, skip=4)  # root DSE, the list, and two pages pass
    members = await directory.members(group, ["cn"], 100)
    assert members.complete
    assert len({entry.dn for entry in members.entries}) == members.total == 40


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x84\x7f\xff\xff\xff", b"\x30\x03\x02\x01\x01"],
    ids=["another protocol", "an endless length", "no operation"],
)
async def test_nonsense_for_an_answer_is_told(
    server: DirectoryServer, open_directory: OpenDirectory, listen: Listen, tmp_path: Path, garbage: bytes
) -> None:
    """A peer that speaks TLS but not LDAP ends in an error in time, never in a traceback."""
    chain = make_chain(tmp_path)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(garbage)
        await writer.drain()
        await reader.read(4096)

    port = await listen(handle, ssl=chain.server_context())
    settings = settings_of(server, urls=(f"ldaps://127.0.0.1:{port}",), ca_file=str(chain.ca_file), **QUICK)
    with pytest.raises((DirectoryUnexpected, DirectoryTimeout, DirectoryUnreachable)) as caught:
        await open_directory(settings).resolve(ME, ["cn"])
    assert caught.value.message.endswith(".")
