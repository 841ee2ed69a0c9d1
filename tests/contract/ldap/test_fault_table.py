"""Each row of the fault table is met for real, and the docs tell of each."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from pipeline import errors
from pipeline.adapters.ldap import LdapDirectory, LdapSettings
from pipeline.adapters.ldap_faults import BIND_SUB_CODES, FAULTS, RESULTS
from pipeline.errors import DirectoryError, ObjectKindUnknown
from pipeline.identifiers import parse_identifier
from sandbox.directory import DirectoryPolicy, DirectoryServer, FaultKind
from sandbox.directory.certificates import make_chain
from sandbox.people import BASE_DN, BIND_DN, Entry
from tests.contract.ldap.conftest import (
    PATIENT,
    Handler,
    Listen,
    OpenDirectory,
    Relay,
    group_of,
    serving_to,
    settings_of,
)
from tests.contract.ldap.test_absent import deleted_objects, tombstone
from tests.contract.ldap.test_failures import _answer, _silent

PAGE: Final = Path(__file__).parents[3] / "docs" / "connect-active-directory.md"
QUICK: Final = {
    "connect_timeout_s": 0.4,
    "receive_timeout_s": 1,
    "operation_timeout_s": 3.0,
    "connections": 1,
}


@dataclass(frozen=True)
class Lab:
    """What the provocations need: a directory that is well, and the means to spoil it."""

    server: DirectoryServer
    open: OpenDirectory
    listen: Listen
    folder: Path

    def directory(self, **changes: Any) -> LdapDirectory:
        """Return a directory on the server, with these settings changed."""
        return self.open(settings_of(self.server), **{**QUICK, **changes})

    async def meet(self, directory: LdapDirectory, typed: str = BIND_DN) -> DirectoryError:
        """Read an object, and return the error that this ends in."""
        with pytest.raises(DirectoryError) as caught:
            await directory.resolve(parse_identifier(typed), ["cn"])
        return caught.value

    async def answered(self, operation: str, code: int, sub_code: str = "0") -> DirectoryError:
        """Let the server answer an operation with a result."""
        directory = self.directory()
        if operation == "search":
            await directory.warm_up()
        self.server.faults.add(
            FaultKind.RESULT, operation=operation, code=code, sub_code=sub_code, times=None
        )
        return await self.meet(directory)

    async def struck(self, kind: FaultKind) -> DirectoryError:
        """Let a fault strike each search on a connection that was well."""
        directory = self.directory()
        await directory.warm_up()
        self.server.faults.add(kind, times=None)
        return await self.meet(directory)

    async def peer(self, handler: Handler, scheme: str = "ldaps", **more: Any) -> DirectoryError:
        """Talk to this handler instead of the server, whose certificate is the one of the folder."""
        port = await self.listen(handler, **more)
        ca_file = self.folder / "ca.pem"
        changes = {"ca_file": str(ca_file)} if ca_file.exists() else {}
        return await self.meet(self.directory(urls=(f"{scheme}://127.0.0.1:{port}",), **changes))

    async def secured(self, handler: Handler, **chain: Any) -> DirectoryError:
        """Talk to this handler over TLS, with a certificate made so."""
        made = make_chain(self.folder, **chain)
        return await self.peer(handler, ssl=made.server_context())


Provocation: TypeAlias = Callable[[Lab], Awaitable[DirectoryError]]


async def _host_unknown(lab: Lab) -> DirectoryError:
    # How long a machine takes to say that there is no such name is its own affair.
    return await lab.meet(lab.directory(urls=("ldaps://dc9.invalid",), **PATIENT))


async def _nobody_listens(lab: Lab) -> DirectoryError:
    return await lab.meet(lab.directory(urls=(await _closed_port(),)))


async def _closed_port() -> str:
    relay = Relay(0)
    await relay.open()
    await relay.close()
    return relay.url


@contextmanager
def _full_backlog() -> Iterator[int]:
    """Listen without accepting, with the queue full: the next connection is neither taken nor refused."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(listening.getsockname())
            yield int(listening.getsockname()[1])
        finally:
            for one in waiting:
                one.close()


async def _hang_in_tcp(lab: Lab) -> DirectoryError:
    with _full_backlog() as port:
        return await lab.meet(lab.directory(urls=(f"ldaps://127.0.0.1:{port}",)))


async def _no_way(lab: Lab) -> DirectoryError:
    # A broadcast address takes no TCP connection; the kernel says so at once.
    return await lab.meet(lab.directory(urls=("ldaps://255.255.255.255:636",)))


async def _none_of_two(lab: Lab) -> DirectoryError:
    urls = (await _closed_port(), "ldaps://dc9.invalid")
    return await lab.meet(lab.directory(urls=urls, **PATIENT))


