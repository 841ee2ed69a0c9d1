"""The bot's password is nowhere but on the wire to a controller that proved who it is."""

from __future__ import annotations

import logging
import traceback

import ldap3
import pytest

from pipeline.adapters.ldap import LdapDirectory, LdapSettings
from pipeline.errors import DirectoryError
from pipeline.identifiers import parse_identifier
from sandbox.directory import DirectoryServer, FaultKind
from sandbox.people import BIND_DN
from tests.contract.ldap.conftest import OpenDirectory, settings_of

CANARY = "canary-7Qx-9f2e"
ME = parse_identifier(BIND_DN)


def test_settings_do_not_show_it() -> None:
    """The settings' text form leaves the password out."""
    settings = LdapSettings(("ldaps://dc1",), "CN=a", CANARY, "DC=c")
    assert CANARY not in repr(settings) + str(settings)


@pytest.mark.parametrize("trouble", ["refused", "drop", "hang", "garbled"])
async def test_no_failure_shows_it(
    server: DirectoryServer,
    open_directory: OpenDirectory,
    caplog: pytest.LogCaptureFixture,
    trouble: str,
) -> None:
    """Neither the finest log, nor an error, nor a traceback with all local values holds the password."""
    caplog.set_level(logging.DEBUG)
    kinds = {"drop": FaultKind.DROP, "hang": FaultKind.HANG, "garbled": FaultKind.DROP_MID_ANSWER}
    if trouble in kinds:
        server.faults.add(kinds[trouble], operation="bind" if trouble != "garbled" else "search", times=None)
    directory = open_directory(
        settings_of(server), bind_password=CANARY, receive_timeout_s=1, connect_timeout_s=1.0
    )
    with pytest.raises(DirectoryError) as caught:
        await directory.resolve(ME, ["cn"])
    error = caught.value
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    everything = [caplog.text, repr(error), error.message, error.remedy, str(error.ids), *told.format()]
    assert CANARY not in "".join(everything)


async def test_a_connection_in_use_does_not_show_it(server: DirectoryServer) -> None:
    """The objects that hold a connection do not print the password that the library's own would."""
    settings = settings_of(server)
    directory = LdapDirectory(settings)
    try:
        await directory.resolve(ME, ["cn"])
        (session,) = directory._pool._free
        printed = repr(directory) + repr(session) + repr(session.connection) + str(session.connection)
        assert settings.bind_password not in printed
        assert isinstance(session.connection, ldap3.Connection)
    finally:
        await directory.close()
