"""The real adapter on a directory that tells what it heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from pipeline.adapters.ldap import LdapDirectory
from sandbox.directory import DirectoryServer
from sandbox.people import BASE_DN, BIND_DN, Entry, directory_entries, interesting_people
from sandbox.people.entry import CORP_DN, GROUPS_DN, SERVICE_DN, TOP_DN
from tests.contract.ldap.conftest import settings_of


def few() -> tuple[Entry, ...]:
    """Pick one person, one group of one's own, the bot's account and what is above them: quick to search."""
    ada = interesting_people()[0].identifier
    wanted = {BIND_DN, BASE_DN, TOP_DN, CORP_DN, GROUPS_DN, SERVICE_DN, ada, f"CN=Empty,{GROUPS_DN}"}
    wanted |= {f"CN={name},{BASE_DN}" for name in ("Users", "Builtin", "Deleted Objects")}
    wanted |= {ada.split(",", count)[count] for count in range(1, 4)}
    return tuple(entry for entry in directory_entries() if entry.dn in wanted)


@dataclass(frozen=True)
class Watched:
    """The adapter on one connection, and the server that it talks to."""

    adapter: LdapDirectory
    server: DirectoryServer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched() -> AsyncIterator[Watched]:
    """Give one adapter and its server for the module."""
    async with DirectoryServer(entries=few()) as server:
        adapter = LdapDirectory(settings_of(server, connections=1))
        yield Watched(adapter, server)
        await adapter.close()