async def _no_ca_file(lab: Lab) -> DirectoryError:
    return await lab.meet(lab.directory(ca_file=str(lab.folder / "none.pem")))


async def _other_ca(lab: Lab) -> DirectoryError:
    make_chain(lab.folder)
    return await lab.meet(lab.directory(ca_file=str(lab.folder / "ca.pem")))


async def _not_yet_valid(lab: Lab) -> DirectoryError:
    return await lab.secured(_silent, early=True)


async def _alerts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.write(bytes.fromhex("15030300020228"))  # a fatal alert: handshake_failure (RFC 8446, section 6)
    await writer.drain()


async def _hangs_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _no_starttls(lab: Lab) -> DirectoryError:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_answer(await reader.read(4096), 0x78, 2))
        await writer.drain()

    return await lab.peer(refuse, scheme="ldap")


async def _without_tls(lab: Lab) -> DirectoryError:
    return await lab.meet(lab.directory(urls=(lab.server.starttls_url,), allow_plaintext=True))


async def _nonsense(lab: Lab) -> DirectoryError:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"\x30\x03\x02\x01\x01")
        await writer.drain()
        await reader.read(4096)

    return await lab.secured(web)


async def _closed(lab: Lab) -> DirectoryError:
    directory = lab.directory()
    await directory.close()
    return await lab.meet(directory)


async def _cut_members(lab: Lab) -> DirectoryError:
    directory = lab.directory()
    await directory.warm_up()
    lab.server.faults.add(FaultKind.RESULT, code=4, skip=1)
    with pytest.raises(DirectoryError) as caught:
        await directory.members("CN=Apollo Guidance,OU=Groups,OU=Contoso,DC=contoso,DC=test", ["cn"], 5)
    return caught.value


def _typed(text: str) -> Provocation:
    async def provoke(lab: Lab) -> DirectoryError:
        return await lab.meet(lab.directory(), text)

    return provoke


def _among(entries: list[Entry], typed: str) -> Provocation:
    async def provoke(lab: Lab) -> DirectoryError:
        policy = DirectoryPolicy(readers_see_deleted=True)
        async with serving_to([*group_of(2), *entries], policy=policy) as directory:
            return await lab.meet(directory, typed)

    return provoke


def _result(code: int, operation: str = "search", sub_code: str = "0") -> Provocation:
    async def provoke(lab: Lab) -> DirectoryError:
        return await lab.answered(operation, code, sub_code)

    return provoke


def _struck(kind: FaultKind) -> Provocation:
    async def provoke(lab: Lab) -> DirectoryError:
        return await lab.struck(kind)

    return provoke


def _bin(**more: tuple[bytes, ...]) -> list[Entry]:
    return [deleted_objects(), tombstone("Ada", 901, "20260501", sAMAccountName=(b"ada",), **more)]


async def _members_of_nothing(lab: Lab) -> DirectoryError:
    with pytest.raises(DirectoryError) as caught:
        await lab.directory().members(f"CN=Nothing,{BASE_DN}", ["cn"], 5)
    return caught.value


async def _two_of_an_address(lab: Lab) -> DirectoryError:
    same = {"mail": (b"same@contoso.test",)}
    entries = [Entry(e.dn, {**e.attributes, **same}) for e in group_of(2)]
    async with serving_to(entries) as directory:
        return await lab.meet(directory, "same@contoso.test")


async def _held_by_nobody(lab: Lab) -> DirectoryError:
    """Ask a controller that knows nothing of a name's domain, not even where it is."""
    directory = lab.directory()
    await directory.warm_up()
    lab.server.faults.add(FaultKind.RESULT, code=32)
    return await lab.meet(directory, "CN=Someone,DC=fabrikam,DC=test")


PROVOKED: Final[dict[str, Provocation]] = {
    "host_unknown": _host_unknown,
    "connection_refused": _nobody_listens,
    "connection_timeout": _hang_in_tcp,
    "unreachable": _no_way,
    "none_usable": _none_of_two,
    "ca_unreadable": _no_ca_file,
    "certificate_untrusted": _other_ca,
    "certificate_other_name": lambda lab: lab.secured(_silent, addresses=("127.0.0.2",)),
    "certificate_expired": lambda lab: lab.secured(_silent, expired=True),
    "certificate_not_yet_valid": _not_yet_valid,
    "tls_failed": lambda lab: lab.peer(_alerts),
    "tls_timeout": lambda lab: lab.peer(_silent),
    "tls_closed": lambda lab: lab.peer(_hangs_up),
    "start_tls_refused": _no_starttls,
    **{row.name: _result(49, "bind", f"{code:x}") for code, row in BIND_SUB_CODES.items()},
    "bind_bad_name": _result(34, "bind"),
    "bind_other": _result(80, "bind"),
    "bind_unprotected": _without_tls,
    **{row.name: _result(code) for code, row in RESULTS.items() if code not in {4, 10, 32}},
    "no_object": _members_of_nothing,
    "size_limit": _cut_members,
    "referral": _struck(FaultKind.REFERRAL),
    "other_result": _result(71),
    "answer_timeout": _struck(FaultKind.HANG),
    "broken_off": _struck(FaultKind.DROP_MID_ANSWER),
    "nonsense": _nonsense,
    "closed": _closed,
    "not_found": _typed("nobody@contoso.test"),
    "called_so": _typed("Apollo Guidance"),
    "not_found_there": _typed(f"CN=Nobody,{BASE_DN}"),
    "moved": _typed(f"CN=Apollo Guidance,{BASE_DN}"),
    "path_not_found": _typed("CN=Nobody,O=Nowhere"),
    "deleted": _among(_bin(), "ada"),
    "deleted_for_good": _among(_bin(isRecycled=(b"TRUE",)), "ada"),
    "ambiguous": _two_of_an_address,
    "other_domain": _held_by_nobody,
    "other_domain_account": _typed(r"FABRIKAM\someone"),
}


@pytest.mark.parametrize("name", PROVOKED)
async def test_each_row_is_met_for_real(
    server: DirectoryServer, open_directory: OpenDirectory, listen: Listen, tmp_path: Path, name: str
) -> None:
    """What the row describes is done to a directory, and the row's error with its words comes of it."""
    error = await PROVOKED[name](Lab(server, open_directory, listen, tmp_path))
    row = FAULTS[name]
    assert error.fault == name, error.message
    assert isinstance(error, row.kind)
    assert error.message.endswith(".")
    assert error.remedy.endswith(".")
    assert "{" not in error.message + error.remedy


def test_no_row_is_left_out() -> None:
    """A new row of the table needs its provocation here; a row that went takes its own along."""
    assert PROVOKED.keys() == FAULTS.keys()


def _classes(kind: type[DirectoryError]) -> set[type[DirectoryError]]:
    return {kind}.union(*(_classes(one) for one in kind.__subclasses__()))


def test_each_class_of_the_error_tree_has_a_row() -> None:
    """Every class below DirectoryError is some row's; what is no class of the tree is no row's."""
    told = {row.kind for row in FAULTS.values()}
    in_tree = {kind for kind in _classes(DirectoryError) if kind.__name__ in errors.__all__}
    assert in_tree - {DirectoryError, ObjectKindUnknown} == told, "ObjectKindUnknown is the import stage's"


def test_the_docs_show_every_row() -> None:
    """Whatever the directory can answer, the docs say what to do about it."""
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"`{row.kind.code}`" in page for row in FAULTS.values())


@pytest.mark.parametrize(
    "name", ["host_unknown", "certificate_untrusted", "bind_wrong_password", "ca_unreadable"]
)
async def test_a_remedy_names_the_settings_of_its_own_domain(
    server: DirectoryServer, open_directory: OpenDirectory, listen: Listen, tmp_path: Path, name: str
) -> None:
    """For a further domain every setting in a remedy is that domain's, by its full name."""

    def elsewhere(settings: LdapSettings, **changes: Any) -> LdapDirectory:
        return open_directory(settings, **changes, section="FOURCHECK_DIRECTORIES__PARTNER")

    error = await PROVOKED[name](Lab(server, elsewhere, listen, tmp_path))
    assert error.fault == name
    assert "FOURCHECK_DIRECTORIES__PARTNER__" in error.remedy
    assert "FOURCHECK_DIRECTORY__" not in error.remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"urls": ()},
        {"urls": ("http://dc1",)},
        {"bind_dn": ""},
        {"bind_password": ""},
        {"base_dn": "contoso.test"},
    ],
    ids=str,
)
def test_a_setting_that_is_refused_is_named_in_full(changes: dict[str, Any]) -> None:
    """What is wrong at the start is corrected in the settings of the domain that it is about."""
    usual = LdapSettings(("ldaps://dc1",), "CN=a", "p", "DC=c", section="FOURCHECK_DIRECTORIES__PARTNER")
    with pytest.raises(errors.ConfigurationInvalid) as caught:
        LdapDirectory(replace(usual, **changes))
    assert "FOURCHECK_DIRECTORIES__PARTNER__" in caught.value.remedy
    assert "FOURCHECK_DIRECTORY__" not in caught.value.remedy
